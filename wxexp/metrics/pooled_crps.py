"""The CRPS at coarser scales."""

from __future__ import annotations

import numpy as np

from wxexp.interfaces import Metric, Row, Statistic, Sums, Total
from wxexp.metrics.ratio import ratio
from wxexp.statistics import PooledPairs
from wxexp.statistics.cells import label
from wxexp.statistics.crps import Estimator, pair_coefficient
from wxexp.statistics.pooled_pairs import check_blocks


class PooledCRPS(Metric):
    """CRPS of truth and members averaged over blocks of n × n cells (n on a ring), in the rows `crps_pooled_4` for n = 4.

    In the units of the variable. Means are weighted with area, and so are blocks (`PooledPairs`); scale 1 is the CRPS. Unlike that, it
    sees whether members are right about whole regions, with errors that are correlated as those of the truth are: members shuffled cell
    by cell lose at every scale but 1. Estimators, their suffix (`crps_pooled_biased_4`) and what a deterministic source has are those of
    `CRPS`.
    """

    scales: tuple[int, ...] = (4, 16, 64)
    estimator: Estimator = "fair"
    alpha: float = 0.95

    def __post_init__(self) -> None:
        check_blocks("PooledCRPS.scales", self.scales)
        if not 0.0 <= self.alpha <= 1.0:
            raise ValueError(f"PooledCRPS.alpha must be in [0, 1], got {self.alpha}")

    def needs(self) -> tuple[Statistic, ...]:
        return (PooledPairs(scales=self.scales),)

    def rows(self, sums: Sums) -> list[Row]:
        found = sums[PooledPairs(scales=self.scales)]
        prefix = "crps_pooled" if self.estimator == "fair" else f"crps_pooled_{self.estimator}"

        def rows(index: int) -> list[Row]:
            def value(total: Total) -> np.ndarray:
                score = total(found["skill"][..., index])
                if sums.members > 1:
                    score = score - pair_coefficient(sums.members, self.estimator, alpha=self.alpha) * total(found["pairs"][..., index])
                return ratio(score, total(found["weight"][..., index]))

            return sums.rows(f"{prefix}_{label(self.scales[index])}", value)

        return [row for index in range(len(self.scales)) for row in rows(index)]
