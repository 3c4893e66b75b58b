"""What bounded likelihoods share: where their bounds are."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from wxexp.interfaces import Likelihood


class BoundedLikelihood(Likelihood):
    """Values at a bound, or beyond it by rounding, have a probability mass of their own."""

    lower: float | None = 0.0
    """Normalised, as the targets are; None: unbounded."""
    upper: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.lower is None and self.upper is None:
            raise ValueError(f"{type(self).__name__} needs a lower or an upper bound, and both are None")
        if not self.low < self.high:
            raise ValueError(f"{type(self).__name__}.lower must be less than upper, got {self.lower} and {self.upper}")

    @property
    def low(self) -> float:
        return -math.inf if self.lower is None else self.lower

    @property
    def high(self) -> float:
        return math.inf if self.upper is None else self.upper

    def by_place(self, x: Tensor, *, lower: Tensor | None, inside: Tensor, upper: Tensor | None) -> Tensor:
        """`lower` where x is at the lower bound, `upper` where at the upper one, `inside` between; None where there is no bound."""
        out = inside
        if lower is not None:
            out = torch.where(x <= self.low, lower, out)
        if upper is not None:
            out = torch.where(x >= self.high, upper, out)
        return out
