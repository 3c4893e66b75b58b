"""The logarithmic score of the probability that a threshold is exceeded."""

from __future__ import annotations

import numpy as np

from wxexp.interfaces import Metric, Row, Statistic, Sums, Total
from wxexp.metrics.ratio import ratio
from wxexp.statistics import Exceedances
from wxexp.statistics.cells import check_numbers, label


class Ignorance(Metric):
    """Mean −ln p of what happened, with p = (k + ½)/(M + 1) for an event (Roulston and Smith 2002), in nats; smaller is better.

    k of M members exceed the threshold; the ½ keeps p off 0 and 1, where no finite ensemble can be. The rows are `ignorance_5` for a
    threshold of 5, in the units of each variable. A deterministic source has p = ¼ or ¾ and so no fair comparison: it has no row.
    """

    thresholds: tuple[float, ...]

    def __post_init__(self) -> None:
        check_numbers("Ignorance.thresholds", self.thresholds)

    def needs(self) -> tuple[Statistic, ...]:
        return (Exceedances(thresholds=self.thresholds),)

    def rows(self, sums: Sums) -> list[Row]:
        if sums.members == 1:
            return []
        tables = sums[Exceedances(thresholds=self.thresholds)]["table"]
        p = (np.arange(sums.members + 1) + 0.5) / (sums.members + 1)
        surprise = -np.log(np.stack([1 - p, p], axis=-1))

        def rows(index: int) -> list[Row]:
            def value(total: Total) -> np.ndarray:
                table = total(tables[..., index, :, :])
                return ratio((table * surprise).sum(axis=(-2, -1)), table.sum(axis=(-2, -1)))

            return sums.rows(f"ignorance_{label(self.thresholds[index])}", value, units="1")

        return [row for index in range(len(self.thresholds)) for row in rows(index)]
