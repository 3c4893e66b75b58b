"""Scores of the moments of an ensemble."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np

from wxexp.interfaces.scoring import Statistic
from wxexp.statistics.cells import select
from wxexp.statistics.point import NO_FIT, taken

CELLS = 4096
"""At a time, so that only a block of residuals is held in float64."""


class MomentScores(Statistic):
    """`dawid_sebastiani` Σw (e²/s² + ln s²) and `error_spread` Σw (s² − e² − e s g)², [G], with `weight` Σw.

    e is the error of the ensemble mean, s² and g the unbiased variance and skewness of the members. NaN for fewer members than 2 and 3,
    and infinite where members do not spread at all and miss the truth. Truth that is NaN is not counted; a NaN member of a scored cell
    propagates.
    """

    scope: ClassVar[Literal["point", "field"]] = "point"

    def reduce(self, truth: np.ndarray, members: np.ndarray, weights: np.ndarray) -> Mapping[str, np.ndarray]:
        y, x, w = select(truth, members, weights)
        out = {"weight": w.sum(axis=1), "dawid_sebastiani": np.zeros(len(w)), "error_spread": np.zeros(len(w))}
        for start in range(0, y.size, CELLS):
            cells = slice(start, start + CELLS)
            scores = self._of(y[cells], x[:, cells])
            for g, weight in enumerate(w[:, cells]):
                used = weight > 0
                for name, values in scores.items():
                    out[name][g] += values[used] @ weight[used]
        return out

    def _of(self, truth: np.ndarray, members: np.ndarray) -> dict[str, np.ndarray]:
        """[n] of each cell."""
        count, residual = len(members), np.subtract(members, truth, dtype=np.float64)
        e = residual.mean(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            apart = residual - e
            square = apart * apart
            variance = square.sum(axis=0) / (count - 1) if count > 1 else np.full_like(e, np.nan)
            third = count / ((count - 1) * (count - 2)) * (square * apart).sum(axis=0) if count > 2 else np.full_like(e, np.nan)
            lean = np.where(variance == 0, 0.0, third / variance)  # s g
            return {"dawid_sebastiani": e**2 / variance + np.log(variance), "error_spread": (variance - e**2 - e * lean) ** 2}

    def cells(
        self, truth: np.ndarray, members: np.ndarray, at: np.ndarray, fitted: Mapping[str, np.ndarray] = NO_FIT
    ) -> Mapping[str, np.ndarray]:
        return {"weight": np.ones(len(at)), **self._of(*taken(truth, members, at))}
