"""The double exponential distribution."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from torch import Tensor

from wxexp.interfaces import Likelihood


class Laplace(Likelihood):
    """exp(-|x - f| / s) / 2s: the decoder learns the conditional median, and the scale is the mean absolute error."""

    power: ClassVar[float] = 1.0

    def log_prob(self, x: Tensor, f: Tensor, scale: Tensor) -> Tensor:
        return -(x - f).abs() / scale - (2 * scale).log()

    def quantile(self, z: Tensor, f: Tensor, scale: Tensor) -> Tensor:
        # |x - f| / s = -ln(2 Phi(-|z|)), of the nearer tail, which keeps its digits
        tail: Tensor = torch.special.log_ndtr(-z.abs())
        return f - scale * z.sign() * (tail + math.log(2))

    def moment(self, x: Tensor, f: Tensor, scale: Tensor) -> Tensor:
        return (x - f).abs()
