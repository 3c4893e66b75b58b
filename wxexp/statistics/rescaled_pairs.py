"""What the vertically re-scaled CRPS is made from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np

from wxexp.interfaces.scoring import Statistic
from wxexp.statistics.cells import check_numbers, select
from wxexp.statistics.point import NO_FIT, taken
from wxexp.statistics.tail import Tail, beyond
from wxexp.statistics.weighted_pairs import CELLS, inside_pairs


class RescaledPairs(Statistic):
    """`Pairs` of the distance ρ(x, x') = |x − x'| v v' + (|x − c| v − |x' − c| v')(v − v'), v = 1 in the tail of a threshold and 0 outside.

    The tail is x ≥ t ("upper") or x ≤ t ("lower"), compared in float32; thresholds and the centre c are in the units of the variable.
    Sums: `skill` Σw 1/M Σ ρ(x_i, y) and `pairs` Σw Σ_{i<j} ρ(x_i, x_j), [G, threshold], with `weight` Σw [G]; of truth that is NaN
    nothing is counted, a NaN member propagates.
    """

    scope: ClassVar[Literal["point", "field"]] = "point"
    dims: ClassVar[Mapping[str, tuple[str, ...]]] = {"skill": ("threshold",), "pairs": ("threshold",)}
    thresholds: tuple[float, ...]
    tail: Tail = "upper"
    centre: float = 0.0

    def __post_init__(self) -> None:
        check_numbers("RescaledPairs.thresholds", self.thresholds)
        if not math.isfinite(self.centre):
            raise ValueError(f"RescaledPairs.centre must be finite, got {self.centre}")

    def reduce(self, truth: np.ndarray, members: np.ndarray, weights: np.ndarray) -> Mapping[str, np.ndarray]:
        y, x, w = select(truth, members, weights)
        out = {name: np.zeros((len(w), len(self.thresholds))) for name in self.dims}
        for start in range(0, y.size, CELLS):
            cells = slice(start, start + CELLS)
            for t, threshold in enumerate(self.thresholds):
                for name, values in zip(("skill", "pairs"), self._of(y[cells], x[:, cells], threshold), strict=True):
                    for g, weight in enumerate(w[:, cells]):
                        used = weight > 0
                        out[name][g, t] += values[used] @ weight[used]
        return {"weight": w.sum(axis=1), **out}

    def _of(self, y: np.ndarray, x: np.ndarray, threshold: float) -> tuple[np.ndarray, np.ndarray]:
        """1/M Σ ρ(x_i, y) and Σ_{i<j} ρ(x_i, x_j) of each cell."""
        v, v_y = (beyond(field, threshold, self.tail) for field in (x, y))
        far, far_y = (np.abs(np.subtract(field, self.centre, dtype=np.float64)) * inside for field, inside in ((x, v), (y, v_y)))
        residual = np.subtract(x, y, dtype=np.float64)
        skill = (np.abs(residual) * v * v_y + (far - far_y) * (v.astype(np.float64) - v_y)).mean(axis=0)
        # Σ_{i<j} (a_i − a_j)(v_i − v_j) = M Σ a_i v_i − Σ a_i Σ v_i, and a v = a
        apart = far.sum(axis=0) * (len(x) - v.sum(axis=0))
        return skill, inside_pairs(residual, v) + apart

    def cells(
        self, truth: np.ndarray, members: np.ndarray, at: np.ndarray, fitted: Mapping[str, np.ndarray] = NO_FIT
    ) -> Mapping[str, np.ndarray]:
        y, x = taken(truth, members, at)
        skill, pairs = (np.stack(each, axis=-1) for each in zip(*(self._of(y, x, t) for t in self.thresholds), strict=True))
        return {"weight": np.ones(len(at)), "skill": skill, "pairs": pairs}
