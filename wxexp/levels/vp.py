"""The noise levels of variance-preserving diffusion (Song et al. 2021; Karras et al. 2022, table 1, column VP)."""

from __future__ import annotations

import torch
from torch import Tensor

from wxexp.diffusion import vp
from wxexp.interfaces import Levels


class VP(Levels):
    """Levels s^2 = expm1(beta_d u^2 / 2 + beta_min u) with u equidistant from 1 to epsilon; a single step has u = 1 only."""

    beta_d: float = 19.9
    beta_min: float = 0.1
    epsilon: float = 1e-3

    def __post_init__(self) -> None:
        vp.check("VP", self.beta_d, self.beta_min, self.epsilon)

    def gamma(self, steps: int) -> Tensor:
        u = torch.linspace(1, self.epsilon, steps, dtype=torch.float64)
        return vp.gamma(u, beta_d=self.beta_d, beta_min=self.beta_min)
