"""Spherical harmonics of fields on the whole globe, in float64: analysis, synthesis and power spectra.

    f(θ, φ) = Σ_l Σ_m a_lm Y_lm,    Y_lm = P_lm(cos θ) exp(i m φ),    ∮ |Y_lm|² dΩ = 1,    a_lm = ∮ f conj(Y_lm) dΩ

With the sign (−1)^m in P_lm (Condon and Shortley). Of a real field only m ≥ 0 is kept, a_l,−m being (−1)^m conj(a_lm). The normalised
Legendre functions come from the recurrence in l (Holmes and Featherstone 2002, eq. 11), which neither overflows nor loses digits up to
degrees far beyond 1000. The integral over φ is a Fourier transform, that over θ a quadrature:

    "gauss"    rows at the zeros of the Legendre polynomial, exact up to l = rows − 1
    "poles"    equidistant rows, the first and last at the poles (Clenshaw and Curtis 1960), exact up to l = (rows − 1) / 2
    "centres"  equidistant rows, half a spacing from the poles (Fejér 1933), exact up to l = (rows − 1) / 2

Round trips of band-limited fields lose nothing (1e-12), and power adds up to the mean square.
"""

from __future__ import annotations

import functools
from typing import Literal, get_args

import numpy as np
import torch

Nodes = Literal["gauss", "poles", "centres"]


