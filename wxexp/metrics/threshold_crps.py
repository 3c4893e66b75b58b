"""The CRPS of one tail."""

from __future__ import annotations

from wxexp.interfaces import Metric, Row, Statistic, Sums
from wxexp.metrics.pair_score import pair_score
from wxexp.statistics import TailPairs
from wxexp.statistics.cells import check_numbers, label
from wxexp.statistics.crps import Estimator
from wxexp.statistics.tail import Tail


class ThresholdCRPS(Metric):
    """twCRPS = ∫ 1[z ≥ t] (F(z) − 1[y ≤ z])² dz, the CRPS of v(x) = max(x, t) and v(y) (Gneiting and Ranjan 2011; Allen et al. 2023).

    The rows are `twcrps_5` for a threshold of 5, in the units of the variable, which are those of the thresholds; with `tail="lower"`,
    of z ≤ t, `twcrps_below_5`. The two of a threshold add up to the CRPS. Estimators, their suffix (`twcrps_biased_5`) and what a
    deterministic source has are those of `CRPS`.
    """

    thresholds: tuple[float, ...]
    tail: Tail = "upper"
    estimator: Estimator = "fair"
    alpha: float = 0.95

    def __post_init__(self) -> None:
        check_numbers("ThresholdCRPS.thresholds", self.thresholds)
        if not 0.0 <= self.alpha <= 1.0:
            raise ValueError(f"ThresholdCRPS.alpha must be in [0, 1], got {self.alpha}")

    def _statistic(self) -> TailPairs:
        return TailPairs(thresholds=self.thresholds, tail=self.tail)

    def needs(self) -> tuple[Statistic, ...]:
        return (self._statistic(),)

    def rows(self, sums: Sums) -> list[Row]:
        found = sums[self._statistic()]
        prefix = "twcrps" + ("_below" if self.tail == "lower" else "") + ("" if self.estimator == "fair" else f"_{self.estimator}")

        def rows(index: int) -> list[Row]:
            value = pair_score(found, sums.members, index, estimator=self.estimator, alpha=self.alpha)
            return sums.rows(f"{prefix}_{label(self.thresholds[index])}", value)

        return [row for index in range(len(self.thresholds)) for row in rows(index)]
