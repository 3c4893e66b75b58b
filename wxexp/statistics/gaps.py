"""Where the truth lies in the gaps between the members, and how wide they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np

from wxexp.interfaces.scoring import Statistic
from wxexp.statistics.cells import select

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
        count = len(x)
        alpha, beta = np.zeros((len(w), count + 1)), np.zeros((len(w), count + 1))
        first, last = np.zeros(len(w)), np.zeros(len(w))
        for start in range(0, y.size, CELLS):
            cells = slice(start, start + CELLS)
            r = np.sort(np.subtract(x[:, cells], y[cells], dtype=np.float64), axis=0)  # the truth is at 0
            low, high = np.minimum(r, 0.0), np.maximum(r, 0.0)
            below = np.concatenate([np.zeros_like(r[:1]), np.diff(low, axis=0), -low[-1:]])
            above = np.concatenate([high[:1], np.diff(high, axis=0), np.zeros_like(r[:1])])
            lost = np.isnan(r).any(axis=0)
            below[:, lost], above[:, lost] = np.nan, np.nan
            for g, weight in enumerate(w[:, cells]):
                used = weight > 0
                alpha[g] += below[:, used] @ weight[used]
                beta[g] += above[:, used] @ weight[used]
                first[g] += (r[0, used] > 0) @ weight[used]
                last[g] += (r[-1, used] > 0) @ weight[used]
        return {"weight": w.sum(axis=1), "alpha": alpha, "beta": beta, "below_first": first, "below_last": last}
