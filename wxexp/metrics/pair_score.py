"""The value of every score that is half a distance between members taken from their distance to the truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from wxexp.interfaces import Total
from wxexp.metrics.ratio import ratio
from wxexp.statistics.crps import Estimator, pair_coefficient


def pair_score(
    found: Mapping[str, np.ndarray], members: int, index: int, *, estimator: Estimator, alpha: float
) -> Callable[[Total], np.ndarray]:
    """(skill − c pairs) / weight from totals, with the coefficient c of the estimator; of one member the skill, for any estimator.

    Args:
        found: sums `skill` and `pairs` [..., index] and `weight`.
        members: of the source.
        index: of the last dim.
        estimator: see `wxexp.statistics.crps`.
        alpha: share of the fair score in "almost_fair".
    """

    def value(total: Total) -> np.ndarray:
        score = total(found["skill"][..., index])
        if members > 1:
            score = score - pair_coefficient(members, estimator, alpha=alpha) * total(found["pairs"][..., index])
        return ratio(score, total(found["weight"]))

    return value
