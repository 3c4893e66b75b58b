"""Histograms of truth and members on fixed bins, which add up over cases, tiles and workers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np

from wxexp.interfaces.scoring import Statistic
from wxexp.statistics.cells import select
from wxexp.statistics.point import NO_FIT, taken


class Bins(Statistic):
    """Σw of the truth and Σw/M of the members in `count` bins from `low` to `high`, in the units of the variable.

    Sums `truth` and `members`, [G, count + 2]: the first is what is below `low`, the last what is `high` or above; a bin has its lower
    edge. Spacing "linear" or "log" (of positive edges, for precipitation). Values are float32. Truth that is NaN is not counted, nor are
    the members there; a NaN member of a scored cell makes the sums of its groups NaN.
    """

    scope: ClassVar[Literal["point", "field"]] = "point"
    dims: ClassVar[Mapping[str, tuple[str, ...]]] = {"truth": ("bin",), "members": ("bin",)}
    low: float
    high: float
    count: int = 100
    spacing: Literal["linear", "log"] = "linear"

    def __post_init__(self) -> None:
        check_bins("Bins", self.low, self.high, self.count, self.spacing)

    def edges(self) -> np.ndarray:
        """float64 [count + 1]."""
        return edges(self.low, self.high, self.count, self.spacing)

    def reduce(self, truth: np.ndarray, members: np.ndarray, weights: np.ndarray) -> Mapping[str, np.ndarray]:
        y, x, w = select(truth, members, weights)
        limits = self.edges().astype(np.float32)  # as the fields are, so that a value that is an edge is on it
        length, out = self.count + 2, {name: np.zeros((len(w), self.count + 2)) for name in self.dims}
        for name, fields, share in (("truth", y[None], 1.0), ("members", x, 1.0 / len(x))):
            for field in fields:
                place = np.searchsorted(limits, field.astype(np.float32, copy=False), side="right")
                for g, weight in enumerate(w):
                    out[name][g] += share * np.bincount(place, weights=weight, minlength=length)
        lost = np.zeros(y.shape, dtype=bool)
        for member in x:
            lost |= np.isnan(member)
        for each in out.values():
            each[(w[:, lost] > 0).any(axis=1)] = np.nan
        return out

    def cells(
        self, truth: np.ndarray, members: np.ndarray, at: np.ndarray, fitted: Mapping[str, np.ndarray] = NO_FIT
    ) -> Mapping[str, np.ndarray]:
        y, x = taken(truth, members, at)
        limits, out = self.edges().astype(np.float32), {name: np.zeros((len(at), self.count + 2)) for name in self.dims}
        for name, fields in (("truth", y[None]), ("members", x)):
            for field in fields:
                out[name][np.arange(len(at)), np.searchsorted(limits, field.astype(np.float32, copy=False), side="right")] += 1 / len(
                    fields
                )
        for each in out.values():
            each[np.isnan(x).any(axis=0)] = np.nan
        return out


def check_bins(name: str, low: float, high: float, count: int, spacing: str) -> None:
    """Raises ValueError unless low < high are finite, positive where the spacing is "log", and there is at least one bin."""
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(f"{name}.low must be below {name}.high, both finite, got {low} and {high}")
    if spacing == "log" and low <= 0:
        raise ValueError(f"{name}.low must be positive for bins of log spacing, got {low}")
    if count < 1:
        raise ValueError(f"{name}.count must be at least 1, got {count}")


def edges(low: float, high: float, count: int, spacing: str) -> np.ndarray:
    """Edges of `count` bins, float64 [count + 1]; the first and last are exactly low and high."""
    return np.geomspace(low, high, count + 1) if spacing == "log" else np.linspace(low, high, count + 1)
