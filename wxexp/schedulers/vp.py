"""The density of variance-preserving diffusion, DDPM in continuous time (Song et al. 2021; Karras et al. 2022, table 1, column VP)."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from wxexp.interfaces import Scheduler
from wxexp.schedulers import bounds


class VP(Scheduler):
    """Gamma = -ln expm1(beta_d u^2 / 2 + beta_min u), s^2 = expm1(...), with u uniform on [epsilon, 1] (DDPM)."""

    beta_d: float = 19.9
    beta_min: float = 0.1
    epsilon: float = 1e-5

    def __post_init__(self) -> None:
        if self.beta_d < 0:
            raise ValueError(f"VP.beta_d must be at least 0, got {self.beta_d}")
        if self.beta_min <= 0:
            raise ValueError(f"VP.beta_min must be positive, got {self.beta_min}")
        if not 0 < self.epsilon < 1:
            raise ValueError(f"VP.epsilon must be in (0, 1), got {self.epsilon}")

    def gamma(self, t: Tensor) -> Tensor:
        u = self.epsilon + (1 - self.epsilon) * t
        gamma = -torch.log(torch.expm1((0.5 * self.beta_d * u + self.beta_min) * u))
        return gamma.clamp(*self.range)

    def time(self, gamma: Tensor) -> Tensor:
        return ((self._u(gamma) - self.epsilon) / (1 - self.epsilon)).clamp(0, 1)

    def log_density(self, gamma: Tensor) -> Tensor:
        slope = torch.log(self.beta_d * self._u(gamma) + self.beta_min)
        return bounds.inside(F.logsigmoid(-gamma) - slope - math.log1p(-self.epsilon), gamma, self.range)

    @property
    def range(self) -> tuple[float, float]:
        low, high = (-math.log(math.expm1((0.5 * self.beta_d * u + self.beta_min) * u)) for u in (1.0, self.epsilon))
        return (low, high)

    def _u(self, gamma: Tensor) -> Tensor:
        """The root of beta_d u^2 / 2 + beta_min u = ln(1 + s^2), in the form that does not cancel where there is little noise."""
        integral = -F.logsigmoid(gamma)
        return 2 * integral / (self.beta_min + torch.sqrt(self.beta_min**2 + 2 * self.beta_d * integral))
