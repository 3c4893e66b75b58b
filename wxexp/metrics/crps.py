"""The continuous ranked probability score, over cases and cells."""

from __future__ import annotations

import numpy as np

from wxexp.interfaces import Metric, Row, Statistic, Sums, Total
from wxexp.metrics.ratio import ratio
from wxexp.statistics import Pairs
from wxexp.statistics.crps import Estimator, pair_coefficient


def mean_crps(sums: Sums, total: Total, estimator: Estimator, alpha: float) -> np.ndarray:
    """CRPS = (Σw·skill − c Σw·pairs) / Σw; of one member its absolute error, for any estimator."""
    pairs = sums[Pairs()]
    skill = total(pairs["skill"])
    if sums.members > 1:
        skill = skill - pair_coefficient(sums.members, estimator, alpha=alpha) * total(pairs["pairs"])
    return ratio(skill, total(pairs["weight"]))


class CRPS(Metric):
    """CRPS = E|X − y| − ½ E|X − X'| (Gneiting and Raftery 2007, eq. 21), in the units of the variable; smaller is better.

    "fair" (the row `crps`) estimates the score of the distribution that the members come from, whatever their number (Ferro 2014);
    "biased" (`crps_biased`) is that of the members as they are; "almost_fair" (`crps_almost_fair`) mixes them, `alpha` of the first
    (Lang et al. 2024). A deterministic source has no fair score: its row is its mean absolute error, which the CRPS of one member is.
    """

    estimator: Estimator = "fair"
    alpha: float = 0.95

    def __post_init__(self) -> None:
        if not 0.0 <= self.alpha <= 1.0:
            raise ValueError(f"CRPS.alpha must be in [0, 1], got {self.alpha}")

    def needs(self) -> tuple[Statistic, ...]:
        return (Pairs(),)

    def rows(self, sums: Sums) -> list[Row]:
        name = "crps" if self.estimator == "fair" else f"crps_{self.estimator}"
        return sums.rows(name, lambda total: mean_crps(sums, total, self.estimator, self.alpha))
