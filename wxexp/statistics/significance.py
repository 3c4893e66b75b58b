"""Whether the scores of two runs differ by more than chance, of the difference d of one score at n times in order."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from wxexp.statistics.spacing import Spacing


@dataclasses.dataclass(frozen=True)
class Paired:
    """Of a mean difference.

    Attributes:
        mean: of d; negative where the first is smaller.
        size: independent differences that would tell as much as the n there are.
        statistic: mean over its standard error.
        p: chance of one as large, of either sign, if there were no difference.
    """

    mean: float
    size: float
    statistic: float
    p: float


def autocorrelation(d: np.ndarray, lag: int = 1) -> float:
    """Σ (d_t − d̄)(d_{t+lag} − d̄) / Σ (d_t − d̄)²; NaN of a constant series."""
    e = d - d.mean()
    with np.errstate(invalid="ignore"):
        return float(np.divide(e[lag:] @ e[: len(e) - lag], e @ e))


def effective_size(d: np.ndarray, times: Sequence[float] | np.ndarray | None = None) -> float:
    """N (1 − r) / (1 + r) of a series whose autocorrelation falls off as r, r², … (Wilks 2019, eq. 5.12), N at most.

    With `times` [case], which increase, the r^τ of its pairs go by how far apart they are, see `Spacing`.
    """
    if times is None:
        r = autocorrelation(d)
        return float(min(len(d), len(d) * (1.0 - r) / (1.0 + r))) if math.isfinite(r) else math.nan
    spacing = Spacing(times)
    return float(spacing.sizes(spacing.correlation(d)))


def paired(d: np.ndarray) -> Paired:
    """Student's t test with the effective sample size in place of n, two-sided (Zwiers and von Storch 1995).

    Raises:
        ValueError: for fewer than 3 differences.
    """
    x = _series(d, 3)
    size = effective_size(x)
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = float(np.divide(x.mean(), x.std(ddof=1) / np.sqrt(size)))
    from scipy import special  # heavy

    freedom = max(size - 1.0, 1.0)
    return Paired(float(x.mean()), size, statistic, float(2.0 * special.stdtr(freedom, -abs(statistic))))


def diebold_mariano(d: np.ndarray) -> Paired:
    """The test of Diebold and Mariano (1995) with the exponential autocovariances of Hering and Genton (2011), two-sided, normal.

    The model C(h) = σ² exp(−3 h / θ) is fitted to the autocovariances up to half of the series; the variance of the mean is its sum over
    all lags over n, which unlike that of the autocovariances themselves is never negative.

    Raises:
        ValueError: for fewer than 5 differences.
    """
    from scipy import optimize, special

    x = _series(d, 5)
    n = len(x)
    e = x - x.mean()
    half = np.arange((n + 1) // 2)
    measured = np.array([e[lag:] @ e[: n - lag] for lag in half]) / n
    if measured[0] == 0:
        return Paired(float(x.mean()), math.nan, math.nan, math.nan)
    scaled = measured / measured[0]

    def misfit(p: np.ndarray) -> np.ndarray:
        return np.asarray(p[0] ** 2 * np.exp(-3.0 * half / abs(p[1])) - scaled)

    sigma, theta = optimize.least_squares(misfit, [1.0, 1.0], xtol=1e-12, ftol=1e-12, gtol=1e-12).x
    model = measured[0] * sigma**2 * np.exp(-3.0 * np.arange(n) / abs(theta))
    variance = float(model[0] + 2.0 * model[1:].sum()) / n
    statistic = float(x.mean() / math.sqrt(variance))
    return Paired(float(x.mean()), float(measured[0] / variance), statistic, float(2.0 * special.ndtr(-abs(statistic))))


def _series(d: np.ndarray, least: int) -> np.ndarray:
    x = np.asarray(d, dtype=np.float64)
    if x.ndim != 1 or len(x) < least:
        raise ValueError(f"d must be a series of at least {least} differences, got shape {x.shape}")
    return x
