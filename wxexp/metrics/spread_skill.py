"""Whether the spread says how large the error is."""

from __future__ import annotations

from typing import Literal

import numpy as np

from wxexp.interfaces import Metric, Row, Statistic, Sums, Total
from wxexp.metrics.ratio import ratio
from wxexp.statistics import Moments


class SpreadSkill(Metric):
    """Spread-skill ratio, 1 where members and truth are exchangeable, below 1 too little spread.

    "corrected" (the row `spread_skill`) is sqrt((M + 1) / M · mean s²) / RMSE, where (M + 1) / M is what the error of the mean of M
    members adds to the error of the mean (Fortin et al. 2014); "debiased" (`spread_skill_debiased`) takes that off the error instead,
    sqrt(mean s² / (mean e² − mean s² / M)), and is NaN where nothing is left. s² is the unbiased variance of the members, e the error of
    their mean. Both means are over space and time, before the roots. A deterministic source has no row.
    """

    estimator: Literal["corrected", "debiased"] = "corrected"

    def needs(self) -> tuple[Statistic, ...]:
        return (Moments(),)

    def rows(self, sums: Sums) -> list[Row]:
        if sums.members == 1:
            return []
        moments, count = sums[Moments()], sums.members

        def value(total: Total) -> np.ndarray:
            variance, square = total(moments["variance"]), total(moments["square"])
            if self.estimator == "corrected":
                return np.asarray(np.sqrt((count + 1) / count * ratio(variance, square)))
            with np.errstate(invalid="ignore"):
                return np.asarray(np.sqrt(ratio(variance, square - variance / count)))

        return sums.rows("spread_skill" if self.estimator == "corrected" else "spread_skill_debiased", value, units="1")
