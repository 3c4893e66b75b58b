"""Whether the members' extremes are as extreme as those of the truth."""

from __future__ import annotations

import numpy as np

from wxexp.interfaces import Row, Sums, Total
from wxexp.metrics.binned import Binned
from wxexp.statistics.cells import check_numbers, label
from wxexp.statistics.distributions import quantiles


class QuantileBias(Binned):
    """Quantile of the members' values minus that of the truth's, the points of a Q–Q plot, in the rows `quantile_bias_0.99`.

    In the units of the variable, of all cells, members and cases of a group (Wilks 2019, section 3.3.2), from histograms that add up:
    off by a bin at most. NaN where a quantile lies outside the bins.
    """

    levels: tuple[float, ...] = (0.01, 0.1, 0.5, 0.9, 0.99, 0.999)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_numbers("QuantileBias.levels", self.levels, 0.0, 1.0)

    def rows(self, sums: Sums) -> list[Row]:
        truth, members = self.histograms(sums)
        edges, levels = self.bins().edges(), np.asarray(self.levels)

        def rows(index: int) -> list[Row]:
            def value(total: Total) -> np.ndarray:
                own, theirs = (quantiles(total(x), edges, levels[index : index + 1])[..., 0] for x in (members, truth))
                return np.asarray(own - theirs)

            return sums.rows(f"quantile_bias_{label(self.levels[index])}", value)

        return [row for index in range(len(self.levels)) for row in rows(index)]
