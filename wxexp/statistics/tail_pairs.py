"""What the threshold-weighted CRPS is made from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np

from wxexp.interfaces.scoring import Statistic
from wxexp.statistics.cells import check_numbers
from wxexp.statistics.point import CELL_COLUMNS, NO_FIT, PointSums, point_sums, taken


class TailPairs(Statistic):
    """`Pairs` of the fields cut off at each threshold t: v(x) = max(x, t) for the "upper" tail, min(x, t) for the "lower" one.

    Sums: `skill` Σw 1/M Σ|v(x_i) − v(y)| and `pairs` Σw Σ_{i<j} |v(x_i) − v(x_j)|, [G, threshold], with `weight` Σw [G]; of truth that
    is NaN nothing is counted, a NaN member propagates. Thresholds are in the units of the variable.
    """

    scope: ClassVar[Literal["point", "field"]] = "point"
    dims: ClassVar[Mapping[str, tuple[str, ...]]] = {"skill": ("threshold",), "pairs": ("threshold",)}
    thresholds: tuple[float, ...]
    tail: Literal["upper", "lower"] = "upper"

    def __post_init__(self) -> None:
        check_numbers("TailPairs.thresholds", self.thresholds)

    def reduce(self, truth: np.ndarray, members: np.ndarray, weights: np.ndarray) -> Mapping[str, np.ndarray]:
        cut = np.maximum if self.tail == "upper" else np.minimum  # both keep NaN
        found = [point_sums(cut(truth, t), cut(members, t), weights).pick("weight", "skill", "pairs") for t in self.thresholds]
        return {"weight": found[0]["weight"], **{name: np.stack([each[name] for each in found], axis=-1) for name in ("skill", "pairs")}}

    def cells(
        self, truth: np.ndarray, members: np.ndarray, at: np.ndarray, fitted: Mapping[str, np.ndarray] = NO_FIT
    ) -> Mapping[str, np.ndarray]:
        y, x = taken(truth, members, at)
        cut, out = np.maximum if self.tail == "upper" else np.minimum, []
        for t in self.thresholds:
            total = np.zeros((len(CELL_COLUMNS), len(at)))
            point_sums(cut(y, t), cut(x, t), np.ones((1, len(at))), total)
            out.append(PointSums.of_cells(total).pick("weight", "skill", "pairs"))
        return {"weight": out[0]["weight"], **{name: np.stack([each[name] for each in out], axis=-1) for name in ("skill", "pairs")}}
