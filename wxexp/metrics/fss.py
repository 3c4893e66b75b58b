"""At which scale a forecast is useful."""

from __future__ import annotations

import numpy as np

from wxexp.interfaces import Metric, Row, Statistic, Sums, Total
from wxexp.statistics import Neighbourhoods
from wxexp.statistics.cells import check_numbers, label
from wxexp.statistics.neighbourhoods import check_scales, fractions_skill


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
        """With single cells, which say how often the event is observed."""
        return Neighbourhoods(thresholds=self.thresholds, scales=self.scales if 1 in self.scales else (1, *self.scales))

    def needs(self) -> tuple[Statistic, ...]:
        return (self._statistic(),)

    def rows(self, sums: Sums) -> list[Row]:
        found = sums[self._statistic()]

        def rows(t: int, scale: int) -> list[Row]:
            s = self._statistic().scales.index(scale)

            def value(total: Total) -> np.ndarray:
                return fractions_skill(*(total(found[name][..., t, s]) for name in ("square", "forecast", "truth")))

            return sums.rows(f"fss_{label(self.thresholds[t])}_{scale}", value, units="1")

        return [row for t in range(len(self.thresholds)) for scale in self.scales for row in rows(t, scale)]
