"""Whether it rains as often, and as much at a time, as it should."""

from __future__ import annotations

import numpy as np

from wxexp.interfaces import Metric, Row, Statistic, Sums, Total
from wxexp.metrics.ratio import ratio
from wxexp.statistics import WetAmounts
from wxexp.statistics.cells import label


class WetDays(Metric):
    """Wet-day frequency and simple daily intensity index of the members over those of the truth, 1 where equal (Zhang et al. 2011).

    A cell is wet with x ≥ threshold, in the units of the variable, by convention 1 mm of a day. The rows are `wet_ratio_1`, members' over
    truth's share of wet cells, and `sdii_ratio_1`, members' over truth's mean amount of wet cells: too much drizzle is above 1 in the
    first and below 1 in the second. NaN where the truth is never wet.
    """

    threshold: float = 1.0

    def __post_init__(self) -> None:
        self._statistic()

    def _statistic(self) -> WetAmounts:
        return WetAmounts(threshold=self.threshold)

    def needs(self) -> tuple[Statistic, ...]:
        return (self._statistic(),)

    def rows(self, sums: Sums) -> list[Row]:
        found = sums[self._statistic()]

        def wet(total: Total) -> np.ndarray:
            truth = total(found["truth_wet"])
            return np.where(truth == 0, np.nan, ratio(total(found["wet"]), truth))

        def intensity(total: Total) -> np.ndarray:
            own, theirs = ratio(total(found["amount"]), total(found["wet"])), ratio(total(found["truth_amount"]), total(found["truth_wet"]))
            return ratio(own, theirs)

        name = label(self.threshold)
        return sums.rows(f"wet_ratio_{name}", wet, units="1") + sums.rows(f"sdii_ratio_{name}", intensity, units="1")
