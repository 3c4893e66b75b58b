"""How many members exceed a threshold when the truth does, and when it does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import ClassVar, Literal

import numpy as np

from wxexp.interfaces import Opened
from wxexp.interfaces.scoring import Reducer, Statistic
from wxexp.statistics.cells import check_numbers, label, scored, select
from wxexp.statistics.point import NO_FIT, taken

Of = Literal["values", "climatology"]


class Exceedances(Statistic):
    """`table` [G, threshold, M + 1, 2]: Σw of the cells in which k of M members exceed, by k and by whether the truth does (no, yes).

    To exceed is x > threshold, both in float32 and in the units of the variable. Brier scores, their decomposition, reliability diagrams
    and ROC curves are all made from it (Wilks 2019, section 9.4). A NaN member of a scored cell makes the table of its groups NaN.

    Of the "climatology", thresholds are quantiles of each cell's true values at the training times, all seasons and leads together. They
    keep a score from rewarding a forecast for knowing that some places are warmer than others (Hamill and Juras 2006).
    """

    scope: ClassVar[Literal["point", "field"]] = "point"
    dims: ClassVar[Mapping[str, tuple[str, ...]]] = {"table": ("threshold", "exceeding", "event")}
    thresholds: tuple[float, ...]
    of: Of = "values"

    def __post_init__(self) -> None:
        check_thresholds("Exceedances.thresholds", self.thresholds, self.of)

    def fit(self, opened: Opened) -> Mapping[str, np.ndarray]:
        """`thresholds` [variable, threshold, *S] of the climatology; holds the training truth of one variable in memory."""
        if self.of == "values":
            return {}
        found = [_quantiles(opened, name, self.thresholds) for name in opened.codec.targets]
        return {"thresholds": np.stack(found)}

    def reducer(self, fitted: Mapping[str, np.ndarray], *, time: str = "", hours: float = 0.0) -> Reducer:
        return partial(self._reduce, fitted["thresholds"]) if fitted else self.reduce

    def reduce(self, truth: np.ndarray, members: np.ndarray, weights: np.ndarray) -> Mapping[str, np.ndarray]:
        if self.of == "climatology":
            raise ValueError("quantiles of the climatology are known from training times, which there are not here; give values instead")
        return self._reduce(np.asarray(self.thresholds), truth, members, weights)

    def _reduce(self, thresholds: np.ndarray, truth: np.ndarray, members: np.ndarray, weights: np.ndarray) -> Mapping[str, np.ndarray]:
        return {"table": exceedance_table(truth, members, weights, thresholds)}

    def cells(
        self, truth: np.ndarray, members: np.ndarray, at: np.ndarray, fitted: Mapping[str, np.ndarray] = NO_FIT
    ) -> Mapping[str, np.ndarray]:
        y, x = taken(truth, members, at)
        table = np.zeros((len(at), len(self.thresholds), len(x) + 1, 2))
        limits = fitted["thresholds"].reshape(len(self.thresholds), -1)[:, at] if fitted else np.asarray(self.thresholds)
        for t, limit in enumerate(limits.astype(np.float32)):
            table[np.arange(len(at)), t, (x > limit).sum(axis=0), (y > limit).astype(np.int64)] = ~np.isnan(limit)
        table[np.isnan(x).any(axis=0)] = np.nan
        return {"table": table}


def check_thresholds(name: str, values: Sequence[float], of: Of) -> None:
    """Raises ValueError unless they are different values, or quantile levels in (0, 1)."""
    check_numbers(name, values, *((0.0, 1.0) if of == "climatology" else ()))


def threshold_label(value: float, of: Of) -> str:
    """`5` for a value, `q0.9` for a quantile of the climatology."""
    return ("q" if of == "climatology" else "") + label(value)


def _quantiles(opened: Opened, name: str, levels: Sequence[float]) -> np.ndarray:
    """[level, *S] of the truth at training times; NaN where there is none."""
    truths = (opened.truth(item) for item in opened.items("train"))
    fields = np.concatenate([np.reshape(truth[name].values, (-1, *opened.grid.shape)) for truth in truths if truth is not None])
    out = np.full((len(levels), *opened.grid.shape), np.nan, dtype=np.float32)
    known = ~np.isnan(fields).all(axis=0)
    out[:, known] = np.nanquantile(fields[:, known], levels, axis=0)
    return out


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
