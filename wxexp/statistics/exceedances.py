"""How many members exceed a threshold when the truth does, and when it does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np

from wxexp.interfaces.scoring import Statistic
from wxexp.statistics.cells import check_numbers, select


class Exceedances(Statistic):
    """`table` [G, threshold, M + 1, 2]: Σw of the cells in which k of M members exceed, by k and by whether the truth does (no, yes).

    To exceed is x > threshold, both in float32 and in the units of the variable. Brier scores, their decomposition, reliability diagrams
    and ROC curves are all made from it (Wilks 2019, section 9.4). A NaN member of a scored cell makes the table of its groups NaN.
    """

    scope: ClassVar[Literal["point", "field"]] = "point"
    dims: ClassVar[Mapping[str, tuple[str, ...]]] = {"table": ("threshold", "exceeding", "event")}
    thresholds: tuple[float, ...]

    def __post_init__(self) -> None:
        check_numbers("Exceedances.thresholds", self.thresholds)

    def reduce(self, truth: np.ndarray, members: np.ndarray, weights: np.ndarray) -> Mapping[str, np.ndarray]:
        y, x, w = select(truth, members, weights)
        table = np.zeros((len(w), len(self.thresholds), len(x) + 1, 2))
        for t, threshold in enumerate(np.asarray(self.thresholds, dtype=np.float32)):
            exceeding = np.zeros(y.shape, dtype=np.int64)
            for member in x:
                exceeding += member > threshold
            cell = 2 * exceeding + (y > threshold)
            for g, weight in enumerate(w):
                table[g, t] = np.bincount(cell, weights=weight, minlength=2 * len(x) + 2).reshape(-1, 2)
        lost = np.zeros(y.shape, dtype=bool)
        for member in x:
            lost |= np.isnan(member)
        table[(w[:, lost] > 0).any(axis=1)] = np.nan
        return {"table": table}
