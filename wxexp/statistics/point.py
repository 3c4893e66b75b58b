"""Statistics of single cells, all taken from one pass of the fused kernel."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np

from wxexp.interfaces.scoring import Statistic

COLUMNS = ("weight", "missing", "skill", "pairs", "error", "absolute", "square", "variance")
"""Of `PointSums`: Σw, cells with weight but without truth, then Σw times the quantity of a cell."""

CELL_COLUMNS = ("count", "skill", "pairs", "error", "absolute", "square", "variance")
"""Of the sums over cases of every cell."""


@dataclasses.dataclass(frozen=True)
class PointSums:
    """What the kernel gives for one case.

    Attributes:
        columns: float64 [G, len(COLUMNS)].
        ranks: Σw per rank of the truth, 0 (below all members) to M, float64 [G, M + 1]; ties split equally.
    """

    columns: np.ndarray
    ranks: np.ndarray

    def pick(self, *names: str) -> dict[str, np.ndarray]:
        """Columns by name, each [G]."""
        return {name: self.columns[:, COLUMNS.index(name)] for name in names}


def point_sums(truth: np.ndarray, members: np.ndarray, weights: np.ndarray, cells: np.ndarray | None = None) -> PointSums:
    """See `wxexp.statistics.kernel.point_sums`."""
    from wxexp.statistics import kernel  # here: whoever only names statistics in an experiment does not wait for numba

    return kernel.point_sums(truth, members, weights, cells)


class Point(Statistic):
    """A statistic that is part of what the fused kernel computes."""

    scope: ClassVar[Literal["point", "field"]] = "point"

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

    def of(self, sums: PointSums) -> Mapping[str, np.ndarray]:
        return {**sums.pick("weight"), "ranks": sums.ranks}
