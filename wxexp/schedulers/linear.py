"""Log-SNR that is linear in time (Kingma et al. 2021, "Variational diffusion models", at a fixed schedule)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from wxexp.interfaces import Scheduler
from wxexp.schedulers import bounds


class Linear(Scheduler):
    """Gamma uniform between gamma_min and gamma_max."""

    gamma_min: float = -10.0
    gamma_max: float = 10.0

    def __post_init__(self) -> None:
        if self.gamma_min >= self.gamma_max:
            raise ValueError(f"Linear.gamma_min must be below gamma_max = {self.gamma_max}, got {self.gamma_min}")

    def gamma(self, t: Tensor) -> Tensor:
        return (self.gamma_max + (self.gamma_min - self.gamma_max) * t).clamp(*self.range)

    def time(self, gamma: Tensor) -> Tensor:
        return ((self.gamma_max - gamma) / (self.gamma_max - self.gamma_min)).clamp(0, 1)

    def log_density(self, gamma: Tensor) -> Tensor:
        return bounds.inside(torch.full_like(gamma, -math.log(self.gamma_max - self.gamma_min)), gamma, self.range)

    @property
    def range(self) -> tuple[float, float]:
        return (self.gamma_min, self.gamma_max)
