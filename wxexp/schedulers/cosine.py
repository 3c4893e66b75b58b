"""The cosine schedule of Nichol and Dhariwal (2021) in continuous time, shifted for large fields (Hoogeboom et al. 2023)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from wxexp.interfaces import Scheduler


class Cosine(Scheduler):
    """Gamma = -2 ln tan(pi t / 2) + 2 shift, so p = sech(gamma / 2 - shift) / (2 pi).

    Hoogeboom et al. (2023, "Simple diffusion") set shift = ln(64 / width) for fields of `width` cells: more noise for larger fields.
    """

    shift: float = 0.0

    def gamma(self, t: Tensor) -> Tensor:
        return -2 * torch.log(torch.tan(0.5 * math.pi * t)) + 2 * self.shift

    def time(self, gamma: Tensor) -> Tensor:
        return torch.atan(torch.exp(self.shift - gamma / 2)) * (2 / math.pi)

    def log_density(self, gamma: Tensor) -> Tensor:
        x = gamma / 2 - self.shift
        return -torch.logaddexp(x, -x) - math.log(math.pi)

    @property
    def range(self) -> tuple[float, float]:
        return (-math.inf, math.inf)
