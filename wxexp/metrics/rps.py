"""The score of a probability for each of several ordered classes."""

from __future__ import annotations

from typing import Literal

import numpy as np

from wxexp.interfaces import Metric, Row, Statistic, Sums, Total
from wxexp.metrics.ratio import ratio
from wxexp.statistics import Exceedances
from wxexp.statistics.cells import check_numbers


class RPS(Metric):
    """Ranked probability score Σ_t (F(t) − 1[y ≤ t])² over the thresholds t between classes, the sum of their Brier scores (Epstein 1969).

    "fair" (the row `rps`) is that of infinitely many members, with Σ_t F(t) (1 − F(t)) / (M − 1) taken off (Ferro 2014); "biased"
    (`rps_biased`) that of the M there are. Thresholds are in the units of each variable. Of a deterministic source it is the number of
    thresholds between it and the truth.
    """

    thresholds: tuple[float, ...]
    estimator: Literal["fair", "biased"] = "fair"

    def __post_init__(self) -> None:
        check_numbers("RPS.thresholds", self.thresholds)

    def needs(self) -> tuple[Statistic, ...]:
        return (Exceedances(thresholds=self.thresholds),)

    def rows(self, sums: Sums) -> list[Row]:
        tables, members = sums[Exceedances(thresholds=self.thresholds)]["table"], sums.members
        p = np.arange(members + 1) / members
        less = p * (1 - p) / (members - 1) if self.estimator == "fair" and members > 1 else 0.0 * p
        error = np.stack([p**2, (1 - p) ** 2], axis=-1) - less[:, None]

        def value(total: Total) -> np.ndarray:
            table = total(tables)
            return ratio((table * error).sum(axis=(-3, -2, -1)), table[..., 0, :, :].sum(axis=(-2, -1)))

        return sums.rows("rps" if self.estimator == "fair" else "rps_biased", value, units="1")
