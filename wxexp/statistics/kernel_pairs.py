"""What the Gaussian kernel score is made from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np

from wxexp.interfaces.scoring import Statistic
from wxexp.statistics.cells import check_numbers, select
from wxexp.statistics.point import NO_FIT, taken

CELLS = 4096
"""At a time, so that only a block of residuals is held in float64."""


class KernelPairs(Statistic):
    """`Pairs` of the distance ρ(a, b) = 1 − exp(−(a − b)² / 2h²), for `bandwidths` h in the units of the variable.

    Sums: `skill` Σw 1/M Σ ρ(x_i, y) and `pairs` Σw Σ_{i<j} ρ(x_i, x_j), [G, bandwidth], with `weight` Σw [G]. There is no sorted form:
    the time goes with M², the memory with M. Of truth that is NaN nothing is counted, a NaN member propagates.
    """

    scope: ClassVar[Literal["point", "field"]] = "point"
    dims: ClassVar[Mapping[str, tuple[str, ...]]] = {"skill": ("bandwidth",), "pairs": ("bandwidth",)}
    bandwidths: tuple[float, ...]

    def __post_init__(self) -> None:
        check_numbers("KernelPairs.bandwidths", self.bandwidths, 0.0)

    def reduce(self, truth: np.ndarray, members: np.ndarray, weights: np.ndarray) -> Mapping[str, np.ndarray]:
        y, x, w = select(truth, members, weights)
        out = {name: np.zeros((len(w), len(self.bandwidths))) for name in self.dims}
        for start in range(0, y.size, CELLS):
            cells = slice(start, start + CELLS)
            for b, bandwidth in enumerate(self.bandwidths):
                for name, values in zip(out, self._of(y[cells], x[:, cells], bandwidth), strict=True):
                    for g, weight in enumerate(w[:, cells]):
                        used = weight > 0
                        out[name][g, b] += values[used] @ weight[used]
        return {"weight": w.sum(axis=1), **out}

    def _of(self, y: np.ndarray, x: np.ndarray, bandwidth: float) -> tuple[np.ndarray, np.ndarray]:
        """1/M Σ ρ(x_i, y) and Σ_{i<j} ρ(x_i, x_j) of each cell."""
        residual = np.subtract(x, y, dtype=np.float64) / bandwidth
        pairs = np.zeros(y.shape)
        for lag in range(1, len(residual)):
            pairs += distance((residual[lag:] - residual[:-lag]) ** 2).sum(axis=0)
        return distance(residual**2).mean(axis=0), pairs

    def cells(
        self, truth: np.ndarray, members: np.ndarray, at: np.ndarray, fitted: Mapping[str, np.ndarray] = NO_FIT
    ) -> Mapping[str, np.ndarray]:
        y, x = taken(truth, members, at)
        skill, pairs = (np.stack(each, axis=-1) for each in zip(*(self._of(y, x, h) for h in self.bandwidths), strict=True))
        return {"weight": np.ones(len(at)), "skill": skill, "pairs": pairs}


def distance(square: np.ndarray) -> np.ndarray:
    """ρ = 1 − exp(−d²/2), to all digits of a small d²."""
    return np.asarray(-np.expm1(-0.5 * square))
