"""How often central intervals hold the truth."""

from __future__ import annotations

import numpy as np

from wxexp.interfaces import Metric, Row, Statistic, Sums, Total
from wxexp.metrics.interval_score import ends
from wxexp.metrics.ratio import ratio
from wxexp.statistics.cells import check_numbers, label


class Coverage(Metric):
    """Share of the truth in the closed interval between the members' quantiles (1 ∓ level)/2, in the rows `coverage_0.8`.

    Of M members exchangeable with the truth it is not the level but about level · (M − 1)/(M + 1), as the truth lies beyond the extreme
    members with probability 2/(M + 1). A deterministic source has no row.
    """

    levels: tuple[float, ...] = (0.8,)

    def __post_init__(self) -> None:
        check_numbers("Coverage.levels", self.levels, 0.0, 1.0)

    def needs(self) -> tuple[Statistic, ...]:
        return tuple(ends(level) for level in self.levels)

    def rows(self, sums: Sums) -> list[Row]:
        if sums.members == 1:
            return []

        def rows(level: float) -> list[Row]:
            found = sums[ends(level)]

            def value(total: Total) -> np.ndarray:
                inside = found["below"][..., 1] + found["equal"][..., 1] - found["below"][..., 0]
                return ratio(total(inside), total(found["weight"]))

            return sums.rows(f"coverage_{label(level)}", value, units="1")

        return [row for level in self.levels for row in rows(level)]
