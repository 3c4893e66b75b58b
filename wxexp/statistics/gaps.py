"""Where the truth lies in the gaps between the members, and how wide they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np

from wxexp.interfaces.scoring import Statistic
from wxexp.statistics.cells import select
from wxexp.statistics.point import NO_FIT, taken

CELLS = 4096
"""At a time: the sorted copy stays in cache."""


class Gaps(Statistic):
    """Of the gaps between sorted members, 0 below all of them to M above: how far they reach below and above the truth (Hersbach 2000).

    Sums [G, M + 1]: `alpha` Σw of the length of a gap that is below the truth, `beta` above it, where gap 0 has only what the truth is
    below the first member by (beta) and gap M what it is above the last by (alpha). With [G]: `weight` Σw, `below_first` and `below_last`
    Σw of the truth below the first and the last member. A NaN member of a scored cell propagates.
    """

    scope: ClassVar[Literal["point", "field"]] = "point"
    dims: ClassVar[Mapping[str, tuple[str, ...]]] = {"alpha": ("rank",), "beta": ("rank",)}

    def reduce(self, truth: np.ndarray, members: np.ndarray, weights: np.ndarray) -> Mapping[str, np.ndarray]:
        y, x, w = select(truth, members, weights)
        alpha, beta = np.zeros((len(w), len(x) + 1)), np.zeros((len(w), len(x) + 1))
        first, last = np.zeros(len(w)), np.zeros(len(w))
        for start in range(0, y.size, CELLS):
            cells = slice(start, start + CELLS)
            below, above, below_first, below_last = _of(y[cells], x[:, cells])
            for g, weight in enumerate(w[:, cells]):
                used = weight > 0
                alpha[g] += below[:, used] @ weight[used]
                beta[g] += above[:, used] @ weight[used]
                first[g] += below_first[used] @ weight[used]
                last[g] += below_last[used] @ weight[used]
        return {"weight": w.sum(axis=1), "alpha": alpha, "beta": beta, "below_first": first, "below_last": last}

    def cells(
        self, truth: np.ndarray, members: np.ndarray, at: np.ndarray, fitted: Mapping[str, np.ndarray] = NO_FIT
    ) -> Mapping[str, np.ndarray]:
        below, above, first, last = _of(*taken(truth, members, at))
        return {"weight": np.ones(len(at)), "alpha": below.T, "beta": above.T, "below_first": first * 1.0, "below_last": last * 1.0}


def _of(truth: np.ndarray, members: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Of each cell: what of the gaps is below and above the truth [M + 1, n], whether the truth is below the first and the last member."""
    r = np.sort(np.subtract(members, truth, dtype=np.float64), axis=0)  # the truth is at 0
    low, high = np.minimum(r, 0.0), np.maximum(r, 0.0)
    below = np.concatenate([np.zeros_like(r[:1]), np.diff(low, axis=0), -low[-1:]])
    above = np.concatenate([high[:1], np.diff(high, axis=0), np.zeros_like(r[:1])])
    lost = np.isnan(r).any(axis=0)
    below[:, lost], above[:, lost] = np.nan, np.nan
    return below, above, r[0] > 0, r[-1] > 0
