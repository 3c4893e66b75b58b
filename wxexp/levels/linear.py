"""Noise levels equidistant in s."""

from __future__ import annotations

import torch
from torch import Tensor

from wxexp.diffusion import noise_level
from wxexp.interfaces import Levels


class Linear(Levels):
    """Levels s equidistant from sigma_max to sigma_min; a single step has sigma_max only."""

    sigma_min: float = 0.002
    sigma_max: float = 80.0

    def __post_init__(self) -> None:
        if not 0 < self.sigma_min < self.sigma_max:
            raise ValueError(f"Linear.sigma_min must be in (0, sigma_max = {self.sigma_max}), got {self.sigma_min}")

    def gamma(self, steps: int) -> Tensor:
        return noise_level.of_scale(torch.linspace(self.sigma_max, self.sigma_min, steps, dtype=torch.float64))
