"""The error of the ensemble mean where the spread is small, and where it is large."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np

from wxexp.interfaces.scoring import Statistic
from wxexp.statistics.cells import select
from wxexp.statistics.point import NO_FIT, taken

CELLS = 4096
"""At a time, so that only a block of residuals is held in float64."""

EDGES = tuple(2.0 ** (i / 4) for i in range(-80, 81))
"""Of the spread, where none are given: four to the octave from 1e-6 to 1e6 in any units, so that bins of all runs add up."""


class SpreadBins(Statistic):
    """Σw, Σw s² and Σw e² of the cells whose spread s is below the first edge, between two (the lower one included), or above the last.

    Sums `weight`, `variance` and `square`, [G, edges + 1]; s is the unbiased standard deviation of the members and e the error of their
    mean. Truth that is NaN is not counted; a NaN member of a scored cell makes all sums of its groups NaN, and so does a single member.
    """

    scope: ClassVar[Literal["point", "field"]] = "point"
    dims: ClassVar[Mapping[str, tuple[str, ...]]] = {name: ("spread",) for name in ("weight", "variance", "square")}
    edges: tuple[float, ...] | None = None
    """In the units of the variable, increasing; None: `EDGES`."""

    def __post_init__(self) -> None:
        if self.edges is not None and (not self.edges or not all(map(math.isfinite, self.edges)) or (np.diff(self.edges) <= 0).any()):
            raise ValueError(f"SpreadBins.edges must be one or more increasing numbers, got {self.edges}")

    def reduce(self, truth: np.ndarray, members: np.ndarray, weights: np.ndarray) -> Mapping[str, np.ndarray]:
        y, x, w = select(truth, members, weights)
        edges = np.asarray(EDGES if self.edges is None else self.edges)
        length = len(edges) + 1
        out = {name: np.zeros((len(w), length)) for name in self.dims}
        if len(x) == 1:
            return {name: np.full_like(each, np.nan) for name, each in out.items()}
        for start in range(0, y.size, CELLS):
            cells = slice(start, start + CELLS)
            which, variance, square = self._of(y[cells], x[:, cells])
            for g, weight in enumerate(w[:, cells]):
                for name, values in (("weight", np.ones_like(square)), ("variance", variance), ("square", square)):
                    out[name][g] += np.bincount(which, weights=np.where(weight > 0, weight * values, 0.0), minlength=length)
                if np.isnan(variance[weight > 0]).any():
                    for each in out.values():
                        each[g] = np.nan
        return out

    def _of(self, truth: np.ndarray, members: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of each cell: its bin, s² and e²."""
        residual = np.subtract(members, truth, dtype=np.float64)
        variance, square = residual.var(axis=0, ddof=1), residual.mean(axis=0) ** 2
        return np.searchsorted(np.asarray(EDGES if self.edges is None else self.edges), np.sqrt(variance), side="right"), variance, square

    def cells(
        self, truth: np.ndarray, members: np.ndarray, at: np.ndarray, fitted: Mapping[str, np.ndarray] = NO_FIT
    ) -> Mapping[str, np.ndarray]:
        y, x = taken(truth, members, at)
        length = len(EDGES if self.edges is None else self.edges) + 1
        if len(x) == 1:
            return {name: np.full((len(at), length), np.nan) for name in self.dims}
        which, variance, square = self._of(y, x)
        out = {name: np.zeros((len(at), length)) for name in self.dims}
        for name, values in (("weight", 1.0), ("variance", variance), ("square", square)):
            out[name][np.arange(len(at)), which] = values
            out[name][np.isnan(variance)] = np.nan
        return out


def merged(weight: np.ndarray, *others: np.ndarray, bins: int) -> list[np.ndarray]:
    """Neighbouring bins put together into `bins` of about equal weight: [..., n] -> [..., bins] of the weight and of each other sum.

    A bin goes where the middle of its weight lies; NaN stays NaN.
    """
    with np.errstate(invalid="ignore"):
        middle = (np.cumsum(weight, axis=-1) - weight / 2) / weight.sum(axis=-1, keepdims=True)
        place = np.minimum(np.floor(middle * bins), bins - 1)
    lost = np.isnan(place).all(axis=-1)[..., None]
    found = [np.stack([np.where(place == b, x, 0.0).sum(axis=-1) for b in range(bins)], axis=-1) for x in (weight, *others)]
    return [np.where(lost, np.nan, x) for x in found]
