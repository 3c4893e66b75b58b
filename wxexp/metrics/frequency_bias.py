"""Whether events are as frequent as they should be."""

from __future__ import annotations

import numpy as np

from wxexp.interfaces import Metric, Row, Statistic, Sums, Total
from wxexp.metrics.ratio import ratio
from wxexp.statistics import Exceedances
from wxexp.statistics.exceedances import Of, check_thresholds, threshold_label


class FrequencyBias(Metric):
    """How often members exceed a threshold over how often the truth does: Σ w k/M / Σ w o (Wilks 2019, section 9.2), 1 where unbiased.

    The rows are `frequency_bias_5` for a threshold of 5, in the units of each variable. A ratio of sums over all cells and cases, so
    that dry cases are finite; NaN, and not infinite, where the truth never exceeds the threshold.
    """

    thresholds: tuple[float, ...]
    of: Of = "values"
    """What thresholds are: values, or quantiles of the climatology of each cell: rows are then called `…_q0.9`."""

    def __post_init__(self) -> None:
        check_thresholds("FrequencyBias.thresholds", self.thresholds, self.of)

    def needs(self) -> tuple[Statistic, ...]:
        return (Exceedances(thresholds=self.thresholds, of=self.of),)

    def rows(self, sums: Sums) -> list[Row]:
        tables = sums[Exceedances(thresholds=self.thresholds, of=self.of)]["table"]
        p = np.arange(sums.members + 1) / sums.members

        def rows(index: int) -> list[Row]:
            def value(total: Total) -> np.ndarray:
                table = total(tables[..., index, :, :])
                events = table[..., 1].sum(axis=-1)
                return ratio(table.sum(axis=-1) @ p, np.where(events == 0, np.nan, events))

            return sums.rows(f"frequency_bias_{threshold_label(self.thresholds[index], self.of)}", value, units="1")

        return [row for index in range(len(self.thresholds)) for row in rows(index)]
