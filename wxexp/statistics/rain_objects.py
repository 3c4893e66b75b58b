"""Where the objects of a field of rain are, how large and how peaked, in truth and members."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np

from wxexp.interfaces.scoring import Statistic
from wxexp.statistics.cells import scored
from wxexp.statistics.crps import crps

NAMES = ("structure", "amplitude", "location", "structure_size", "amplitude_size", "pairs")
ENSEMBLE = ("ensemble_structure", "ensemble_amplitude", "ensemble_location", "count")


@dataclasses.dataclass(frozen=True)
class Objects:
    """What SAL asks of a field (Wernli et al. 2008, eqs. 3-7). Lengths are in cells; all but the amount are NaN where there is no object.

    Attributes:
        amount: D = Σ w R / Σ w.
        centre: of mass of the whole field, [dim].
        scatter: r, the mean distance of the objects' centres of mass from that, weighted by their amounts R_n.
        volume: V, the mean over objects, weighted by R_n, of R_n / max R.
    """

    amount: float
    centre: np.ndarray
    scatter: float
    volume: float


class RainObjects(Statistic):
    """Structure, amplitude and location of a case, of pairs of a member and the truth and of the ensemble (see `wxexp.metrics.SAL`).

    Objects are connected cells (by sides) with R ≥ `fraction` times the 95th percentile of the cells with R > `wet` (Wernli et al. 2009);
    a field without such a cell has none, and below 0 there is no rain. Sums [G]: 1/M Σ over members that have objects, in cases in which
    the truth has some, of S, A, L, |S| and |A| `structure`, `amplitude`, `location`, `structure_size`, `amplitude_size`, of 1 `pairs`; in
    such cases, where some member has objects, `ensemble_structure`, `ensemble_amplitude`, `ensemble_location` and `count` 1. Cells that
    are not in a group are outside its domain, whose diagonal is that of the smallest box around its cells. A NaN member of a scored cell
    makes all sums of its groups NaN.
    """

    scope: ClassVar[Literal["point", "field"]] = "field"
    fraction: float = 1 / 15
    wet: float = 0.1

    def __post_init__(self) -> None:
        if not 0 < self.fraction <= 1:
            raise ValueError(f"RainObjects.fraction must be in (0, 1], got {self.fraction}")
        if not 0 <= self.wet < math.inf:
            raise ValueError(f"RainObjects.wet must be at least 0 and finite, got {self.wet}")

    def reduce(self, truth: np.ndarray, members: np.ndarray, weights: np.ndarray) -> Mapping[str, np.ndarray]:
        used = scored(truth, weights)
        lost = used & np.isnan(members).any(axis=0)
        out = {name: np.zeros(len(weights)) for name in (*NAMES, *ENSEMBLE)}
        for g, weight in enumerate(weights):
            own = used & (weight > 0)
            if (lost & own).any():
                for sums in out.values():
                    sums[g] = np.nan
            elif own.any():
                box = tuple(slice(at.min(), at.max() + 1) for at in np.nonzero(own))
                w = np.where(own, weight, 0.0)[box]
                y, *x = (self._objects(field[box], w) for field in (truth, *members))
                if not math.isnan(y.volume):
                    for name, value in _scores(y, x, math.hypot(*w.shape)).items():
                        out[name][g] = value
        return out

    def _objects(self, field: np.ndarray, weights: np.ndarray) -> Objects:
        from scipy import ndimage  # here: whoever only names statistics in an experiment does not wait for it

        rain = np.where(weights > 0, np.maximum(field, 0.0), 0.0).astype(np.float64)
        wet, amount = rain[rain > self.wet], float((weights * rain).sum() / weights.sum())
        if not wet.size:
            return Objects(amount, np.full(rain.ndim, np.nan), math.nan, math.nan)
        labels, _ = ndimage.label(rain >= self.fraction * np.quantile(wet, 0.95))
        labels, mass, places = labels.ravel(), (weights * rain).ravel(), np.indices(rain.shape).reshape(rain.ndim, -1)
        total = np.bincount(labels, weights=mass)[1:]  # R_n; 0 is what is outside of all
        centres = np.stack([np.bincount(labels, weights=mass * at)[1:] for at in places]) / total
        centre = places @ mass / mass.sum()
        peak = np.zeros(len(total) + 1)
        np.maximum.at(peak, labels, rain.ravel())
        scatter = total @ np.sqrt(((centres - centre[:, None]) ** 2).sum(axis=0)) / total.sum()
        return Objects(amount, centre, float(scatter), float(total @ (total / peak[1:]) / total.sum()))


def _scores(y: Objects, members: list[Objects], diagonal: float) -> dict[str, float]:
    """Of a case in which the truth has objects, by name."""
    x = [each for each in members if not math.isnan(each.volume)]
    if not x:
        return {}
    structure = np.array([_relative(each.volume, y.volume) for each in x])
    amplitude = np.array([_relative(each.amount, y.amount) for each in x])
    location = [math.dist(each.centre, y.centre) / diagonal + 2 * abs(each.scatter - y.scatter) / diagonal for each in x]
    sums = (structure.sum(), amplitude.sum(), np.sum(location), np.abs(structure).sum(), np.abs(amplitude).sum(), len(x))
    count = len(members)
    scatter = crps(np.array(y.scatter), np.array([each.scatter for each in x]), estimator="biased")
    ensemble = (
        _relative(sum(each.volume for each in x) / count, y.volume),
        _relative(sum(each.amount for each in members) / count, y.amount),
        (math.dist(np.mean([each.centre for each in x], axis=0), y.centre) + 2 * float(scatter)) / diagonal,
        1.0,
    )
    return dict(zip((*NAMES, *ENSEMBLE), (*(float(value) / count for value in sums), *ensemble), strict=True))


def _relative(x: float, y: float) -> float:
    """The difference over the mean, in [−2, 2] where both are positive."""
    return (x - y) / (0.5 * (x + y))
