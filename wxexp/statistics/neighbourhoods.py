"""Fractions of neighbourhoods that exceed a threshold, in truth and ensemble."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np

from wxexp.interfaces.scoring import Statistic
from wxexp.statistics.cells import check_numbers, scored


class Neighbourhoods(Statistic):
    """Of squares of n cells a side (n cells of a ring), n odd: the fractions P_y of truth and P_x of members and cells with x > threshold.

    Sums [G, threshold, scale], over squares all of whose cells have weight in the group and truth, with the weight w of their middle:
    `square` Σ w (P_x − P_y)², `forecast` Σ w P_x², `truth` Σ w P_y² and `weight` Σ w. Thresholds are compared in float32; squares do not
    go round the globe. A NaN member of a scored cell makes all sums of its groups NaN.
    """

    scope: ClassVar[Literal["point", "field"]] = "field"
    dims: ClassVar[Mapping[str, tuple[str, ...]]] = {name: ("threshold", "scale") for name in ("square", "forecast", "truth", "weight")}
    thresholds: tuple[float, ...]
    scales: tuple[int, ...]

    def __post_init__(self) -> None:
        check_numbers("Neighbourhoods.thresholds", self.thresholds)
        check_scales("Neighbourhoods.scales", self.scales)

    def reduce(self, truth: np.ndarray, members: np.ndarray, weights: np.ndarray) -> Mapping[str, np.ndarray]:
        used = scored(truth, weights)
        lost = used & np.isnan(members).any(axis=0)
        out = {name: np.zeros((len(weights), len(self.thresholds), len(self.scales))) for name in self.dims}
        for t, threshold in enumerate(np.asarray(self.thresholds, dtype=np.float32)):
            exceeding = np.zeros(truth.shape)
            for member in members:
                exceeding += member > threshold
            count_x, count_y = _cumulative(exceeding), _cumulative(truth > threshold)  # of whole numbers, so exact
            for g, weight in enumerate(weights):
                own = used & (weight > 0)
                complete = _cumulative(own)
                for s, scale in enumerate(self.scales):
                    if scale > min(truth.shape):
                        continue
                    cells = scale**truth.ndim
                    whole = _boxes(complete, scale) == cells
                    middle = tuple(slice(scale // 2, size - scale // 2) for size in truth.shape)
                    w = weight[middle][whole]
                    x, y = _boxes(count_x, scale)[whole] / (cells * len(members)), _boxes(count_y, scale)[whole] / cells
                    for name, values in {"square": (x - y) ** 2, "forecast": x**2, "truth": y**2, "weight": np.ones_like(w)}.items():
                        out[name][g, t, s] = values @ w
                if (lost & own).any():
                    for sums in out.values():
                        sums[g, t] = np.nan
        return out


def fractions_skill(square: np.ndarray, forecast: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """FSS = 1 − Σ (P_x − P_y)² / (Σ P_x² + Σ P_y²) of totals, each [...]; NaN where there is no event (Roberts and Lean 2008, eqs. 5–7)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(1.0 - np.divide(square, forecast + truth))


def check_scales(name: str, scales: tuple[int, ...]) -> None:
    """Raises ValueError unless there is at least one scale and all are different, odd and positive."""
    if not scales or len(set(scales)) < len(scales) or not all(scale > 0 and scale % 2 for scale in scales):
        raise ValueError(f"{name} must be one or more different odd numbers of cells, got {scales}")


def _cumulative(field: np.ndarray) -> np.ndarray:
    """Sums of all cells before each corner, [size + 1, ...]: the summed-area table (Crow 1984)."""
    table = np.pad(np.asarray(field, dtype=np.float64), [(1, 0)] * field.ndim)
    for axis in range(field.ndim):
        np.cumsum(table, axis=axis, out=table)
    return table


def _boxes(table: np.ndarray, scale: int) -> np.ndarray:
    """Sums over all boxes of `scale` cells a side that are inside, [size − scale + 1, ...]."""
    total = np.zeros([size - scale for size in table.shape])
    for corner in itertools.product((0, 1), repeat=table.ndim):
        part = tuple(slice(scale, None) if high else slice(None, -scale) for high in corner)
        total += (-1) ** (table.ndim - sum(corner)) * table[part]
    return total
