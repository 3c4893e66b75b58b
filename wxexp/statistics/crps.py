"""The continuous ranked probability score of an ensemble, in O(M log² M) time without a copy of it.

    CRPS(y, x) = 1/M Σ_i |x_i − y| − c Σ_{i<j} |x_i − x_j|

    c = 1 / M²          "biased": of the empirical distribution (Gneiting and Raftery 2007, eq. 21)
    c = 1 / (M (M − 1)) "fair": of the distribution the members are drawn from (Ferro 2014)
    c = α of the second + (1 − α) of the first: "almost_fair", without the degeneracy of the fair score (Lang et al. 2024)

The pair sum is Σ (2i − M − 1) r_(i) over sorted residuals r = x − y. The truth is subtracted first: in float32 the sum over raw values
of a field like geopotential (5e4 ± 100) loses three digits. Large ensembles go through a compiled kernel, tile by tile; small ones,
which would wait for it to load, and those of more than 128 members through numpy. The two agree to rounding.

Members that do not count alike have weights v_i, of sum 1: 1/M becomes v_i, and the pair sum Σ_{i<j} v_i v_j |x_i − x_j|, which c = 1 makes
"biased" and c = 1 / (1 − Σ v_i²) "fair".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np

from wxexp.statistics.network import NETWORK_LIMIT
from wxexp.statistics.weighted_pairs import CELLS, weighted_pairs

Estimator = Literal["fair", "biased", "almost_fair"]
Missing = Literal["propagate", "omit"]

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


def crps(
    truth: np.ndarray,
    members: np.ndarray,
    *,
    member_axis: int = 0,
    estimator: Estimator = "fair",
    alpha: float = 0.95,
    member_weights: Sequence[float] | np.ndarray | None = None,
    missing: Missing = "propagate",
) -> np.ndarray:
    """CRPS at every point, in the units of the field; smaller is better.

    Args:
        truth: [*S].
        members: [M, *S], or with the members on `member_axis`.
        member_axis: of `members`.
        estimator: "fair", "biased" or "almost_fair", see the module.
        alpha: share of the fair score in "almost_fair".
        member_weights: how much each member counts, [M], in any unit and at least 0; None: all alike.
        missing: what a member that is NaN does to its point: "propagate" makes the score NaN, "omit" scores the other members.

    Returns:
        float64 [*S]; NaN where the truth is NaN, where any member is unless they are omitted, and where too few are left then: none of the
        "biased" score, one of the others.

    Raises:
        ValueError: for shapes that do not match, for weights that are negative or all 0, and for one member (or one that has weight) where
            the estimator is not "biased".
    """
    x, y = np.moveaxis(np.asarray(members), member_axis, 0), np.asarray(truth)
    if x.shape[1:] != y.shape:
        raise ValueError(f"truth of shape {y.shape} does not match members of shape {np.shape(members)} with member_axis={member_axis}")
    if not len(x):
        raise ValueError("members must have at least 1 member, got 0")
    if missing not in get_args(Missing):
        raise ValueError(f"missing must be one of {', '.join(get_args(Missing))}, got {missing!r}")
    shares = None if member_weights is None else _shares(member_weights, len(x))
    score = _alike(y, x, pair_coefficient(len(x), estimator, alpha=alpha)) if shares is None else _weighted(y, x, shares, estimator, alpha)
    if missing == "omit" and (lost := np.isnan(score) & ~np.isnan(y)).any():
        equal = np.full(len(x), 1.0 / len(x))
        score[lost] = _weighted(y[lost], x[:, lost], equal if shares is None else shares, estimator, alpha, omit=True)
    return score


def _alike(truth: np.ndarray, members: np.ndarray, coefficient: float) -> np.ndarray:
    """The score of members that count alike."""
    y, x, count = truth, members, len(members)
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


def _shares(member_weights: Sequence[float] | np.ndarray, count: int) -> np.ndarray:
    """Of sum 1."""
    v = np.asarray(member_weights, dtype=np.float64)
    if v.shape != (count,) or not np.isfinite(v).all() or (v < 0).any() or not v.any():
        raise ValueError(f"member_weights must be {count} numbers, one of each member, at least 0 and not all 0, got {member_weights!r}")
    return np.asarray(v / v.sum())


def _weighted(
    truth: np.ndarray, members: np.ndarray, shares: np.ndarray, estimator: Estimator, alpha: float, *, omit: bool = False
) -> np.ndarray:
    """The score of members that count with `shares` [M], of those that are not NaN where they are to be omitted."""
    pair_coefficient(int(np.count_nonzero(shares)), estimator, alpha=alpha)  # that of equal shares, for its errors
    fair = {"biased": 0.0, "fair": 1.0, "almost_fair": alpha}[estimator]
    y, x = truth.reshape(-1), members.reshape(len(members), -1)
    score = np.empty(y.shape)
    for start in range(0, y.size, CELLS):
        cells = slice(start, start + CELLS)
        residual, v = np.subtract(x[:, cells], y[cells], dtype=np.float64), shares[:, None]
        if omit:
            there = ~np.isnan(x[:, cells])
            residual, v = np.where(there, residual, 0.0), v * there
        with np.errstate(divide="ignore", invalid="ignore"):  # where too few are left
            v = v / v.sum(axis=0)
            coefficient = fair / (1.0 - (v * v).sum(axis=0)) + 1.0 - fair if fair else 1.0
            score[cells] = (v * np.abs(residual)).sum(axis=0) - coefficient * weighted_pairs(residual, v)
    return score.reshape(truth.shape)
