"""The score of a median and several intervals at once."""

from __future__ import annotations

import numpy as np

from wxexp.interfaces import Metric, Row, Statistic, Sums, Total
from wxexp.metrics.interval_score import ends
from wxexp.metrics.ratio import ratio
from wxexp.statistics import Quantiles
from wxexp.statistics.cells import check_numbers

MEDIAN = Quantiles(levels=(0.5,))


class WeightedIntervalScore(Metric):
    """WIS = (½ |y − median| + Σ_k α_k/2 IS_k) / (K + ½) of K central intervals of levels 1 − α_k (Bracher et al. 2021, eq. 2).

    The row `weighted_interval_score`, in the units of the variable. Each term is the score of one quantile or of two, so that with many
    levels it nears the CRPS; quantiles of the members are those of `Quantiles`. A deterministic source has no row.
    """

    levels: tuple[float, ...] = (0.5, 0.8, 0.9)

    def __post_init__(self) -> None:
        check_numbers("WeightedIntervalScore.levels", self.levels, 0.0, 1.0)

    def needs(self) -> tuple[Statistic, ...]:
        return (MEDIAN, *(ends(level) for level in self.levels))

    def rows(self, sums: Sums) -> list[Row]:
        if sums.members == 1:
            return []
        found = [sums[statistic] for statistic in self.needs()]

        def value(total: Total) -> np.ndarray:
            score = sum(total(each["score"]).sum(axis=-1) for each in found)
            return ratio(np.asarray(score), total(found[0]["weight"])) / (len(self.levels) + 0.5)

        return sums.rows("weighted_interval_score", value)
