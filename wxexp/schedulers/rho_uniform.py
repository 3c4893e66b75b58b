"""Noise drawn uniformly along the levels of EDM, the training density of Anemoi and of GenCast (Price et al. 2025)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from wxexp.diffusion import noise_level
from wxexp.interfaces import Scheduler
from wxexp.schedulers import bounds


class RhoUniform(Scheduler):
    """s^(1/rho) uniform between sigma_min^(1/rho) and sigma_max^(1/rho), the inverse of the levels of Karras et al. (2022, equation 5)."""

    sigma_min: float = 0.02
    sigma_max: float = 100.0
    rho: float = 7.0

    def __post_init__(self) -> None:
        bounds.check_scales("RhoUniform", self.sigma_min, self.sigma_max)
        if self.rho <= 0:
            raise ValueError(f"RhoUniform.rho must be positive, got {self.rho}")

    def gamma(self, t: Tensor) -> Tensor:
        start, width = self._ramp
        return noise_level.of_scale((start + width * t) ** self.rho).clamp(*self.range)

    def time(self, gamma: Tensor) -> Tensor:
        start, width = self._ramp
        return ((torch.exp(-gamma / (2 * self.rho)) - start) / width).clamp(0, 1)

    def log_density(self, gamma: Tensor) -> Tensor:
        _, width = self._ramp
        return bounds.inside(-gamma / (2 * self.rho) - math.log(2 * self.rho * width), gamma, self.range)

    @property
    def range(self) -> tuple[float, float]:
        return bounds.of_scales(self.sigma_min, self.sigma_max)

    @property
    def _ramp(self) -> tuple[float, float]:
        start, end = self.sigma_min ** (1 / self.rho), self.sigma_max ** (1 / self.rho)
        return start, end - start
