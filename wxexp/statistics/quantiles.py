"""Quantiles of the ensemble against the truth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np

from wxexp.interfaces.scoring import Statistic
from wxexp.statistics.cells import check_numbers, select
from wxexp.statistics.point import NO_FIT, taken

CELLS = 4096
"""At a time: the sorted copy stays in cache."""


class Quantiles(Statistic):
    """Of the quantiles q_τ of the members, linear between order statistics (Hyndman and Fan 1996, type 7), at `levels` τ in (0, 1).

    Sums [G, level]: `score` Σw (1[y < q] − τ)(q − y), `value` Σw q, `below` Σw 1[y < q] and `equal` Σw 1[y = q], with `weight` Σw [G].
    Of truth that is NaN nothing is counted, a NaN member propagates to all.
    """

    scope: ClassVar[Literal["point", "field"]] = "point"
    dims: ClassVar[Mapping[str, tuple[str, ...]]] = {name: ("level",) for name in ("score", "value", "below", "equal")}
    levels: tuple[float, ...]

    def __post_init__(self) -> None:
        check_numbers("Quantiles.levels", self.levels, 0.0, 1.0)

    def reduce(self, truth: np.ndarray, members: np.ndarray, weights: np.ndarray) -> Mapping[str, np.ndarray]:
        y, x, w = select(truth, members, weights)
        out = {name: np.zeros((len(w), len(self.levels))) for name in ("score", "value", "below", "equal")}
        for start in range(0, y.size, CELLS):
            cells = slice(start, start + CELLS)
            weight = w[:, cells]
            for name, values in self._of(y[cells], x[:, cells]).items():
                for g in range(len(w)):
                    used = weight[g] > 0
                    out[name][g] += values[:, used] @ weight[g, used]
        return {"weight": w.sum(axis=1), **out}

    def _of(self, truth: np.ndarray, members: np.ndarray) -> dict[str, np.ndarray]:
        """[level, n] of each cell."""
        y, tau = truth.astype(np.float64), np.asarray(self.levels)[:, None]
        q = np.quantile(members.astype(np.float64), self.levels, axis=0)
        missing = np.isnan(q)
        return {
            "score": ((y < q) - tau) * (q - y),
            "value": q,
            "below": np.where(missing, q, y < q),
            "equal": np.where(missing, q, y == q),
        }

    def cells(
        self, truth: np.ndarray, members: np.ndarray, at: np.ndarray, fitted: Mapping[str, np.ndarray] = NO_FIT
    ) -> Mapping[str, np.ndarray]:
        found = self._of(*taken(truth, members, at))
        return {"weight": np.ones(len(at)), **{name: values.T for name, values in found.items()}}
