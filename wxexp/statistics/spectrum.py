"""Spectra of truth, members and ensemble mean, as sums over cases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np

from wxexp.interfaces.scoring import Statistic
from wxexp.statistics.spectra import Window, largest_valid_box, power_spectrum, wavenumbers


class Spectrum(Statistic):
    """Radially averaged power on the largest box in which a group has weight everywhere.

    Sums: `count` (cases), `truth`, `members` (mean over the members' spectra) and `mean` (spectrum of the ensemble mean), each
    [G, wavenumbers] for k = 1, 2, …, zero beyond half of the group's box; `box` [G, 2 · dims]: first and end row and column.
    A case with NaN truth inside the box is not counted; a NaN member propagates. See `wxexp.statistics.spectra` for P(k).
    """

    scope: ClassVar[Literal["point", "field"]] = "field"
    dims: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "truth": ("wavenumber",),
        "members": ("wavenumber",),
        "mean": ("wavenumber",),
        "box": ("edge",),
    }
    window: Window = "hann"
    """"none" for fields that are periodic on the whole box, such as a ring."""

    def reduce(self, truth: np.ndarray, members: np.ndarray, weights: np.ndarray) -> Mapping[str, np.ndarray]:
        groups, length = len(weights), wavenumbers(truth.shape)
        out: dict[str, np.ndarray] = {name: np.zeros((groups, length)) for name in ("truth", "members", "mean")}
        out["count"], out["box"] = np.zeros(groups), np.zeros((groups, 2 * truth.ndim))
        for g in range(groups):
            box = largest_valid_box(weights[g] > 0)
            out["box"][g] = [edge for side in box for edge in (side.start, side.stop)]
            y = truth[box]
            n = wavenumbers(y.shape)
            if n == 0 or np.isnan(y).any():
                continue
            x = members[(slice(None), *box)]
            out["count"][g] = 1.0
            out["truth"][g, :n] = power_spectrum(y, window=self.window)
            out["members"][g, :n] = sum(power_spectrum(member, window=self.window) for member in x) / len(x)
            out["mean"][g, :n] = power_spectrum(x.mean(axis=0, dtype=np.float64), window=self.window)
        return out
