"""Power by zonal wavenumber, of truth, members and ensemble mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np

from wxexp.interfaces.scoring import Statistic


def zonal_power(field: np.ndarray) -> np.ndarray:
    """S_k of each row, [..., X] -> float64 [..., X // 2 + 1] for k = 0, 1, … waves round the circle; Σ_k S_k is the row's mean square.

    Both signs of k count, so all but k = 0 and, of an even number of columns, the last are taken twice.
    """
    square = np.abs(np.fft.rfft(np.asarray(field, dtype=np.float64), axis=-1, norm="forward")) ** 2
    square[..., 1 : (field.shape[-1] + 1) // 2] *= 2.0
    return np.asarray(square)


class ZonalSpectrum(Statistic):
    """Spectra along circles of latitude (the last dim, which must go round), weighted with the rows' weights.

    Sums [G, band, wavenumber]: `truth`, `members` (mean over the members' spectra) and `mean` (of the ensemble mean), and `weight`
    [G, band]. A row is counted in a group that has weight in all of its cells, if it has truth in all; a NaN member of a counted row
    propagates. `bands` divides the rows into so many of equal number, from the first. The wavelength of k waves at latitude φ is
    2πR cos φ / k.
    """

    scope: ClassVar[Literal["point", "field"]] = "field"
    dims: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "truth": ("band", "wavenumber"),
        "members": ("band", "wavenumber"),
        "mean": ("band", "wavenumber"),
        "weight": ("band",),
    }
    bands: int = 1

    def __post_init__(self) -> None:
        if self.bands < 1:
            raise ValueError(f"ZonalSpectrum.bands must be at least 1, got {self.bands}")

    def reduce(self, truth: np.ndarray, members: np.ndarray, weights: np.ndarray) -> Mapping[str, np.ndarray]:
        y, x, w = (truth, members, weights) if truth.ndim > 1 else (truth[None], members[:, None], weights[:, None])
        if len(y) < self.bands:
            raise ValueError(f"ZonalSpectrum.bands must be at most {len(y)}, the number of rows, got {self.bands}")
        used = (w > 0).all(axis=-1) & ~np.isnan(y).any(axis=-1)
        row = np.where(used, w.sum(axis=-1), 0.0)  # [G, rows]
        some = used.any(axis=0)
        spectra = {
            "truth": zonal_power(y[some]),
            "members": np.mean([zonal_power(member[some]) for member in x], axis=0),
            "mean": zonal_power(x[:, some].mean(axis=0, dtype=np.float64)),
        }
        band = (np.arange(len(y)) * self.bands // len(y))[some]
        out = {name: np.zeros((len(w), self.bands, y.shape[-1] // 2 + 1)) for name in spectra}
        out["weight"] = np.zeros((len(w), self.bands))
        for b in range(self.bands):
            part = row[:, some] * (band == b)
            out["weight"][:, b] = part.sum(axis=-1)
            for g, own in enumerate(part):
                rows = own > 0  # a row that is not counted may hold a NaN member
                for name, values in spectra.items():
                    out[name][g, b] = own[rows] @ values[rows]
        return out
