"""Whether values of each class are as frequent as they should be."""

from __future__ import annotations

import numpy as np

from wxexp.interfaces import Metric, Row, Statistic, Sums, Total
from wxexp.metrics.ratio import ratio
from wxexp.statistics import Exceedances
from wxexp.statistics.cells import check_numbers, label

ROUNDING = 1e-13
"""Shares below are what is left of a difference of two sums that are equal."""


class EventRatio(Metric):
    """Share of the members in low < x ≤ high over that of the truth, 1 where equal, for the classes between neighbouring `edges`.

    The rows are `event_ratio_10_25` for edges 10 and 25 and `event_ratio_200` for what exceeds the last, in the units of each variable,
    with `event_frequency_10_25`, the share of the truth there. Sums over all cells and cases before the ratio; NaN, and not 0, where the
    truth has nothing in a class.
    """

    edges: tuple[float, ...]

    def __post_init__(self) -> None:
        check_numbers("EventRatio.edges", self.edges)
        if list(self.edges) != sorted(self.edges):
            raise ValueError(f"EventRatio.edges must increase, got {self.edges}")

    def needs(self) -> tuple[Statistic, ...]:
        return (Exceedances(thresholds=self.edges),)

    def rows(self, sums: Sums) -> list[Row]:
        tables = sums[Exceedances(thresholds=self.edges)]["table"]
        p = np.arange(sums.members + 1) / sums.members

        def inside(table: np.ndarray, index: int) -> tuple[np.ndarray, np.ndarray]:
            """Shares of members and of truth in the class above edge `index`, from tables [..., edge, M + 1, 2]."""
            number = table.sum(axis=(-2, -1))
            members, truth = ratio(table.sum(axis=-1) @ p, number), ratio(table[..., 1].sum(axis=-1), number)
            last = index + 1 == len(self.edges)
            own, theirs = (x[..., index] - (0.0 if last else x[..., index + 1]) for x in (members, truth))
            return own, np.where(np.abs(theirs) < ROUNDING, 0.0, theirs)

        def rows(index: int) -> list[Row]:
            def of_members(total: Total) -> np.ndarray:
                own, theirs = inside(total(tables), index)
                return np.where(theirs == 0, np.nan, ratio(own, theirs))

            def of_truth(total: Total) -> np.ndarray:
                return inside(total(tables), index)[1]

            name = "_".join(label(edge) for edge in self.edges[index : index + 2])
            return sums.rows(f"event_ratio_{name}", of_members, units="1") + sums.rows(f"event_frequency_{name}", of_truth, units="1")

        return [row for index in range(len(self.edges)) for row in rows(index)]
