"""The variogram score of an ensemble of tensors, for losses: the score of `wxexp.metrics.VariogramScore`, with finite gradients.

    VS = mean over pairs (i, j) at a lag of (a − b̄)² − s_b² / M,    a = |y_i − y_j|^p,    b_m = |x_mi − x_mj|^p

(Scheuerer and Hamill 2015, eq. 13). The last term is that of the "fair" score, with the unbiased variance s_b² over members; "biased" has
none. For p < 1 the slope of |d|^p has no bound near d = 0 and no value at 0, where cells are equal: dry ones, as a rule. There 0 is
taken, which moves neither cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch


def variogram_score(
    truth: torch.Tensor,
    members: torch.Tensor,
    *,
    lags: Sequence[int] = (1, 2, 4),
    dims: int = 2,
    order: float = 0.5,
    estimator: Literal["fair", "biased"] = "fair",
    weight: torch.Tensor | None = None,
) -> torch.Tensor:
    """The score at every lag, in the units of the field to the power 2p, differentiable in both; smaller is better.

    Args:
        truth: [..., *S].
        members: [M, ..., *S].
        lags: distances of pairs in cells, along each dim of space; pairs do not go round the globe.
        dims: how many dims *S are.
        order: p.
        estimator: "fair" or "biased".
        weight: [*S], 0: not scored; pairs count with the mean of the two, and only where both are above 0. None: all alike.

    Returns:
        [..., lag]; NaN where truth or a member is in a pair that is scored, and at a lag that has no pair.

    Raises:
        ValueError: for shapes that do not match, an unknown estimator, lags below 1, an order that is not positive, and for one member
            where the estimator is "fair".
    """
    space = truth.shape[truth.ndim - dims :]
    if members.shape[1:] != truth.shape or not 0 < dims <= truth.ndim or (weight is not None and weight.shape != space):
        raise ValueError(
            f"members must be [M, *truth], weight [*S] of the last {dims} dims of truth, got {tuple(truth.shape)}, {tuple(members.shape)}"
            + ("" if weight is None else f", {tuple(weight.shape)}")
        )
    if estimator not in ("fair", "biased"):
        raise ValueError(f"estimator must be fair or biased, got {estimator!r}")
    if not lags or min(lags) < 1:
        raise ValueError(f"lags must be one or more numbers of cells, at least 1, got {tuple(lags)}")
    if not order > 0:
        raise ValueError(f"order must be positive, got {order}")
    if estimator == "fair" and len(members) < 2:
        raise ValueError(f"estimator 'fair' needs at least 2 members, got {len(members)}")
    w = torch.ones(space, dtype=truth.dtype, device=truth.device) if weight is None else weight.to(truth.dtype)
    scores = []
    for lag in lags:
        total, pairs = truth.new_zeros(truth.shape[: truth.ndim - dims]), w.new_zeros(())
        for dim in range(-dims, 0):
            if lag >= truth.shape[dim]:
                continue
            first, second = _ends(w, dim, lag)
            both = torch.where((first > 0) & (second > 0), 0.5 * (first + second), 0.0)
            a, b = (_power(*_ends(field, dim, lag), both > 0, order) for field in (truth, members))
            score = (a - b.mean(dim=0)) ** 2
            if estimator == "fair":
                score = score - b.var(dim=0) / len(b)
            total = total + (both * score).flatten(-dims).sum(dim=-1)
            pairs = pairs + both.sum()
        scores.append(total / pairs)
    return torch.stack(scores, dim=-1)


def _ends(x: torch.Tensor, dim: int, lag: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The first and second cells of the pairs."""
    size = x.shape[dim] - lag
    return x.narrow(dim, 0, size), x.narrow(dim, lag, size)


def _power(first: torch.Tensor, second: torch.Tensor, used: torch.Tensor, order: float) -> torch.Tensor:
    """|x_i − x_j|^p, 0 where not used."""
    apart = (torch.where(used, first, 0.0) - torch.where(used, second, 0.0)).abs()
    equal = apart == 0
    # inside the power too: the slope of what `where` leaves out is multiplied with 0, which infinity survives
    return torch.where(equal, 0.0, torch.where(equal, 1.0, apart) ** order)
