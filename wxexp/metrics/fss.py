"""At which scale a forecast is useful."""

from __future__ import annotations

import numpy as np

from wxexp.interfaces import Metric, Row, Statistic, Sums, Total
from wxexp.metrics.ratio import ratio
from wxexp.statistics import Neighbourhoods
from wxexp.statistics.cells import check_numbers, label
from wxexp.statistics.neighbourhoods import check_scales


class FSS(Metric):
    """FSS = 1 − Σ (P_x − P_y)² / (Σ P_x² + Σ P_y²), 1 perfect, 0 no overlap (Roberts and Lean 2008); the row `fss_5_3`: x > 5, 3 cells.

    P_y is the fraction of a square of n × n cells (n on a ring) in which the truth exceeds the threshold, P_x that of the ensemble, the
    mean over members and cells (Schwartz et al. 2010). All sums are over squares that are wholly valid and over cases, before the ratio:
    a case without any event adds nothing. NaN where there is no event at all, and where no square fits. Thresholds are in the units of
    each variable; scales are odd numbers of cells, whatever their size in kilometres.
    """

    thresholds: tuple[float, ...]
    scales: tuple[int, ...] = (1, 3, 9)

    def __post_init__(self) -> None:
        check_numbers("FSS.thresholds", self.thresholds)
        check_scales("FSS.scales", self.scales)

    def _statistic(self) -> Neighbourhoods:
        return Neighbourhoods(thresholds=self.thresholds, scales=self.scales)

    def needs(self) -> tuple[Statistic, ...]:
        return (self._statistic(),)

    def rows(self, sums: Sums) -> list[Row]:
        found = sums[self._statistic()]

        def rows(t: int, s: int) -> list[Row]:
            def value(total: Total) -> np.ndarray:
                reference = total(found["forecast"][..., t, s]) + total(found["truth"][..., t, s])
                return 1.0 - ratio(total(found["square"][..., t, s]), reference)

            return sums.rows(f"fss_{label(self.thresholds[t])}_{self.scales[s]}", value, units="1")

        return [row for t in range(len(self.thresholds)) for s in range(len(self.scales)) for row in rows(t, s)]
