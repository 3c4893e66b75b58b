"""Power spectra on a box of a field, averaged over rings of equal wavenumber.

    P(k) = mean over the ring round(n |f|) = k of |FFT(h (x − x̄))|² / Σ h²,    k = 1 … n // 2,    n = shorter side of the box

f is the frequency in cycles per cell, so that k counts waves along the shorter side and the wavelength is n / k cells. The mean is
removed and the field tapered with a Hann window h in each direction, because a box cut from the Earth is not periodic and its edges
would otherwise leak a k^−2 into every spectrum (Harris 1978). White noise of variance σ² has P = σ² at every k.
"""

from __future__ import annotations

import functools
from typing import Literal

import numpy as np

Window = Literal["hann", "none"]
Box = tuple[slice, ...]


def largest_valid_box(mask: np.ndarray) -> Box:
    """The largest run [X] or rectangle [H, W] in which the mask is True everywhere; empty slices where there is none.

    The largest by number of cells, the first of equals in row order of its last row: for every row the largest rectangle under the
    histogram of columns' heights, with a stack, in O(H W).
    """
    valid = np.ascontiguousarray(np.atleast_2d(mask), dtype=bool)
    if mask.ndim not in (1, 2):
        raise ValueError(f"mask must have 1 or 2 dimensions, got shape {mask.shape}")
    box = _largest(valid.tobytes(), valid.shape)
    return box if mask.ndim == 2 else box[1:]


@functools.lru_cache(maxsize=64)
def _largest(data: bytes, shape: tuple[int, int]) -> Box:
    mask = np.frombuffer(data, dtype=bool).reshape(shape)
    height = np.zeros(shape[1], dtype=np.int64)
    best, box = 0, (slice(0, 0), slice(0, 0))
    for row in range(shape[0]):
        height = np.where(mask[row], height + 1, 0)
        stack: list[tuple[int, int]] = []  # (first column, height), heights increasing
        for column, h in enumerate([*height.tolist(), 0]):
            first = column
            while stack and stack[-1][1] >= h:
                first, tall = stack.pop()
                if tall * (column - first) > best:
                    best, box = tall * (column - first), (slice(row + 1 - tall, row + 1), slice(first, column))
            stack.append((first, h))
    return box


@functools.lru_cache(maxsize=64)
def _rings(shape: tuple[int, ...], window: Window) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(taper [*shape] with mean square 1 / cells, ring of each coefficient, its multiplicity) of a real transform."""
    tapers = [np.sin(np.pi * (np.arange(n) + 0.5) / n) ** 2 if window == "hann" else np.ones(n) for n in shape]
    taper = functools.reduce(np.multiply.outer, tapers)
    frequencies = [np.fft.fftfreq(n) for n in shape[:-1]] + [np.fft.rfftfreq(shape[-1])]
    radius = np.sqrt(functools.reduce(np.add.outer, [f**2 for f in frequencies]))
    ring = np.rint(radius * min(shape)).astype(np.int64)
    # A real transform keeps half of the columns; those left out are conjugates, save the first and, for an even side, the last.
    twice = np.full(shape[-1] // 2 + 1, 2.0)
    twice[0] = 1.0
    if shape[-1] % 2 == 0:
        twice[-1] = 1.0
    return taper / np.sqrt(np.sum(taper**2)), ring, np.broadcast_to(twice, ring.shape)


def wavenumbers(shape: tuple[int, ...]) -> int:
    """How many wavenumbers the spectrum of a box of this shape has: 1 to half of its shorter side."""
    return min(shape) // 2


def power_spectrum(field: np.ndarray, *, window: Window = "hann") -> np.ndarray:
    """P(k) of a field [X] or [H, W] in the square of its units, float64 [wavenumbers]; any NaN makes all of it NaN."""
    taper, ring, multiplicity = _rings(field.shape, window)
    x = np.asarray(field, dtype=np.float64)
    power = np.abs(np.fft.rfftn((x - x.mean()) * taper)) ** 2
    length = wavenumbers(field.shape) + 1
    total = np.bincount(ring.ravel(), weights=(power * multiplicity).ravel(), minlength=length)[1:length]
    count = np.bincount(ring.ravel(), weights=multiplicity.ravel(), minlength=length)[1:length]
    return np.asarray(total / count)


def log_spectral_distance(truth: np.ndarray, other: np.ndarray) -> np.ndarray:
    """sqrt(mean_k (10 log10 P_other(k) / P_truth(k))²) in dB, from spectra [..., wavenumbers] (Rabiner and Juang 1993, section 4.5).

    Twice the amplitude at every wavenumber is 6.02 dB. Wavenumbers without power in the truth are left out; NaN where none is left.
    """
    truth, other = np.broadcast_arrays(truth, other)
    with np.errstate(divide="ignore", invalid="ignore"):
        used = ~(truth == 0)
        square = np.where(used, 10.0 * np.log10(other / truth), 0.0) ** 2
        return np.asarray(np.sqrt(square.sum(axis=-1) / used.sum(axis=-1)))
