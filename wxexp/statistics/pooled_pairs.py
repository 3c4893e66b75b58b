"""What the CRPS of fields pooled to coarser cells is made from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np

from wxexp.interfaces.scoring import Statistic
from wxexp.statistics.cells import scored


class PooledPairs(Statistic):
    """`Pairs` of means over blocks of n cells a side, n from `scales`: blocks begin at the first cell, the last ones may be smaller.

    Each block has the mean of its scored cells, weighted with the group's weights, and their sum W as its own weight. Sums [G, scale]:
    `weight` ΣW, `skill` ΣW 1/M Σ|X_i − Y| and `pairs` ΣW Σ_{i<j} |X_i − X_j|. A scale beyond the field is the mean of all of it. Cells
    whose truth is NaN are left out of truth and members alike; a NaN member of a scored cell propagates.
    """

    scope: ClassVar[Literal["point", "field"]] = "field"
    dims: ClassVar[Mapping[str, tuple[str, ...]]] = {name: ("scale",) for name in ("weight", "skill", "pairs")}
    scales: tuple[int, ...]

    def __post_init__(self) -> None:
        check_blocks("PooledPairs.scales", self.scales)

    def reduce(self, truth: np.ndarray, members: np.ndarray, weights: np.ndarray) -> Mapping[str, np.ndarray]:
        used = scored(truth, weights)
        out = {name: np.zeros((len(weights), len(self.scales))) for name in self.dims}
        rank = 2.0 * np.arange(len(members)) - (len(members) - 1)
        for g, weight in enumerate(weights):
            own = used & (weight > 0)
            w = np.where(own, weight, 0.0)
            for s, scale in enumerate(self.scales):
                total = _blocks(w, scale)
                some = total > 0
                total = total[some]
                # Of residuals, as pooling is linear: of the fields themselves the digits of one far from zero are lost.
                residual = np.stack(
                    [
                        _blocks(np.where(own, np.subtract(member, truth, dtype=np.float64), 0.0) * w, scale)[some] / total
                        for member in members
                    ]
                )
                out["weight"][g, s] = total.sum()
                out["skill"][g, s] = np.abs(residual).mean(axis=0) @ total
                out["pairs"][g, s] = (rank @ np.sort(residual, axis=0)) @ total
        return out


def check_blocks(name: str, scales: tuple[int, ...]) -> None:
    """Raises ValueError unless there is at least one scale and all are different and positive."""
    if not scales or len(set(scales)) < len(scales) or min(scales) < 1:
        raise ValueError(f"{name} must be one or more different numbers of cells, at least 1, got {scales}")


def _blocks(field: np.ndarray, scale: int) -> np.ndarray:
    """Sums over blocks of `scale` cells a side."""
    for axis, size in enumerate(field.shape):
        field = np.add.reduceat(field, np.arange(0, size, scale), axis=axis)
    return field
