"""Scores of the probability that a threshold is exceeded."""

from __future__ import annotations

from typing import Literal

import numpy as np

from wxexp.interfaces import Metric, Row, Statistic, Sums, Total
from wxexp.metrics.ratio import ratio
from wxexp.statistics import Exceedances
from wxexp.statistics.exceedances import Of, check_thresholds, threshold_label


class Brier(Metric):
    """Brier score mean (p − o)² of the probability p = k/M that `x > threshold`, o being 1 where the truth exceeds it (Brier 1950).

    "fair" (the rows `brier_5` for a threshold of 5) is that of infinitely many members, with p (1 − p) / (M − 1) taken off (Ferro 2014,
    eq. 3); "biased" (`brier_biased_5`) that of the M there are. Thresholds are in the units of each variable. A deterministic source has
    no fair score: its row is the share of cells in which it is wrong.
    """

    thresholds: tuple[float, ...]
    of: Of = "values"
    """What thresholds are: values, or quantiles of the climatology of each cell: rows are then called `…_q0.9`."""
    estimator: Literal["fair", "biased"] = "fair"

    def __post_init__(self) -> None:
        check_thresholds("Brier.thresholds", self.thresholds, self.of)

    def needs(self) -> tuple[Statistic, ...]:
        return (Exceedances(thresholds=self.thresholds, of=self.of),)

    def rows(self, sums: Sums) -> list[Row]:
        tables, members = sums[Exceedances(thresholds=self.thresholds, of=self.of)]["table"], sums.members
        p = np.arange(members + 1) / members
        less = p * (1 - p) / (members - 1) if self.estimator == "fair" and members > 1 else 0.0 * p
        error = np.stack([p**2, (1 - p) ** 2], axis=-1) - less[:, None]
        prefix = "brier" if self.estimator == "fair" else "brier_biased"

        def rows(index: int) -> list[Row]:
            def value(total: Total) -> np.ndarray:
                table = total(tables[..., index, :, :])
                return ratio((table * error).sum(axis=(-2, -1)), table.sum(axis=(-2, -1)))

            return sums.rows(f"{prefix}_{threshold_label(self.thresholds[index], self.of)}", value, units="1")

        return [row for index in range(len(self.thresholds)) for row in rows(index)]
