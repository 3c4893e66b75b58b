"""Skill of the forecast over each baseline."""

from __future__ import annotations

import numpy as np

from wxexp.interfaces import Metric, Row, Statistic, Sums, Total
from wxexp.metrics.crps import mean_crps
from wxexp.metrics.ratio import ratio
from wxexp.statistics import Pairs
from wxexp.statistics.crps import Estimator


class CRPSS(Metric):
    """CRPSS = 1 − CRPS / CRPS_baseline, a row for each baseline, whose name is the row's source; 1 is perfect, 0 no better.

    The ratio is of means over all cases (Wilks 2019, chapter 9), bootstrapped as pairs; of a deterministic baseline the CRPS is its mean
    absolute error.
    """

    estimator: Estimator = "fair"
    alpha: float = 0.95

    def __post_init__(self) -> None:
        if not 0.0 <= self.alpha <= 1.0:
            raise ValueError(f"CRPSS.alpha must be in [0, 1], got {self.alpha}")

    def needs(self) -> tuple[Statistic, ...]:
        return (Pairs(),)

    def rows(self, sums: Sums) -> list[Row]:
        name = "crpss" if self.estimator == "fair" else f"crpss_{self.estimator}"

        def against(reference: Sums) -> list[Row]:
            def value(total: Total) -> np.ndarray:
                own, theirs = (mean_crps(each, total, self.estimator, self.alpha) for each in (sums, reference))
                return 1.0 - ratio(own, theirs)

            return sums.rows(name, value, source=reference.source, units="1")

        return [row for reference in sums.references.values() for row in against(reference)]
