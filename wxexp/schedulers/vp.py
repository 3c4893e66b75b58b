"""The density of variance-preserving diffusion, DDPM in continuous time (Song et al. 2021; Karras et al. 2022, table 1, column VP)."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from wxexp.diffusion import vp
from wxexp.interfaces import Scheduler
from wxexp.schedulers import bounds


class VP(Scheduler):
    """Gamma = -ln expm1(beta_d u^2 / 2 + beta_min u), s^2 = expm1(...), with u uniform on [epsilon, 1] (DDPM)."""

    beta_d: float = 19.9
    beta_min: float = 0.1
    epsilon: float = 1e-5

    def __post_init__(self) -> None:
        vp.check("VP", self.beta_d, self.beta_min, self.epsilon)

    def gamma(self, t: Tensor) -> Tensor:
        u = self.epsilon + (1 - self.epsilon) * t
        return vp.gamma(u, beta_d=self.beta_d, beta_min=self.beta_min).clamp(*self.range)

    def time(self, gamma: Tensor) -> Tensor:
        return ((self._u(gamma) - self.epsilon) / (1 - self.epsilon)).clamp(0, 1)

    def log_density(self, gamma: Tensor) -> Tensor:
        slope = torch.log(self.beta_d * self._u(gamma) + self.beta_min)
        return bounds.inside(F.logsigmoid(-gamma) - slope - math.log1p(-self.epsilon), gamma, self.range)

    @property
    def range(self) -> tuple[float, float]:
        low, high = vp.gamma(torch.tensor([1.0, self.epsilon], dtype=torch.float64), beta_d=self.beta_d, beta_min=self.beta_min).tolist()
        return (low, high)

    def _u(self, gamma: Tensor) -> Tensor:
        return vp.time(gamma, beta_d=self.beta_d, beta_min=self.beta_min)
