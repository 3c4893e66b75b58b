"""Distances between two histograms on the same bins, from totals, [..., count + 2] as `wxexp.statistics.Bins` gives them.

The first and the last number are what lies outside the bins; within a bin mass lies evenly.
"""

from __future__ import annotations

import numpy as np


def quantiles(histogram: np.ndarray, edges: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """The values below which the shares `levels` lie, [..., level], at most a bin from those of the data; NaN outside the bins."""
    cumulative = np.cumsum(histogram, axis=-1)
    wanted = levels * cumulative[..., -1:]
    # The last edge up to which no more than what is wanted lies, [..., level]; -1 below the first.
    reached = (cumulative[..., None, :-1] <= wanted[..., None]).sum(axis=-1) - 1
    bin_ = np.clip(reached, 0, len(edges) - 2)
    before, inside = (np.take_along_axis(x, bin_, axis=-1) for x in (cumulative[..., :-1], histogram[..., 1:-1]))
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where(wanted == before, 0.0, (wanted - before) / inside)
    value = edges[bin_] + part * (edges[bin_ + 1] - edges[bin_])
    known = (part >= 0) & (part <= 1) & (cumulative[..., -1:] > 0)
    return np.asarray(np.where(known, value, np.nan))


def wasserstein(one: np.ndarray, other: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """W₁ = ∫ |F − G| dx over the bins, [...]: how far mass must be moved on average, in the units of the edges (Villani 2009).

    Exact for mass that lies evenly within bins; what is outside them counts as if it were at the outermost edge.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        f, g = (np.cumsum(x, axis=-1)[..., :-1] / x.sum(axis=-1, keepdims=True) for x in (one, other))
        a, b = (f - g)[..., :-1], (f - g)[..., 1:]  # at both ends of a bin, linear between them
        same = a * b >= 0
        mean = np.where(same, np.abs(a + b) / 2, (a**2 + b**2) / (2 * np.where(same, 1.0, np.abs(a - b))))
    return np.asarray((mean * np.diff(edges)).sum(axis=-1))


def overlap(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Σ min(f_b, g_b) of the shares of all bins and of what is outside, [...]: 1 equal, 0 apart (Perkins et al. 2007, eq. 1)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        f, g = (x / x.sum(axis=-1, keepdims=True) for x in (one, other))
    return np.asarray(np.minimum(f, g).sum(axis=-1))


def log_distance(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """sqrt(mean_b (ln f_b / g_b)²) over the bins that both have something in, [...]; 0 is equal, NaN where there is no such bin.

    It weighs the rare as much as the common: half as many of the largest values as there should be count like half as many dry cells.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        f, g = (x / x.sum(axis=-1, keepdims=True) for x in (one, other))
        used = ~((f == 0) | (g == 0))
        square = np.where(used, np.log(f / g), 0.0) ** 2
        return np.asarray(np.sqrt(square.sum(axis=-1) / used.sum(axis=-1)))
