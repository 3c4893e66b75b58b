"""How much there is in all, of the members and of the truth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np

from wxexp.interfaces.scoring import Statistic
from wxexp.statistics.cells import select
from wxexp.statistics.point import NO_FIT, taken


class Amounts(Statistic):
    """`truth` Σw y and `members` Σw x̄ of the ensemble mean x̄, with `weight` Σw, [G].

    Truth that is NaN is not counted, nor are the members there; a NaN member of a scored cell propagates.
    """

    scope: ClassVar[Literal["point", "field"]] = "point"

    def reduce(self, truth: np.ndarray, members: np.ndarray, weights: np.ndarray) -> Mapping[str, np.ndarray]:
        y, x, w = select(truth, members, weights)
        mean = x.mean(axis=0, dtype=np.float64)
        own = np.array([mean[weight > 0] @ weight[weight > 0] for weight in w])
        return {"weight": w.sum(axis=1), "truth": w @ y.astype(np.float64), "members": own}

    def cells(
        self, truth: np.ndarray, members: np.ndarray, at: np.ndarray, fitted: Mapping[str, np.ndarray] = NO_FIT
    ) -> Mapping[str, np.ndarray]:
        y, x = taken(truth, members, at)
        return {"weight": np.ones(len(at)), "truth": y.astype(np.float64), "members": x.mean(axis=0, dtype=np.float64)}
