"""Masks of valid cells: their shape is checked where a mask meets a state, since a wrong one could broadcast into another meaning."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def check(name: str, mask: Tensor, shape: Sequence[int]) -> None:
    """Refuses a mask, given as `name`, that is not bool or does not fit a state of this shape (N, C, *S).

    Raises:
        ValueError: unless the mask has as many axes, each of the size of the state's or, for rows and channels, of size 1.
    """
    if mask.dtype != torch.bool:
        raise ValueError(f"{name} must be bool, True where valid, got {mask.dtype}")
    sizes = zip(mask.shape, shape, strict=False)
    if len(mask.shape) != len(shape) or not all(m == n or (m == 1 and axis < 2) for axis, (m, n) in enumerate(sizes)):
        raise ValueError(f"{name} must have the shape {tuple(shape)}, or 1 row, or 1 channel, got {tuple(mask.shape)}")
