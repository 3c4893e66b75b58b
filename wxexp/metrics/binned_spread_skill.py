"""Whether the error is large where the spread is."""

from __future__ import annotations

import numpy as np

from wxexp.interfaces import Metric, Row, Statistic, Sums, Total
from wxexp.metrics.ratio import ratio
from wxexp.statistics import SpreadBins
from wxexp.statistics.spread_bins import merged


class BinnedSpreadSkill(Metric):
    """Spread-skill reliability Σ_b n_b |RMSE_b − spread_b| / Σ_b n_b over bins of the spread (Haynes et al. 2023), 0 is best.

    The row `spread_skill_reliability`, in the units of the variable: spread_b is the root of the mean unbiased variance of the members in
    a bin, RMSE_b that of the error of their mean, times M / (M + 1), which it has too much of (Fortin et al. 2014). Bins are those of
    `SpreadBins`, neighbours of which are put together into `bins` of about equal weight: unlike the ratio of all, too little spread in
    some places does not make up for too much in others. A deterministic source has no row.
    """

    bins: int = 10

    def __post_init__(self) -> None:
        if self.bins < 1:
            raise ValueError(f"BinnedSpreadSkill.bins must be at least 1, got {self.bins}")

    def needs(self) -> tuple[Statistic, ...]:
        return (SpreadBins(),)

    def rows(self, sums: Sums) -> list[Row]:
        if sums.members == 1:
            return []
        found = sums[SpreadBins()]

        def value(total: Total) -> np.ndarray:
            weight, variance, square = merged(*(total(found[name]) for name in ("weight", "variance", "square")), bins=self.bins)
            error = np.sqrt(ratio(square, weight) * sums.members / (sums.members + 1))
            apart = np.where(weight == 0, 0.0, np.abs(error - np.sqrt(ratio(variance, weight))))
            return ratio((weight * apart).sum(axis=-1), weight.sum(axis=-1))

        return sums.rows("spread_skill_reliability", value)
