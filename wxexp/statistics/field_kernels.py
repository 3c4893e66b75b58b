"""What the Gaussian kernel score of whole fields is made from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np

from wxexp.interfaces.scoring import Statistic
from wxexp.statistics.cells import check_numbers
from wxexp.statistics.field_distances import square_distances
from wxexp.statistics.kernel_pairs import distance


class FieldKernels(Statistic):
    """ρ(a, b) = 1 − exp(−‖a − b‖² / 2h²) of fields, with ‖a‖² = Σ w a² / Σ w over the scored cells of a case.

    Sums [G, bandwidth], for `bandwidths` h in the units of the variable: `skill` 1/M Σ ρ(x_i, y) and `pairs` Σ_{i<j} ρ(x_i, x_j), with
    `weight` [G], the cases with any scored cell. A NaN member of a scored cell propagates.
    """

    scope: ClassVar[Literal["point", "field"]] = "field"
    dims: ClassVar[Mapping[str, tuple[str, ...]]] = {"skill": ("bandwidth",), "pairs": ("bandwidth",)}
    bandwidths: tuple[float, ...]

    def __post_init__(self) -> None:
        check_numbers("FieldKernels.bandwidths", self.bandwidths, 0.0)

    def reduce(self, truth: np.ndarray, members: np.ndarray, weights: np.ndarray) -> Mapping[str, np.ndarray]:
        out = {name: np.zeros((len(weights), len(self.bandwidths))) for name in self.dims}
        weight = np.zeros(len(weights))
        for g, to_truth, between in square_distances(truth, members, weights):
            weight[g] = 1.0
            for b, bandwidth in enumerate(self.bandwidths):
                out["skill"][g, b] = distance(to_truth / bandwidth**2).mean()
                out["pairs"][g, b] = distance(between / bandwidth**2).sum()
        return {"weight": weight, **out}
