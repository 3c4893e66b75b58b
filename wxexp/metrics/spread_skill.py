"""Whether the spread says how large the error is."""

from __future__ import annotations

import numpy as np

from wxexp.interfaces import Metric, Row, Statistic, Sums
from wxexp.metrics.ratio import ratio
from wxexp.statistics import Moments


class SpreadSkill(Metric):
    """Spread-skill ratio sqrt((M + 1) / M · mean s²) / RMSE; 1 where members and truth are exchangeable, below 1 too little spread.

    s² is the unbiased variance of the members; (M + 1) / M is what the error of the mean of M members adds to the error of the mean
    (Fortin et al. 2014). Both means are over space and time, before the roots. A deterministic source has no row.
    """

    def needs(self) -> tuple[Statistic, ...]:
        return (Moments(),)

    def rows(self, sums: Sums) -> list[Row]:
        if sums.members == 1:
            return []
        moments, factor = sums[Moments()], (sums.members + 1) / sums.members
        return sums.rows(
            "spread_skill",
            lambda total: np.sqrt(factor * ratio(total(moments["variance"]), total(moments["square"]))),
            units="1",
        )