def nodes(rows: int, kind: Nodes) -> tuple[np.ndarray, np.ndarray]:
    """(cos θ of the rows from north to south, weights of the quadrature over cos θ, which sum to 2), float64 [rows].

    Raises:
        ValueError: for an unknown kind, and for fewer than 2 rows.
    """
    if kind not in get_args(Nodes):
        raise ValueError(f"nodes must be one of {', '.join(get_args(Nodes))}, got {kind!r}")
    if rows < 2:
        raise ValueError(f"a globe needs at least 2 rows, got {rows}")
    if kind == "gauss":
        x, w = np.polynomial.legendre.leggauss(rows)
        return x[::-1].copy(), w[::-1].copy()
    intervals = rows - 1 if kind == "poles" else rows
    theta = np.pi * (np.arange(rows) if kind == "poles" else np.arange(rows) + 0.5) / intervals
    k = np.arange(1, intervals // 2 + 1)
    factor = 2.0 / (4.0 * k**2 - 1.0)
    if kind == "poles" and intervals % 2 == 0:
        factor[-1] /= 2
    w = 2.0 / intervals * (1.0 - np.cos(2.0 * np.outer(theta, k)) @ factor)
    if kind == "poles":
        w[[0, -1]] /= 2
    return np.cos(theta), w


def highest_degree(rows: int, columns: int, kind: Nodes) -> int:
    """The largest l up to which analysis is exact."""
    return min(rows - 1 if kind == "gauss" else (rows - 1) // 2, (columns - 1) // 2)


def legendre(order: int, degree: int, x: np.ndarray) -> np.ndarray:
    """P_lm(x), normalised as above, for m = order and l = m … degree, float64 [degree − m + 1, *x]."""
    out = np.zeros((degree - order + 1, *x.shape))
    sine = np.sqrt((1.0 - x) * (1.0 + x))
    first = np.full(x.shape, np.sqrt(0.25 / np.pi))
    for k in range(1, order + 1):
        first = first * (-np.sqrt((2.0 * k + 1.0) / (2.0 * k)) * sine)
    out[0] = first
    if degree > order:
        out[1] = np.sqrt(2.0 * order + 3.0) * x * first
    for l in range(order + 2, degree + 1):
        a = np.sqrt((4.0 * l * l - 1.0) / (l * l - order * order))
        b = np.sqrt(((l - 1.0) ** 2 - order * order) / (4.0 * (l - 1.0) ** 2 - 1.0))
        out[l - order] = a * (x * out[l - order - 1] - b * out[l - order - 2])
    return out


class Harmonics:
    """The transform of fields [..., rows, columns] to coefficients [..., l, m] and back.

    Rows run from north to south and columns eastwards from longitude 0 round the globe; other orders only change signs and phases, not
    power. Tables take 4 · degree² · rows bytes (23 MB for 181 rows, a degree of 90 is 6 MB) and stay on the device of `to`.

    Args:
        rows: of the grid.
        columns: of the grid.
        kind: where the rows are.
        degree: the largest l. None: `highest_degree`.

    Raises:
        ValueError: for a degree that the grid does not resolve.
    """

    def __init__(self, rows: int, columns: int, *, kind: Nodes, degree: int | None = None) -> None:
        x, w = nodes(rows, kind)
        highest = highest_degree(rows, columns, kind)
        self.rows, self.columns, self.kind = rows, columns, kind
        self.degree = highest if degree is None else degree
        if not 0 <= self.degree <= highest:
            raise ValueError(f"degree must be between 0 and {highest} on {rows} x {columns} cells with rows at {kind!r}, got {degree}")
        self._weights = torch.from_numpy(w)
        self._tables = [torch.from_numpy(legendre(m, self.degree, x)) for m in range(self.degree + 1)]

    def to(self, device: torch.device | str) -> Harmonics:
        """Moves the tables; returns itself."""
        self._weights = self._weights.to(device)
        self._tables = [table.to(device) for table in self._tables]
        return self

    def analysis(self, field: torch.Tensor) -> torch.Tensor:
        """Real [..., rows, columns] -> complex128 [..., degree + 1, degree + 1], zero where m > l.

        What the field has above the degree is left out where the quadrature is exact for it, and folded back where it is not.
        """
        if field.shape[-2:] != (self.rows, self.columns):
            raise ValueError(f"field must be [..., {self.rows}, {self.columns}], got {tuple(field.shape)}")
        waves = 2.0 * torch.pi * torch.fft.rfft(field.double(), norm="forward")[..., : self.degree + 1]
        waves = torch.view_as_real((waves * self._weights[:, None]).transpose(-1, -2))  # [..., m, rows, 2]
        out = waves.new_zeros((*field.shape[:-2], self.degree + 1, self.degree + 1, 2))
        for m, table in enumerate(self._tables):
            out[..., m:, m, :] = table @ waves[..., m, :, :]
        return torch.view_as_complex(out)

    def synthesis(self, coefficients: torch.Tensor) -> torch.Tensor:
        """Complex [..., degree + 1, degree + 1] -> float64 [..., rows, columns]; differentiable. What m > l or Im a_l0 hold is ignored."""
        size = self.degree + 1
        if coefficients.shape[-2:] != (size, size):
            raise ValueError(f"coefficients must be [..., {size}, {size}], got {tuple(coefficients.shape)}")
        a = torch.view_as_real(coefficients.to(torch.complex128))
        waves = [table.T @ a[..., m:, m, :] for m, table in enumerate(self._tables)]  # [..., rows, 2] each
        spectrum = torch.view_as_complex(torch.stack(waves, dim=-2).contiguous())
        field: torch.Tensor = torch.fft.irfft(spectrum, n=self.columns, norm="forward")
        return field

    def from_real(self, z: torch.Tensor) -> torch.Tensor:
        """Coefficients in an orthonormal real basis, [..., (degree + 1)²] by l and then m = 0, real parts, imaginary parts -> complex.

        Independent unit normals z times sqrt(C_l / (2l + 1)) make an isotropic Gaussian field of power spectrum C_l.
        """
        out = z.new_zeros((*z.shape[:-1], self.degree + 1, self.degree + 1), dtype=torch.complex128)
        for l in range(self.degree + 1):
            own = z[..., l * l : (l + 1) ** 2].double()
            out[..., l, 0] = own[..., 0].to(torch.complex128)
            out[..., l, 1 : l + 1] = torch.complex(own[..., 1 : l + 1], own[..., l + 1 :]) / 2**0.5
        return out


def power(coefficients: torch.Tensor) -> torch.Tensor:
    """C_l = |a_l0|² + 2 Σ_{m>0} |a_lm|², float64 [..., degree + 1]; Σ_l C_l = ∮ f² dΩ, 4π times the mean square of the field."""
    square = coefficients.abs() ** 2
    return square[..., 0] + 2.0 * square[..., 1:].sum(dim=-1)


@functools.lru_cache(maxsize=4)
def harmonics(rows: int, columns: int, kind: Nodes) -> Harmonics:
    """The transform up to the highest degree of a grid, kept for the next call."""
    return Harmonics(rows, columns, kind=kind)
