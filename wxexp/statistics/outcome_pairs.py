"""What the outcome-weighted CRPS is made from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np

from wxexp.interfaces.scoring import Statistic
from wxexp.statistics.cells import check_numbers, select
from wxexp.statistics.point import NO_FIT, taken
from wxexp.statistics.tail import Tail, beyond
from wxexp.statistics.weighted_pairs import CELLS, inside_pairs


class OutcomePairs(Statistic):
    """Where the truth is in the tail of a threshold t (y ≥ t, "lower": y ≤ t), the K members that are in it too, as an ensemble.

    Sums [G, threshold]: `score` Σw (1/K Σ |x_i − y| − 1/K² Σ_{i<j} |x_i − x_j|), its biased CRPS, of the cells with K > 0; `hit` Σw of
    these, `missed` Σw of those where the truth is in the tail and no member is; with `weight` Σw of all cells [G]. Thresholds are in the
    units of the variable and compared in float32. Of truth that is NaN nothing is counted, a NaN member of any scored cell propagates.
    """

    scope: ClassVar[Literal["point", "field"]] = "point"
    dims: ClassVar[Mapping[str, tuple[str, ...]]] = {name: ("threshold",) for name in ("score", "hit", "missed")}
    thresholds: tuple[float, ...]
    tail: Tail = "upper"

    def __post_init__(self) -> None:
        check_numbers("OutcomePairs.thresholds", self.thresholds)

    def reduce(self, truth: np.ndarray, members: np.ndarray, weights: np.ndarray) -> Mapping[str, np.ndarray]:
        y, x, w = select(truth, members, weights)
        out = {name: np.zeros((len(w), len(self.thresholds))) for name in self.dims}
        lost = np.isnan(x).any(axis=0)
        for t, threshold in enumerate(self.thresholds):
            there = np.flatnonzero(lost | beyond(y, threshold, self.tail))
            for start in range(0, there.size, CELLS):
                cells = there[start : start + CELLS]
                for name, values in self._of(y[cells], x[:, cells], threshold).items():
                    values[lost[cells]] = np.nan
                    for g, weight in enumerate(w[:, cells]):
                        used = weight > 0
                        out[name][g, t] += values[used] @ weight[used]
        return {"weight": w.sum(axis=1), **out}

    def _of(self, y: np.ndarray, x: np.ndarray, threshold: float) -> dict[str, np.ndarray]:
        """Of cells whose truth is in the tail."""
        inside = beyond(x, threshold, self.tail)
        count = inside.sum(axis=0)
        residual, some = np.subtract(x, y, dtype=np.float64), np.maximum(count, 1)
        score = np.where(inside, np.abs(residual), 0.0).sum(axis=0) / some - inside_pairs(residual, inside) / some**2
        return {"score": score, "hit": (count > 0).astype(np.float64), "missed": (count == 0).astype(np.float64)}

    def cells(
        self, truth: np.ndarray, members: np.ndarray, at: np.ndarray, fitted: Mapping[str, np.ndarray] = NO_FIT
    ) -> Mapping[str, np.ndarray]:
        y, x = taken(truth, members, at)
        lost, out = np.isnan(x).any(axis=0), {name: np.zeros((len(at), len(self.thresholds))) for name in self.dims}
        for t, threshold in enumerate(self.thresholds):
            there = beyond(y, threshold, self.tail)
            for name, values in self._of(y[there], x[:, there], threshold).items():
                out[name][there, t] = values
                out[name][lost] = np.nan
        return {"weight": np.ones(len(at)), **out}
