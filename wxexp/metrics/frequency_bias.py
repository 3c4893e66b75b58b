"""Whether events are as frequent as they should be."""

from __future__ import annotations

import numpy as np

from wxexp.interfaces import Metric, Row, Statistic, Sums, Total
from wxexp.metrics.ratio import ratio
from wxexp.statistics import Exceedances
from wxexp.statistics.cells import check_numbers, label


class FrequencyBias(Metric):
    """How often members exceed a threshold over how often the truth does: Σ w k/M / Σ w o (Wilks 2019, section 9.2), 1 where unbiased.

    The rows are `frequency_bias_5` for a threshold of 5, in the units of each variable. A ratio of sums over all cells and cases, so
    that dry cases are finite; NaN, and not infinite, where the truth never exceeds the threshold.
    """

    thresholds: tuple[float, ...]

    def __post_init__(self) -> None:
        check_numbers("FrequencyBias.thresholds", self.thresholds)

    def needs(self) -> tuple[Statistic, ...]:
        return (Exceedances(thresholds=self.thresholds),)

    def rows(self, sums: Sums) -> list[Row]:
        tables = sums[Exceedances(thresholds=self.thresholds)]["table"]
        p = np.arange(sums.members + 1) / sums.members

        def rows(index: int) -> list[Row]:
            def value(total: Total) -> np.ndarray:
                table = total(tables[..., index, :, :])
                events = table[..., 1].sum(axis=-1)
                return ratio(table.sum(axis=-1) @ p, np.where(events == 0, np.nan, events))

            return sums.rows(f"frequency_bias_{label(self.thresholds[index])}", value, units="1")

        return [row for index in range(len(self.thresholds)) for row in rows(index)]
