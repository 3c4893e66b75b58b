"""How the ensemble mean and the truth vary together in space."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np

from wxexp.interfaces.scoring import Statistic
from wxexp.statistics.cells import select


class Covariances(Statistic):
    """Σw (x̄ − ⟨x̄⟩)(y − ⟨y⟩) `covariance`, Σw (y − ⟨y⟩)² `truth` and Σw (x̄ − ⟨x̄⟩)² `mean` of a case, [G], ⟨·⟩ its weighted mean in space.

    ⟨·⟩ is 0 where it is not `centred`. Truth that is NaN is not counted; a NaN member of a scored cell propagates.
    """

    scope: ClassVar[Literal["point", "field"]] = "field"
    centred: bool = True

    def reduce(self, truth: np.ndarray, members: np.ndarray, weights: np.ndarray) -> Mapping[str, np.ndarray]:
        y, x, w = select(truth, members, weights)
        return products(x.mean(axis=0, dtype=np.float64), y.astype(np.float64), w, centred=self.centred)


def products(a: np.ndarray, b: np.ndarray, weights: np.ndarray, *, centred: bool) -> dict[str, np.ndarray]:
    """The sums of `Covariances`, each [G], of an ensemble mean a and truth b [n] with weights [G, n]."""
    out = {name: np.zeros(len(weights)) for name in ("covariance", "truth", "mean")}
    for g, weight in enumerate(weights):
        used = weight > 0
        if used.any():
            own, x, y = weight[used], a[used], b[used]
            if centred:
                x, y = (field - np.average(field, weights=own) for field in (x, y))
            for name, product in (("covariance", x * y), ("truth", y * y), ("mean", x * x)):
                out[name][g] = product @ own
    return out
