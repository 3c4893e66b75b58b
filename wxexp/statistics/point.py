"""Statistics of single cells, all taken from one pass of the fused kernel."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Literal

import numpy as np

from wxexp.interfaces.scoring import Statistic

COLUMNS = ("weight", "missing", "skill", "pairs", "error", "absolute", "square", "variance")
"""Of `PointSums`: Σw, cells with weight but without truth, then Σw times the quantity of a cell."""

CELL_COLUMNS = ("count", "skill", "pairs", "error", "absolute", "square", "variance")
"""Of the sums over cases of every cell."""

NO_FIT: Mapping[str, np.ndarray] = MappingProxyType({})
"""Of a statistic that knows nothing of training times."""


@dataclasses.dataclass(frozen=True)
class PointSums:
    """What the kernel gives for one case.

    Attributes:
        columns: float64 [G, len(COLUMNS)].
        ranks: Σw per rank of the truth, 0 (below all members) to M, float64 [G, M + 1]; ties split equally.
    """

    columns: np.ndarray
    ranks: np.ndarray

    @classmethod
    def of_cells(cls, total: np.ndarray) -> PointSums:
        """Of cells as groups, from their sums [len(CELL_COLUMNS), n], which have no ranks."""
        known = {**dict(zip(CELL_COLUMNS, total, strict=True)), "weight": total[0], "missing": np.zeros_like(total[0])}
        columns = np.stack([known[name] for name in COLUMNS], axis=1)
        return cls(columns, np.zeros((len(columns), 0)))

    def pick(self, *names: str) -> dict[str, np.ndarray]:
        """Columns by name, each [G]."""
        return {name: self.columns[:, COLUMNS.index(name)] for name in names}


def taken(truth: np.ndarray, members: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Truth [n] and members [M, n] at flat places, of fields [*S] and [M, *S]."""
    return truth.reshape(-1)[at], members.reshape(len(members), -1)[:, at]


def point_sums(truth: np.ndarray, members: np.ndarray, weights: np.ndarray, cells: np.ndarray | None = None) -> PointSums:
    """See `wxexp.statistics.kernel.point_sums`."""
    from wxexp.statistics import kernel  # here: whoever only names statistics in an experiment does not wait for numba

    return kernel.point_sums(truth, members, weights, cells)


class Point(Statistic):
    """A statistic that is part of what the fused kernel computes.

    Class attribute `in_cells`: the kernel's sums over cases of every cell have it too.
    """

    scope: ClassVar[Literal["point", "field"]] = "point"
    in_cells: ClassVar[bool] = True

    def of(self, sums: PointSums) -> Mapping[str, np.ndarray]:
        """Its own sums, from those of all."""
        raise NotImplementedError

    def reduce(self, truth: np.ndarray, members: np.ndarray, weights: np.ndarray) -> Mapping[str, np.ndarray]:
        return self.of(point_sums(truth, members, weights))


class Errors(Point):
    """Of the ensemble mean x̄: `error` Σw (x̄ − y), `absolute` Σw |x̄ − y|, `square` Σw (x̄ − y)².

    With `weight` Σw and `missing`, the number of cells that have weight and no truth.
    """

    def of(self, sums: PointSums) -> Mapping[str, np.ndarray]:
        return sums.pick("weight", "missing", "error", "absolute", "square")


class Pairs(Point):
    """What every estimator of the CRPS is made from: `skill` Σw 1/M Σ|x_i − y| and `pairs` Σw Σ_{i<j} |x_i − x_j|, with `weight` Σw."""

    def of(self, sums: PointSums) -> Mapping[str, np.ndarray]:
        return sums.pick("weight", "skill", "pairs")


class Moments(Point):
    """`variance` Σw s², unbiased (NaN for one member), and `square` Σw (x̄ − y)² of the mean, with `weight` Σw."""

    def of(self, sums: PointSums) -> Mapping[str, np.ndarray]:
        return sums.pick("weight", "variance", "square")


class Ranks(Point):
    """`ranks`: Σw of the cells in which the truth has rank 0 (below all members) to M, ties split equally; with `weight` Σw."""

    dims: ClassVar[Mapping[str, tuple[str, ...]]] = {"ranks": ("rank",)}
    in_cells: ClassVar[bool] = False

    def of(self, sums: PointSums) -> Mapping[str, np.ndarray]:
        return {**sums.pick("weight"), "ranks": sums.ranks}

    def cells(
        self, truth: np.ndarray, members: np.ndarray, at: np.ndarray, fitted: Mapping[str, np.ndarray] = NO_FIT
    ) -> Mapping[str, np.ndarray]:
        y, x = taken(truth, members, at)
        below, through = (x < y).sum(axis=0), (x <= y).sum(axis=0)
        place = np.arange(len(x) + 1)[None]
        inside = (place >= below[:, None]) & (place <= through[:, None])
        ranks = inside / (through - below + 1.0)[:, None]
        ranks[np.isnan(x).any(axis=0)] = np.nan
        return {"weight": np.ones(len(at)), "ranks": ranks}
