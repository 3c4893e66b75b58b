"""The noise levels of variance-preserving diffusion (Song et al. 2021; Karras et al. 2022, table 1, column VP)."""

from __future__ import annotations

import torch
from torch import Tensor

from wxexp.interfaces import Levels


class VP(Levels):
    """Levels s^2 = expm1(beta_d u^2 / 2 + beta_min u) with u equidistant from 1 to epsilon; a single step has u = 1 only."""

    beta_d: float = 19.9
    beta_min: float = 0.1
    epsilon: float = 1e-3

    def __post_init__(self) -> None:
        if self.beta_d < 0:
            raise ValueError(f"VP.beta_d must be at least 0, got {self.beta_d}")
        if self.beta_min <= 0:
            raise ValueError(f"VP.beta_min must be positive, got {self.beta_min}")
        if not 0 < self.epsilon < 1:
            raise ValueError(f"VP.epsilon must be in (0, 1), got {self.epsilon}")

    def gamma(self, steps: int) -> Tensor:
        u = torch.linspace(1, self.epsilon, steps, dtype=torch.float64)
        return -torch.log(torch.expm1((0.5 * self.beta_d * u + self.beta_min) * u))
