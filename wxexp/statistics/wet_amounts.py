"""How often it is wet, and how much falls then."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np

from wxexp.interfaces.scoring import Statistic
from wxexp.statistics.cells import select
from wxexp.statistics.point import NO_FIT, taken


class WetAmounts(Statistic):
    """Σw and Σw x of the cells with x ≥ threshold: `truth_wet`, `truth_amount`, and of the members on average `wet`, `amount`, [G].

    With `weight` Σw. The threshold is compared in float32. Truth that is NaN is not counted, nor are the members there; a NaN member of
    a scored cell makes `wet` and `amount` of its groups NaN.
    """

    scope: ClassVar[Literal["point", "field"]] = "point"
    threshold: float = 1.0

    def __post_init__(self) -> None:
        if not math.isfinite(self.threshold):
            raise ValueError(f"WetAmounts.threshold must be finite, got {self.threshold}")

    def reduce(self, truth: np.ndarray, members: np.ndarray, weights: np.ndarray) -> Mapping[str, np.ndarray]:
        y, x, w = select(truth, members, weights)
        limit = np.float32(self.threshold)
        out = {"weight": w.sum(axis=1), "truth_wet": w @ (y >= limit), "truth_amount": w @ np.where(y >= limit, y, 0.0)}
        wet, amount = np.zeros(y.shape), np.zeros(y.shape)
        for member in x:
            wet += np.where(np.isnan(member), np.nan, member >= limit)
            amount += np.where(member >= limit, member, 0.0)
        amount = np.where(np.isnan(wet), np.nan, amount)
        for name, values in (("wet", wet), ("amount", amount)):
            out[name] = np.array([values[weight > 0] @ weight[weight > 0] / len(x) for weight in w])
        return out

    def cells(
        self, truth: np.ndarray, members: np.ndarray, at: np.ndarray, fitted: Mapping[str, np.ndarray] = NO_FIT
    ) -> Mapping[str, np.ndarray]:
        y, x = taken(truth, members, at)
        limit, lost, out = np.float32(self.threshold), np.isnan(x).any(axis=0), {"weight": np.ones(len(at))}
        for prefix, fields in (("truth_", y[None]), ("", x)):
            wet, amount = fields >= limit, np.where(fields >= limit, fields, 0.0)
            out[f"{prefix}wet"], out[f"{prefix}amount"] = wet.mean(axis=0), amount.mean(axis=0, dtype=np.float64)
        return out | {name: np.where(lost, np.nan, out[name]) for name in ("wet", "amount")}
