"""Scores of central intervals."""

from __future__ import annotations

import numpy as np

from wxexp.interfaces import Metric, Row, Statistic, Sums, Total
from wxexp.metrics.ratio import ratio
from wxexp.statistics import Quantiles
from wxexp.statistics.cells import check_numbers, label


class IntervalScore(Metric):
    """IS = mean (u − l) + 2/α (l − y)₊ + 2/α (y − u)₊ of the interval between the quantiles α/2 and 1 − α/2, α = 1 − its level.

    The rows are `interval_score_0.8` (Gneiting and Raftery 2007, eq. 43) and `interval_width_0.8`, mean u − l, in the units of the
    variable. It is 2/α times the sum of the scores of the two quantiles. A deterministic source has no row.
    """

    levels: tuple[float, ...] = (0.8,)

    def __post_init__(self) -> None:
        check_numbers("IntervalScore.levels", self.levels, 0.0, 1.0)

    def needs(self) -> tuple[Statistic, ...]:
        return tuple(ends(level) for level in self.levels)

    def rows(self, sums: Sums) -> list[Row]:
        if sums.members == 1:
            return []

        def rows(level: float) -> list[Row]:
            found = sums[ends(level)]

            def score(total: Total) -> np.ndarray:
                return 2.0 / (1.0 - level) * ratio(total(found["score"]).sum(axis=-1), total(found["weight"]))

            def width(total: Total) -> np.ndarray:
                return ratio(total(found["value"][..., 1] - found["value"][..., 0]), total(found["weight"]))

            return [
                *sums.rows(f"interval_score_{label(level)}", score),
                *sums.rows(f"interval_width_{label(level)}", width),
            ]

        return [row for level in self.levels for row in rows(level)]


def ends(level: float) -> Quantiles:
    """The two quantiles between which the central interval of a level lies; free of the rounding of 1 − level, as 0.8 has 0.1 and 0.9."""
    return Quantiles(levels=(round((1.0 - level) / 2.0, 12), round((1.0 + level) / 2.0, 12)))
