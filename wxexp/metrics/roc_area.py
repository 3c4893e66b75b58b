"""How well members tell events from other cases."""

from __future__ import annotations

import numpy as np

from wxexp.interfaces import Metric, Row, Statistic, Sums, Total
from wxexp.metrics.ratio import ratio
from wxexp.statistics import Exceedances
from wxexp.statistics.exceedances import Of, check_thresholds, threshold_label


class ROCArea(Metric):
    """Area under the relative operating characteristic, in the rows `roc_area_5` for a threshold of 5; 1 is perfect, ½ no skill.

    The curve joins the hit and false alarm rates of "at least k members exceed the threshold", k = 0 … M + 1, with straight lines; its
    area is the chance that an event has more members that exceed than a non-event, ties counted half (Mason and Graham 2002). It is
    blind to calibration. NaN without events, or with nothing else. A deterministic source has a curve of one point.
    """

    thresholds: tuple[float, ...]
    of: Of = "values"
    """What thresholds are: values, or quantiles of the climatology of each cell: rows are then called `…_q0.9`."""

    def __post_init__(self) -> None:
        check_thresholds("ROCArea.thresholds", self.thresholds, self.of)

    def needs(self) -> tuple[Statistic, ...]:
        return (Exceedances(thresholds=self.thresholds, of=self.of),)

    def rows(self, sums: Sums) -> list[Row]:
        tables = sums[Exceedances(thresholds=self.thresholds, of=self.of)]["table"]

        def rows(index: int) -> list[Row]:
            def value(total: Total) -> np.ndarray:
                table = total(tables[..., index, :, :])
                others, events = table[..., 0], table[..., 1]
                below = np.cumsum(others, axis=-1) - others / 2
                return ratio((events * below).sum(axis=-1), events.sum(axis=-1) * others.sum(axis=-1))

            return sums.rows(f"roc_area_{threshold_label(self.thresholds[index], self.of)}", value, units="1")

        return [row for index in range(len(self.thresholds)) for row in rows(index)]
