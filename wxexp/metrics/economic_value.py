"""What a forecast is worth to those who can protect themselves."""

from __future__ import annotations

import numpy as np

from wxexp.interfaces import Metric, Row, Statistic, Sums, Total
from wxexp.statistics import Exceedances
from wxexp.statistics.cells import check_numbers, label
from wxexp.statistics.exceedances import Of, check_thresholds, threshold_label
from wxexp.statistics.reliability import economic_value


class EconomicValue(Metric):
    """Relative economic value V of acting where at least k members exceed a threshold, with each user's best k (Richardson 2000, eq. 8).

        V = (min(α, s) − F α (1 − s) + H s (1 − α) − s) / (min(α, s) − s α)

    where α is the user's cost of protection over the loss it prevents, s how often the event occurs, H and F the hit and false alarm
    rates: 1 for a perfect forecast, 0 for knowing s only, which never acting or always acting reach, so it is never negative. The rows are
    `economic_value_5_0.1` for a threshold of 5, in the units of each variable, and α = 0.1. NaN without events, or with nothing else.
    """

    thresholds: tuple[float, ...]
    of: Of = "values"
    """What thresholds are: values, or quantiles of the climatology of each cell: rows are then called `…_q0.9`."""
    costs: tuple[float, ...] = (0.05, 0.1, 0.2, 0.5)

    def __post_init__(self) -> None:
        check_thresholds("EconomicValue.thresholds", self.thresholds, self.of)
        check_numbers("EconomicValue.costs", self.costs, 0.0, 1.0)

    def needs(self) -> tuple[Statistic, ...]:
        return (Exceedances(thresholds=self.thresholds, of=self.of),)

    def rows(self, sums: Sums) -> list[Row]:
        tables = sums[Exceedances(thresholds=self.thresholds, of=self.of)]["table"]

        def rows(index: int, cost: float) -> list[Row]:
            def value(total: Total) -> np.ndarray:
                return economic_value(total(tables[..., index, :, :]), [cost])[..., 0]

            return sums.rows(f"economic_value_{threshold_label(self.thresholds[index], self.of)}_{label(cost)}", value, units="1")

        return [row for index in range(len(self.thresholds)) for cost in self.costs for row in rows(index, cost)]
