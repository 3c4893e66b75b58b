"""Differences between cells at given lags, in truth and members."""

from __future__ import annotations

from collections.abc import Mapping
from types import EllipsisType
from typing import ClassVar, Literal

import numpy as np

from wxexp.interfaces.scoring import Statistic
from wxexp.statistics.cells import scored


class Variogram(Statistic):
    """Of the pairs of cells that are `lags` cells apart along a dimension: a = |y_i − y_j|^order, b_m = |x_mi − x_mj|^order.

    Sums [G, lag], over pairs of all dimensions, weighted with the mean w of the two weights: `square` Σ w (a − b̄)², `variance` Σ w s_b²
    (unbiased over members; NaN for one), `truth` Σ w a, `members` Σ w b̄ and `weight` Σ w. Both cells must have weight in the group and
    truth; pairs do not go round the globe. A NaN member of a scored cell propagates.
    """

    scope: ClassVar[Literal["point", "field"]] = "field"
    dims: ClassVar[Mapping[str, tuple[str, ...]]] = {name: ("lag",) for name in ("square", "variance", "truth", "members", "weight")}
    lags: tuple[int, ...]
    order: float = 0.5

    def __post_init__(self) -> None:
        if not self.lags or len(set(self.lags)) < len(self.lags) or min(self.lags) < 1:
            raise ValueError(f"Variogram.lags must be one or more different numbers of cells, at least 1, got {self.lags}")
        if not self.order > 0:
            raise ValueError(f"Variogram.order must be positive, got {self.order}")

    def reduce(self, truth: np.ndarray, members: np.ndarray, weights: np.ndarray) -> Mapping[str, np.ndarray]:
        w = np.where(scored(truth, weights), weights, 0.0)
        out = {name: np.zeros((len(w), len(self.lags))) for name in self.dims}
        for l, lag in enumerate(self.lags):
            for axis in range(-truth.ndim, 0):
                if lag >= truth.shape[axis]:
                    continue
                first, second = (_slices(axis, part) for part in (slice(None, -lag), slice(lag, None)))
                both = np.where((w[first] > 0) & (w[second] > 0), 0.5 * (w[first] + w[second]), 0.0)
                used = both.any(axis=0)
                with np.errstate(invalid="ignore"):  # of infinities in cells that are not used
                    a = np.abs(np.subtract(truth[first], truth[second], dtype=np.float64)[used]) ** self.order
                    b = np.abs(np.subtract(members[first], members[second], dtype=np.float64)[:, used]) ** self.order
                mean = b.mean(axis=0)
                variance = ((b - mean) ** 2).sum(axis=0) / (len(b) - 1) if len(b) > 1 else np.full_like(mean, np.nan)
                pairs = {"square": (a - mean) ** 2, "variance": variance, "truth": a, "members": mean, "weight": np.ones_like(a)}
                for g, weight in enumerate(both[:, used]):
                    in_group = weight > 0
                    for name, values in pairs.items():
                        out[name][g, l] += values[in_group] @ weight[in_group]
        return out


def _slices(axis: int, part: slice) -> tuple[slice | EllipsisType, ...]:
    """Of an array with any leading dims, `part` of a dimension counted from the last."""
    return (..., part, *[slice(None)] * (-axis - 1))
