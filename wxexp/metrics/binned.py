"""What metrics of histograms share."""

from __future__ import annotations

from typing import Literal

import numpy as np

from wxexp.interfaces import Metric, Statistic, Sums
from wxexp.statistics import Bins
from wxexp.statistics.bins import check_bins


class Binned(Metric):
    """Bins of the values of a variable, `count` from `low` to `high` in its units, "linear" or "log", as those of `Bins`."""

    low: float
    high: float
    count: int = 100
    spacing: Literal["linear", "log"] = "linear"

    def __post_init__(self) -> None:
        check_bins(type(self).__name__, self.low, self.high, self.count, self.spacing)

    def bins(self) -> Bins:
        """The statistic."""
        return Bins(low=self.low, high=self.high, count=self.count, spacing=self.spacing)

    def needs(self) -> tuple[Statistic, ...]:
        return (self.bins(),)

    def histograms(self, sums: Sums) -> tuple[np.ndarray, np.ndarray]:
        """Of truth and members, [case, lead, variable, group, count + 2]."""
        found = sums[self.bins()]
        return found["truth"], found["members"]
