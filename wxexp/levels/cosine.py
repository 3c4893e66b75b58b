"""Noise levels of the cosine schedule (Nichol and Dhariwal 2021), equidistant in its time."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from wxexp.diffusion import noise_level
from wxexp.interfaces import Levels


class Cosine(Levels):
    """Levels s = tan(u) with u equidistant from arctan(sigma_max) to arctan(sigma_min); a single step has sigma_max only.

    The offset 0.008 of the paper only moves the ends, which are given here.
    """

    sigma_min: float = 0.002
    sigma_max: float = 80.0

    def __post_init__(self) -> None:
        if not 0 < self.sigma_min < self.sigma_max:
            raise ValueError(f"Cosine.sigma_min must be in (0, sigma_max = {self.sigma_max}), got {self.sigma_min}")

    def gamma(self, steps: int) -> Tensor:
        u = torch.linspace(math.atan(self.sigma_max), math.atan(self.sigma_min), steps, dtype=torch.float64)
        return noise_level.of_scale(torch.tan(u))
