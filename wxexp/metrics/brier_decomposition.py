"""Why a Brier score is what it is."""

from __future__ import annotations

import numpy as np

from wxexp.interfaces import Metric, Row, Statistic, Sums, Total
from wxexp.metrics.ratio import ratio
from wxexp.statistics import Exceedances
from wxexp.statistics.exceedances import Of, check_thresholds, threshold_label


class BrierDecomposition(Metric):
    """Reliability − resolution + uncertainty = the biased Brier score, exactly (Murphy 1973), with a bin for each of p = k/M.

    For a threshold of 5, `brier_reliability_5` = Σ n_k (k/M − ō_k)² / N (0 is best), `brier_resolution_5` = Σ n_k (ō_k − ō)² / N (larger
    is better) and `brier_uncertainty_5` = ō (1 − ō), where n_k is the weight of the cells in which k members exceed the threshold, ō_k
    the share of it in which the truth does, and ō that of all cells. Few cases raise the first two alike (Bröcker 2012).
    """

    thresholds: tuple[float, ...]
    of: Of = "values"
    """What thresholds are: values, or quantiles of the climatology of each cell: rows are then called `…_q0.9`."""

    def __post_init__(self) -> None:
        check_thresholds("BrierDecomposition.thresholds", self.thresholds, self.of)

    def needs(self) -> tuple[Statistic, ...]:
        return (Exceedances(thresholds=self.thresholds, of=self.of),)

    def rows(self, sums: Sums) -> list[Row]:
        tables = sums[Exceedances(thresholds=self.thresholds, of=self.of)]["table"]
        p = np.arange(sums.members + 1) / sums.members

        def rows(part: str, index: int) -> list[Row]:
            def value(total: Total) -> np.ndarray:
                table = total(tables[..., index, :, :])
                weight, events = table.sum(axis=-1), table[..., 1]
                number = weight.sum(axis=-1)
                base = ratio(events.sum(axis=-1), number)
                if part == "uncertainty":
                    return np.asarray(base * (1 - base))
                share = np.where(weight == 0, 0.0, ratio(events, weight))
                against = p if part == "reliability" else base[..., None]
                return ratio((weight * (share - against) ** 2).sum(axis=-1), number)

            return sums.rows(f"brier_{part}_{threshold_label(self.thresholds[index], self.of)}", value, units="1")

        parts = ("reliability", "resolution", "uncertainty")
        return [row for index in range(len(self.thresholds)) for part in parts for row in rows(part, index)]
