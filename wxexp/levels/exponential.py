"""Noise levels equidistant in ln s (variance-exploding diffusion: Song et al. 2021; Karras et al. 2022, table 1, column VE)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from wxexp.interfaces import Levels


class Exponential(Levels):
    """Levels s equidistant in ln s, that is in gamma, from sigma_max to sigma_min (VE); a single step has sigma_max only."""

    sigma_min: float = 0.002
    sigma_max: float = 80.0

    def __post_init__(self) -> None:
        if not 0 < self.sigma_min < self.sigma_max:
            raise ValueError(f"Exponential.sigma_min must be in (0, sigma_max = {self.sigma_max}), got {self.sigma_min}")

    def gamma(self, steps: int) -> Tensor:
        return torch.linspace(-2 * math.log(self.sigma_max), -2 * math.log(self.sigma_min), steps, dtype=torch.float64)
