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
        mean = x.mean(axis=0, dtype=np.float64)
        out = {name: np.zeros(len(w)) for name in ("covariance", "truth", "mean")}
        for g, weight in enumerate(w):
            used = weight > 0
            if used.any():
                own = weight[used]
                a, b = (field[used] for field in (mean, y.astype(np.float64)))
                if self.centred:
                    a, b = (field - np.average(field, weights=own) for field in (a, b))
                for name, product in (("covariance", a * b), ("truth", b * b), ("mean", a * a)):
                    out[name][g] = product @ own
        return out
