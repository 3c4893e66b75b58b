"""Scores of single quantiles."""

from __future__ import annotations

import numpy as np

from wxexp.interfaces import Metric, Row, Statistic, Sums, Total
from wxexp.metrics.ratio import ratio
from wxexp.statistics import Quantiles
from wxexp.statistics.cells import check_numbers, label


class QuantileScore(Metric):
    """QS_τ = mean (1[y < q] − τ)(q − y) of the members' quantile q at each level τ, `quantile_score_0.9` (Koenker and Bassett 1978).

    In the units of the variable; smaller is better. That of the median is half its mean absolute error. Of a deterministic source every
    quantile is its one value. Quantiles beyond 1/M or so say little of an ensemble of M.
    """

    levels: tuple[float, ...] = (0.1, 0.5, 0.9)

    def __post_init__(self) -> None:
        check_numbers("QuantileScore.levels", self.levels, 0.0, 1.0)

    def needs(self) -> tuple[Statistic, ...]:
        return (Quantiles(levels=self.levels),)

    def rows(self, sums: Sums) -> list[Row]:
        found = sums[Quantiles(levels=self.levels)]

        def rows(index: int) -> list[Row]:
            def value(total: Total) -> np.ndarray:
                return ratio(total(found["score"][..., index]), total(found["weight"]))

            return sums.rows(f"quantile_score_{label(self.levels[index])}", value)

        return [row for index in range(len(self.levels)) for row in rows(index)]
