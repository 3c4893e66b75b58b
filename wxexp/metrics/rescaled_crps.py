"""The CRPS with distances that count in one tail only."""

from __future__ import annotations

import math

from wxexp.interfaces import Metric, Row, Statistic, Sums
from wxexp.metrics.pair_score import pair_score
from wxexp.statistics import RescaledPairs
from wxexp.statistics.cells import check_numbers, label
from wxexp.statistics.crps import Estimator
from wxexp.statistics.tail import Tail


class RescaledCRPS(Metric):
    """vrCRPS, the vertically re-scaled CRPS of the tail v(x) = 1[x ≥ t], about a centre c (Allen et al. 2023).

        E|X − y| v(X) v(y) − ½ E|X − X'| v(X) v(X') + (E|X − c| v(X) − |y − c| v(y)) (E v(X) − v(y))

    The rows are `vrcrps_5` for a threshold of 5, in the units of the variable, which are those of threshold and centre; with
    `tail="lower"`, of x ≤ t, `vrcrps_below_5`. With the centre at the threshold it is the threshold-weighted CRPS; the farther the centre,
    the more it costs to be on the wrong side. Estimators, their suffix (`vrcrps_biased_5`) and what a deterministic source has are those
    of `CRPS`.
    """

    thresholds: tuple[float, ...]
    tail: Tail = "upper"
    centre: float = 0.0
    estimator: Estimator = "fair"
    alpha: float = 0.95

    def __post_init__(self) -> None:
        check_numbers("RescaledCRPS.thresholds", self.thresholds)
        if not math.isfinite(self.centre):
            raise ValueError(f"RescaledCRPS.centre must be finite, got {self.centre}")
        if not 0.0 <= self.alpha <= 1.0:
            raise ValueError(f"RescaledCRPS.alpha must be in [0, 1], got {self.alpha}")

    def _statistic(self) -> RescaledPairs:
        return RescaledPairs(thresholds=self.thresholds, tail=self.tail, centre=self.centre)

    def needs(self) -> tuple[Statistic, ...]:
        return (self._statistic(),)

    def rows(self, sums: Sums) -> list[Row]:
        found = sums[self._statistic()]
        prefix = "vrcrps" + ("_below" if self.tail == "lower" else "") + ("" if self.estimator == "fair" else f"_{self.estimator}")

        def rows(index: int) -> list[Row]:
            value = pair_score(found, sums.members, index, estimator=self.estimator, alpha=self.alpha)
            return sums.rows(f"{prefix}_{label(self.thresholds[index])}", value)

        return [row for index in range(len(self.thresholds)) for row in rows(index)]
