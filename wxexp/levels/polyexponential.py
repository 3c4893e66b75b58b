"""Noise levels that are a power of a ramp in ln s, the polyexponential schedule of k-diffusion."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from wxexp.interfaces import Levels


class Polyexponential(Levels):
    """Levels ln s = ln sigma_min + u^rho ln(sigma_max / sigma_min) with u equidistant from 1 to 0; a single step has sigma_max only.

    rho = 1 is Exponential; above 1 the levels crowd at sigma_min, below 1 at sigma_max.
    """

    sigma_min: float = 0.002
    sigma_max: float = 80.0
    rho: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.sigma_min < self.sigma_max:
            raise ValueError(f"Polyexponential.sigma_min must be in (0, sigma_max = {self.sigma_max}), got {self.sigma_min}")
        if self.rho <= 0:
            raise ValueError(f"Polyexponential.rho must be positive, got {self.rho}")

    def gamma(self, steps: int) -> Tensor:
        u = torch.linspace(1, 0, steps, dtype=torch.float64)
        return -2 * (math.log(self.sigma_min) + u**self.rho * (math.log(self.sigma_max) - math.log(self.sigma_min)))
