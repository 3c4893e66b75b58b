"""The noise levels of EDM (Karras et al. 2022, equation 5)."""

from __future__ import annotations

import torch
from torch import Tensor

from wxexp.diffusion import noise_level
from wxexp.interfaces import Levels


class Karras(Levels):
    """Levels s equidistant in s^(1/rho) from sigma_max to sigma_min; a single step has sigma_max only."""

    sigma_min: float = 0.002
    sigma_max: float = 80.0
    rho: float = 7.0

    def __post_init__(self) -> None:
        if not 0 < self.sigma_min < self.sigma_max:
            raise ValueError(f"Karras.sigma_min must be in (0, sigma_max = {self.sigma_max}), got {self.sigma_min}")
        if self.rho <= 0:
            raise ValueError(f"Karras.rho must be positive, got {self.rho}")

    def gamma(self, steps: int) -> Tensor:
        ramp = torch.linspace(0, 1, steps, dtype=torch.float64)
        start, end = self.sigma_max ** (1 / self.rho), self.sigma_min ** (1 / self.rho)
        return noise_level.of_scale((start + ramp * (end - start)) ** self.rho)
