"""Whether members are as rough as the truth."""

from __future__ import annotations

from typing import Literal

import numpy as np

from wxexp.interfaces import Metric, Row, Statistic, Sums, Total
from wxexp.metrics.ratio import ratio
from wxexp.statistics import Variogram
from wxexp.statistics.cells import label


class VariogramScore(Metric):
    """VS = mean (|y_i − y_j|^½ − 1/M Σ_m |x_mi − x_mj|^½)² over pairs of cells at a lag (Scheuerer and Hamill 2015, eq. 13, p = ½).

    The rows are `variogram_score_1` for pairs one cell apart along either dimension, in the units of the variable; smaller is better.
    "fair" takes off s²/M, what the sampling of M members adds to the square of their mean; "biased" (`variogram_score_biased_1`) does
    not. A deterministic source has the latter only: its row is biased. Constant errors are not seen.
    """

    lags: tuple[int, ...] = (1, 2, 4)
    estimator: Literal["fair", "biased"] = "fair"

    def __post_init__(self) -> None:
        if not self.lags or len(set(self.lags)) < len(self.lags) or min(self.lags) < 1:
            raise ValueError(f"VariogramScore.lags must be one or more different numbers of cells, at least 1, got {self.lags}")

    def needs(self) -> tuple[Statistic, ...]:
        return (Variogram(lags=self.lags),)

    def rows(self, sums: Sums) -> list[Row]:
        found = sums[Variogram(lags=self.lags)]
        prefix = "variogram_score" if self.estimator == "fair" else "variogram_score_biased"

        def rows(index: int) -> list[Row]:
            def value(total: Total) -> np.ndarray:
                square = total(found["square"][..., index])
                if self.estimator == "fair" and sums.members > 1:
                    square = square - total(found["variance"][..., index]) / sums.members
                return ratio(square, total(found["weight"][..., index]))

            return sums.rows(f"{prefix}_{label(self.lags[index])}", value)

        return [row for index in range(len(self.lags)) for row in rows(index)]
