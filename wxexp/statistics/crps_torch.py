"""The CRPS of an ensemble of tensors, for losses: O(M log M) time, a sorted copy of the ensemble and its order in memory, no pairs.

The same score as `wxexp.statistics.crps`, from sorted residuals r = x − y:

    CRPS(y, x) = 1/M Σ_i |r_i| − c Σ_i (2i − M − 1) r_(i)

Its gradient, sign(r_i)/M − c (2 rank_i − M − 1), is that of the pairwise form wherever no two members are equal and none equals the
truth. Of equal members it is one of the subgradients, finite always; at the truth the first term has gradient 0. The "fair" score leaves a
member free when all others equal the truth; "almost_fair" does not (Lang et al. 2024).
"""

from __future__ import annotations

import torch

from wxexp.statistics.crps import Estimator, pair_coefficient


def crps(
    truth: torch.Tensor, members: torch.Tensor, *, member_dim: int = 0, estimator: Estimator = "almost_fair", alpha: float = 0.95
) -> torch.Tensor:
    """CRPS at every point, in the units of the field, differentiable in both; smaller is better.

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
    coefficient = pair_coefficient(len(x), estimator, alpha=alpha)
    dtype = torch.promote_types(torch.promote_types(x.dtype, truth.dtype), torch.float32)
    residual = x.to(dtype) - truth.to(dtype)
    rank = 2.0 * torch.arange(len(x), dtype=dtype, device=x.device) - (len(x) - 1)
    pairs = torch.tensordot(rank, residual.sort(dim=0).values, dims=1)
    score: torch.Tensor = residual.abs().mean(dim=0) - coefficient * pairs
    return score
