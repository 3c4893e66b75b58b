"""Distances between whole fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

import numpy as np

from wxexp.interfaces.scoring import Statistic
from wxexp.statistics.cells import select

CELLS = 4096
"""At a time, so that only a block of residuals is held in float64."""


class FieldDistances(Statistic):
    """‖a − b‖ = sqrt(Σ w (a − b)² / Σ w) over the scored cells of a case, between its truth y and members x.

    Sums [G]: `skill` 1/M Σ ‖x_i − y‖, `pairs` Σ_{i<j} ‖x_i − x_j‖ and `count`, the cases with any scored cell. A NaN member of a scored
    cell propagates.
    """

    scope: ClassVar[Literal["point", "field"]] = "field"

    def reduce(self, truth: np.ndarray, members: np.ndarray, weights: np.ndarray) -> Mapping[str, np.ndarray]:
        out = {name: np.zeros(len(weights)) for name in ("skill", "pairs", "count")}
        for g, to_truth, between in square_distances(truth, members, weights):
            out["skill"][g] = np.sqrt(to_truth).mean()
            out["pairs"][g] = np.sqrt(between).sum()
            out["count"][g] = 1.0
        return out


def square_distances(truth: np.ndarray, members: np.ndarray, weights: np.ndarray) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """(g, ‖x_i − y‖² [M], ‖x_i − x_j‖² [M (M − 1) / 2], of i < j) of each group that has a scored cell.

    All come from the Gram matrix of residuals x − y in float64, of members by members: of the fields themselves it would lose the digits
    of a field far from zero.
    """
    y, x, w = select(truth, members, weights)
    count = len(x)
    gram = np.zeros((len(w), count, count))
    for start in range(0, y.size, CELLS):
        cells = slice(start, start + CELLS)
        residual = np.subtract(x[:, cells], y[cells], dtype=np.float64)
        for g, weight in enumerate(w[:, cells]):
            used = weight > 0
            scaled = residual[:, used] * np.sqrt(weight[used])
            gram[g] += scaled @ scaled.T
    for g, total in enumerate(w.sum(axis=1)):
        if total > 0:
            square = np.diagonal(gram[g]) / total
            between = square[:, None] + square - 2.0 * gram[g] / total
            yield g, square, np.maximum(between, 0.0)[np.triu_indices(count, 1)]
