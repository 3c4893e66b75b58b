"""Means over valid cells, by area and variable: the same in every objective."""

from __future__ import annotations

import torch
from torch import Tensor

from wxexp.fields import masks


def masked_mean(x: Tensor, *, mask: Tensor | None = None, area: Tensor | None = None, weights: Tensor | None = None) -> Tensor:
    """M(x) = sum a w m x / sum a w m of each sample, [N] in the dtype of x.

    Masked cells are replaced before anything else, so NaN there is harmless, in the value and in the gradient with respect to x; NaN in a
    valid cell stays. A sample without valid cells gives 0, and no gradient.

    Args:
        x: [N, C, *S].
        mask: m, bool [1|N, 1|C, *S], True where valid; None: all.
        area: a, relative cell areas [1|N, *S]; None: equal.
        weights: w, relative weights of the channels [C]; None: equal.

    Raises:
        ValueError: for a mask, areas or weights of another shape, or a mask that is not bool.
    """
    weight = torch.ones((), dtype=x.dtype, device=x.device).expand((1,) * x.ndim)
    if weights is not None:
        if weights.shape != x.shape[1:2]:
            raise ValueError(f"weights must be one of each channel, {tuple(x.shape[1:2])}, got {tuple(weights.shape)}")
        weight = weight * weights.to(x).view(-1, *(1,) * (x.ndim - 2))
    if area is not None:
        if area.shape not in ((1, *x.shape[2:]), (len(x), *x.shape[2:])):
            raise ValueError(f"area must have the shape {(len(x), *x.shape[2:])}, or 1 row, got {tuple(area.shape)}")
        weight = weight * area.to(x)[:, None]
    if mask is not None:
        masks.check("mask", mask, x.shape)
        x = torch.where(mask, x, 0.0)
        weight = weight * mask
    total = (x * weight).flatten(1).sum(1)
    count = weight.expand(len(weight), *x.shape[1:]).flatten(1).sum(1)
    return torch.where(count > 0, total / torch.where(count > 0, count, 1.0), 0.0)
