"""Monotone transforms that make a skewed variable easier to learn; each with its inverse.

    none   x
    sqrt   x^(1/2)      x >= 0
    cbrt   x^(1/3)      any x, odd
    log1p  ln(1 + x)    x >= 0

What lies below the domain (a bicubic overshoot of rain, a sample just below 0) counts as 0. NaN stays NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import torch
from torch import Tensor

Transform = Literal["none", "sqrt", "cbrt", "log1p"]

FORWARD: Mapping[str, Callable[[Tensor], Tensor]] = {
    "none": lambda x: x,
    "sqrt": lambda x: x.clamp(min=0).sqrt(),
    "cbrt": lambda x: x.sign() * x.abs().pow(1 / 3),
    "log1p": lambda x: x.clamp(min=0).log1p(),
}
INVERSE: Mapping[str, Callable[[Tensor], Tensor]] = {
    "none": lambda y: y,
    "sqrt": lambda y: y.clamp(min=0).square(),
    "cbrt": lambda y: y * y * y,
    "log1p": lambda y: y.clamp(min=0).expm1(),
}
NOT_NEGATIVE = ("sqrt", "log1p")


def forward(x: Tensor, transforms: tuple[str, ...]) -> Tensor:
    """Channel by channel, [..., C, *S] with channels on axis 1."""
    if set(transforms) <= {"none"}:
        return x
    return torch.stack([FORWARD[name](x[:, c]) for c, name in enumerate(transforms)], dim=1)


def inverse(y: Tensor, transforms: tuple[str, ...]) -> Tensor:
    """The inverse of `forward`."""
    if set(transforms) <= {"none"}:
        return y
    return torch.stack([INVERSE[name](y[:, c]) for c, name in enumerate(transforms)], dim=1)
