"""The CRPS of whole fields."""

from __future__ import annotations

import numpy as np

from wxexp.interfaces import Metric, Row, Statistic, Sums, Total
from wxexp.metrics.ratio import ratio
from wxexp.statistics import FieldDistances
from wxexp.statistics.crps import Estimator, pair_coefficient


class EnergyScore(Metric):
    """ES = E‖X − y‖ − ½ E‖X − X'‖ of fields, a mean over cases (Gneiting and Raftery 2007, eq. 22), in the units of the variable.

    ‖·‖ is the area-weighted root mean square over the cells of a group, so that the score does not grow with their number. "fair" (the
    row `energy_score`) divides pairs by M (M − 1), "biased" (`energy_score_biased`) by M², "almost_fair" mixes them, `alpha` of the
    first. It sees the dependence between cells that the CRPS does not, though weakly (Pinson and Tastu 2013). A deterministic source has
    no fair score: its row is the mean over cases of the root mean square error of each.
    """

    estimator: Estimator = "fair"
    alpha: float = 0.95

    def __post_init__(self) -> None:
        if not 0.0 <= self.alpha <= 1.0:
            raise ValueError(f"EnergyScore.alpha must be in [0, 1], got {self.alpha}")

    def needs(self) -> tuple[Statistic, ...]:
        return (FieldDistances(),)

    def rows(self, sums: Sums) -> list[Row]:
        found = sums[FieldDistances()]

        def value(total: Total) -> np.ndarray:
            score = total(found["skill"])
            if sums.members > 1:
                score = score - pair_coefficient(sums.members, self.estimator, alpha=self.alpha) * total(found["pairs"])
            return ratio(score, total(found["count"]))

        return sums.rows("energy_score" if self.estimator == "fair" else f"energy_score_{self.estimator}", value)
