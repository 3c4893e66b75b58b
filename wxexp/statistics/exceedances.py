"""How many members exceed a threshold when the truth does, and when it does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np

from wxexp.interfaces.scoring import Statistic
from wxexp.statistics.cells import check_numbers, scored, select


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
        return {"table": exceedance_table(truth, members, weights, np.asarray(self.thresholds))}


def exceedance_table(truth: np.ndarray, members: np.ndarray, weights: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """The table of `Exceedances`, of thresholds that are the same everywhere, [T], or of each cell, [T, *S], such as its quantiles.

    A cell whose threshold is NaN is not counted at that threshold.

    Raises:
        ValueError: for shapes that do not match.
    """
    if thresholds.shape[1:] not in ((), truth.shape):
        raise ValueError(f"thresholds must be [T] or [T, *S] for truth of shape {truth.shape}, got {thresholds.shape}")
    used = scored(truth, weights)
    y, x, w = select(truth, members, weights)
    table = np.zeros((len(w), len(thresholds), len(x) + 1, 2))
    for t, threshold in enumerate(thresholds.astype(np.float32)):
        limit = threshold[used] if threshold.ndim else threshold
        exceeding = np.zeros(y.shape, dtype=np.int64)
        for member in x:
            exceeding += member > limit
        cell = 2 * exceeding + (y > limit)
        for g, weight in enumerate(w):
            own = np.where(np.isnan(limit), 0.0, weight) if threshold.ndim else weight
            table[g, t] = np.bincount(cell, weights=own, minlength=2 * len(x) + 2).reshape(-1, 2)
    lost = np.zeros(y.shape, dtype=bool)
    for member in x:
        lost |= np.isnan(member)
    table[(w[:, lost] > 0).any(axis=1)] = np.nan
    return table
