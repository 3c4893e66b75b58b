"""The CRPS of an ensemble of tensors, for losses: no pairs in memory, and gradients without a sorted copy.

The same score as `wxexp.statistics.crps`, from residuals r = x − y and the ranks of the members, 1 to M:

    CRPS(y, x) = 1/M Σ_i |r_i| − c Σ_i (2 rank_i − M − 1) r_i

Its gradient, sign(r_i)/M − c (2 rank_i − M − 1), is that of the pairwise form wherever no two members are equal and none equals the
truth. Of equal members it is one of the subgradients, finite always; at the truth the first term has gradient 0. The "fair" score leaves a
member free when all others equal the truth; "almost_fair" does not (Lang et al. 2024).

The gradient is two small whole numbers for each member, which are all that is kept for the way back, half of the memory of an ensemble in
float32. Points are taken in blocks that stay in cache. Ranks of few members are counted, in vectorised comparisons; those of more are
sorted.
"""

from __future__ import annotations

from typing import Any

import torch

from wxexp.statistics.crps import Estimator, pair_coefficient

BLOCK = {"cpu": 1 << 17}
"""Members times points at a time, by device; elsewhere 2²⁴."""

COUNTED = 32
"""Members up to which ranks are counted."""


def crps(
    truth: torch.Tensor, members: torch.Tensor, *, member_dim: int = 0, estimator: Estimator = "almost_fair", alpha: float = 0.95
) -> torch.Tensor:
    """CRPS at every point, in the units of the field, differentiable (once) in both; smaller is better.

    Args:
        truth: [*S].
        members: [M, *S], or with the members on `member_dim`; half precision is taken in float32.
        member_dim: of `members`.
        estimator: "fair", "biased" or "almost_fair", see `wxexp.statistics.crps`.
        alpha: share of the fair score in "almost_fair".

    Returns:
        [*S], float32 or float64; NaN where the truth or any member is NaN.

    Raises:
        ValueError: for shapes that do not match, and for one member where the estimator is not "biased".
    """
    x = members.movedim(member_dim, 0)
    if x.shape[1:] != truth.shape:
        raise ValueError(
            f"truth of shape {tuple(truth.shape)} does not match members of shape {tuple(members.shape)} with member_dim={member_dim}"
        )
    if not len(x):
        raise ValueError("members must have at least 1 member, got 0")
    score: torch.Tensor = _CRPS.apply(truth, x, pair_coefficient(len(x), estimator, alpha=alpha))  # type: ignore[no-untyped-call]
    return score


class _CRPS(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, truth: torch.Tensor, members: torch.Tensor, coefficient: float) -> torch.Tensor:
        count = len(members)
        y, x = truth.reshape(-1), members.reshape(count, -1)
        dtype = torch.promote_types(torch.promote_types(x.dtype, y.dtype), torch.float32)
        score = torch.empty(y.shape, dtype=dtype, device=x.device)
        keep = any(ctx.needs_input_grad)
        small = torch.int8 if count <= 64 else torch.int32
        order, sign = (torch.empty(x.shape if keep else (0,), dtype=kind, device=x.device) for kind in (small, torch.int8))
        for points in _blocks(x):
            residual = x[:, points].to(dtype) - y[points].to(dtype)
            rank = _order(residual, small)
            score[points] = residual.abs().mean(dim=0) - coefficient * (rank * residual).sum(dim=0)
            if keep:
                order[:, points] = rank
                sign[:, points] = residual.nan_to_num_().sign_().to(torch.int8)
        ctx.save_for_backward(order, sign)
        ctx.coefficient, ctx.shapes, ctx.dtypes = coefficient, (truth.shape, members.shape), (truth.dtype, members.dtype)
        return score.reshape(truth.shape)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, torch.Tensor | None, None]:
        order, sign = ctx.saved_tensors
        g = gradient.reshape(-1)
        to_truth = to_members = None
        if ctx.needs_input_grad[1]:
            to_members = torch.empty(order.shape, dtype=ctx.dtypes[1], device=g.device)
            for points in _blocks(order):
                own = g[points]
                to_members[:, points] = (sign[:, points] * (own / len(order)) - order[:, points] * (ctx.coefficient * own)).to(
                    ctx.dtypes[1]
                )
            to_members = to_members.reshape(ctx.shapes[1])
        if ctx.needs_input_grad[0]:
            to_truth = (-g * sign.sum(dim=0) / len(order)).to(ctx.dtypes[0]).reshape(ctx.shapes[0])  # the orders sum to 0
        return to_truth, to_members, None


def _blocks(x: torch.Tensor) -> list[slice]:
    size = max(1, BLOCK.get(x.device.type, 1 << 24) // len(x))
    return [slice(start, start + size) for start in range(0, x.shape[1], size)]


def _order(residual: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """2 rank − M − 1 of each member, [M, points]; of equal ones the first is first."""
    count = len(residual)
    if count > COUNTED:
        steps = torch.arange(1 - count, count, 2, dtype=dtype, device=residual.device)
        order = torch.empty(residual.shape, dtype=dtype, device=residual.device)
        return order.scatter_(0, residual.argsort(dim=0, stable=True), steps[:, None].expand_as(residual))
    below = torch.zeros(residual.shape, dtype=dtype, device=residual.device)
    for lag in range(1, count):  # each pair of members once
        before = residual[lag:] < residual[:-lag]
        below[:-lag] += before
        below[lag:] += ~before
    return 2 * below - (count - 1)
