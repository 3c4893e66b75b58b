"""Return levels: the generalized extreme value distribution of block maxima, fitted by L-moments.

    F(x) = exp(−(1 − k (x − ξ) / α)^(1/k)), with exp(−exp(−(x − ξ) / α)) at k = 0

k is that of Hosking (1990) and of `scipy.stats.genextreme`: tails are heavy with k < 0, and bounded with k > 0; others write −k.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import special

LOG2, LOG3 = np.log(2.0), np.log(3.0)
SMALL = 1e-8
"""k nearer to 0 is taken for so much: (1 − 3^−k) / (1 − 2^−k) has its limit there."""


class GEV(NamedTuple):
    """Location ξ, scale α and shape k, each [*S]; NaN where there is no fit."""

    location: np.ndarray
    scale: np.ndarray
    shape: np.ndarray


def l_moments(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The mean λ1, λ2 and λ3 / λ2 of samples [n, *S], from unbiased probability-weighted moments (Hosking 1990, section 3).

    Raises:
        ValueError: for fewer than 3.
    """
    n = len(x)
    if n < 3:
        raise ValueError(f"L-moments of third order need at least 3 values, got {n}")
    x, j = np.sort(np.asarray(x, dtype=np.float64), axis=0), np.arange(n, dtype=np.float64)
    b0, b1, b2 = (np.tensordot(w, x, axes=1) / n for w in (np.ones(n), j / (n - 1), j * (j - 1) / ((n - 1) * (n - 2))))
    second = 2 * b1 - b0
    with np.errstate(divide="ignore", invalid="ignore"):
        return b0, second, (6 * b2 - 6 * b1 + b0) / second


def gev_lmoments(maxima: np.ndarray) -> GEV:
    """The GEV that has the L-moments of samples [n, *S] (Hosking, Wallis and Wood 1985; Hosking 1990, table 2).

    k is solved for to rounding, from the approximation that is usually taken for it. A constant sample has scale 0 and shape 0. NaN where
    the sample has a NaN, and where λ3 / λ2 is ±1 as that of no GEV with a mean.

    Raises:
        ValueError: for fewer than 3 values.
    """
    mean, second, skewness = l_moments(maxima)
    spread = second > 1e-12 * np.abs(mean)
    k = _shape(np.where(spread, skewness, 0.0))
    scale = second * -k / np.expm1(-k * LOG2) / special.gamma(1 + k)
    location = mean + scale * np.expm1(special.gammaln(1 + k)) / k  # (1 − Γ(1 + k)) / k, without losing digits about 0
    none = np.isnan(mean)
    return GEV(
        location=np.where(none, np.nan, np.where(spread, location, mean)),
        scale=np.where(none, np.nan, np.where(spread, scale, 0.0)),
        shape=np.where(none, np.nan, np.where(spread, k, 0.0)),
    )


def return_levels(fitted: GEV, periods: Sequence[float]) -> np.ndarray:
    """What is exceeded once in so many blocks on average, x with F(x) = 1 − 1/T, [period, *S].

    Raises:
        ValueError: for periods that are not above 1.
    """
    if not periods or not all(period > 1 for period in periods):
        raise ValueError(f"return periods must be one or more numbers above 1, got {tuple(periods)}")
    out = []
    for period in periods:
        reduced, k = np.log(-np.log1p(-1.0 / period)), fitted.shape
        with np.errstate(divide="ignore", invalid="ignore"):
            out.append(fitted.location - fitted.scale * np.where(k == 0, reduced, np.expm1(k * reduced) / k))
    return np.stack(out)


def _shape(skewness: np.ndarray) -> np.ndarray:
    """The k with λ3 / λ2 = 2 (1 − 3^−k) / (1 − 2^−k) − 3, by Newton's method."""
    valid = np.abs(skewness) < 1 - 1e-9
    wanted = (np.where(valid, skewness, 0.0) + 3) / 2
    c = 1 / wanted - LOG2 / LOG3
    k = 7.8590 * c + 2.9554 * c**2  # within 9e-4 for λ3 / λ2 in [−0.5, 0.5]
    for _ in range(40):
        k = np.where(np.abs(k) < SMALL, SMALL, np.clip(k, -1 + 1e-12, 60.0))
        three, two = -np.expm1(-k * LOG3), -np.expm1(-k * LOG2)
        slope = (LOG3 * (1 - three) * two - LOG2 * (1 - two) * three) / two**2
        step = (three / two - wanted) / slope
        k = k - step
        if not (np.abs(step) > 1e-12).any():
            break
    return np.where(valid, np.where(np.abs(k) < SMALL, SMALL, k), np.nan)
