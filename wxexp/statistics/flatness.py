"""How flat a histogram of ranks is, and the same counts over the unit interval."""

from __future__ import annotations

from typing import Literal

import numpy as np

Index = Literal["reliability", "chi2", "delta"]


def flatness(ranks: np.ndarray, index: Index = "reliability", *, weight: np.ndarray | None = None) -> np.ndarray:
    """[..., M + 1] counts, `weight` [...] in all where that is known exactly -> [...], 0 where all are equal; NaN of nothing.

    "reliability"   Σ_k |f_k − 1 / (M + 1)|, f_k shares; below 2 (Delle Monache et al. 2006)
    "chi2"          Σ_k (n_k − N / (M + 1))² / (N / (M + 1)), which is M on average for N independent cases (Hamill 2001)
    "delta"         chi2 / M, so that a reliable ensemble has 1 for any number of members (Candille and Talagrand 2005, eq. 9)
    """
    total, count = ranks.sum(axis=-1, keepdims=True) if weight is None else weight[..., None], ranks.shape[-1]
    with np.errstate(invalid="ignore", divide="ignore"):
        apart = ranks / total - 1.0 / count
        if index == "reliability":
            return np.asarray(np.abs(apart).sum(axis=-1))
        chi2 = count * total[..., 0] * (apart**2).sum(axis=-1)
        return np.asarray(chi2 if index == "chi2" else chi2 / (count - 1))


def pit_histogram(ranks: np.ndarray, bins: int) -> np.ndarray:
    """Counts of ranks [..., M + 1] over `bins` equal parts of the unit interval, [..., bins].

    Rank k lies evenly between k / (M + 1) and (k + 1) / (M + 1): what the randomised probability integral transform gives on average
    (Czado, Gneiting and Held 2009), without its noise.
    """
    total = np.concatenate([np.zeros_like(ranks[..., :1]), np.cumsum(ranks, axis=-1)], axis=-1)
    at = np.linspace(0.0, ranks.shape[-1], bins + 1)
    low = np.minimum(np.floor(at).astype(np.int64), ranks.shape[-1] - 1)
    cumulative = total[..., low] + (at - low) * ranks[..., low]
    return np.diff(cumulative, axis=-1)


def pit_moments(ranks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of the probability integral transform, ½ and 1/12 where it is uniform, each [...]; NaN of nothing."""
    count = ranks.shape[-1]
    middle = (np.arange(count) + 0.5) / count
    with np.errstate(invalid="ignore", divide="ignore"):
        share = ranks / ranks.sum(axis=-1, keepdims=True)
    mean = share @ middle
    return np.asarray(mean), np.asarray((share * (middle - mean[..., None]) ** 2).sum(axis=-1) + 1.0 / (12 * count**2))
