"""The continuous ranked probability score of an ensemble, in O(M log² M) time without a copy of it.

    CRPS(y, x) = 1/M Σ_i |x_i − y| − c Σ_{i<j} |x_i − x_j|

    c = 1 / M²          "biased": of the empirical distribution (Gneiting and Raftery 2007, eq. 21)
    c = 1 / (M (M − 1)) "fair": of the distribution the members are drawn from (Ferro 2014)
    c = α of the second + (1 − α) of the first: "almost_fair", without the degeneracy of the fair score (Lang et al. 2024)

The pair sum is Σ (2i − M − 1) r_(i) over sorted residuals r = x − y. The truth is subtracted first: in float32 the sum over raw values
of a field like geopotential (5e4 ± 100) loses three digits. Large ensembles go through a compiled kernel, tile by tile; small ones,
which would wait for it to load, and those of more than 128 members through numpy. The two agree to rounding.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from wxexp.statistics.network import NETWORK_LIMIT

Estimator = Literal["fair", "biased", "almost_fair"]

COMPILED = 1 << 16
"""Members times points from which the compiled kernel is used."""


def pair_coefficient(members: int, estimator: Estimator = "fair", *, alpha: float = 0.95) -> float:
    """The coefficient c of Σ_{i<j} |x_i − x_j|.

    Raises:
        ValueError: for an unknown estimator, alpha outside [0, 1], and for one member, which has no fair score.
    """
    if estimator not in get_args(Estimator):
        raise ValueError(f"estimator must be one of {', '.join(get_args(Estimator))}, got {estimator!r}")
    if not 0.0 <= alpha <= 1.0:
        raise ValueError(f"alpha must be in [0, 1], got {alpha}")
    biased = 1.0 / members**2
    if estimator == "biased":
        return biased
    if members < 2:
        raise ValueError(
            f"estimator {estimator!r} needs at least 2 members, got {members}; the score of one is its absolute error ('biased')"
        )
    fair = 1.0 / (members * (members - 1))
    return fair if estimator == "fair" else alpha * fair + (1.0 - alpha) * biased


def crps(truth: np.ndarray, members: np.ndarray, *, member_axis: int = 0, estimator: Estimator = "fair", alpha: float = 0.95) -> np.ndarray:
    """CRPS at every point, in the units of the field; smaller is better.

    Args:
        truth: [*S].
        members: [M, *S], or with the members on `member_axis`.
        member_axis: of `members`.
        estimator: "fair", "biased" or "almost_fair", see the module.
        alpha: share of the fair score in "almost_fair".

    Returns:
        float64 [*S]; NaN where the truth or any member is NaN.

    Raises:
        ValueError: for shapes that do not match, and for one member where the estimator is not "biased".
    """
    x, y = np.moveaxis(np.asarray(members), member_axis, 0), np.asarray(truth)
    if x.shape[1:] != y.shape:
        raise ValueError(f"truth of shape {y.shape} does not match members of shape {np.shape(members)} with member_axis={member_axis}")
    if not len(x):
        raise ValueError("members must have at least 1 member, got 0")
    count = len(x)
    coefficient = pair_coefficient(count, estimator, alpha=alpha)
    dtype = np.result_type(x, y, np.float32)
    if x.size >= COMPILED and count <= NETWORK_LIMIT and dtype in (np.float32, np.float64):
        from wxexp.statistics.crps_kernel import crps_of_points  # here: it loads numba

        flat = y.astype(dtype, copy=False).reshape(-1), x.astype(dtype, copy=False).reshape(count, -1)
        return crps_of_points(*flat, coefficient).reshape(y.shape)
    residual = np.sort(np.subtract(x, y, dtype=dtype), axis=0)
    rank = 2.0 * np.arange(count) - (count - 1)
    skill = np.abs(residual).mean(axis=0, dtype=np.float64)
    pairs = np.einsum("m,m...->...", rank, residual)
    return np.asarray(skill - coefficient * pairs, dtype=np.float64)
