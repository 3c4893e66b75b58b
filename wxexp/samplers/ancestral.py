"""What ancestral samplers share: each step goes below the next level, and fresh noise leads back up to it.

From s to s' the deterministic step goes to s_down and noise of standard deviation s_up is added,

    s_up = eta s' sqrt(1 - r^2),   s_down^2 = s'^2 - s_up^2,   r = s' / s;

with eta = 1 that is the noise of DDPM's posterior (Ho et al. 2020; Song, Meng and Ermon 2021, equation 16), eta = 0 draws nothing.
"""

from __future__ import annotations

import math
from typing import ClassVar

from torch import Tensor

from wxexp.interfaces import Denoiser, Noise, Sampler
from wxexp.samplers.arithmetic import scales, steps


class Ancestral(Sampler):
    """A solver of the probability flow, `advanced`, with noise after each of its steps."""

    stochastic: ClassVar[bool] = True
    eta: float = 1.0
    """Share of the posterior's standard deviation that is drawn, in [0, 1]."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.eta <= 1:
            raise ValueError(f"{type(self).__name__}.eta must be in [0, 1], got {self.eta}")

    def sample(self, denoise: Denoiser, y: Tensor, gamma: Tensor, noise: Noise) -> Tensor:
        s = scales(gamma)
        for step, (here, _, h) in enumerate(steps(gamma)):
            h_down, s_up = parts(h, s[step + 1], self.eta)
            y = self.advanced(denoise, y, here, h_down)
            if self.eta > 0:
                y.add_(noise.at(step), alpha=s_up)
        return denoise(y, gamma[-1]) if self.terminal == "denoise" else y

    def advanced(self, denoise: Denoiser, y: Tensor, here: Tensor, h: float) -> Tensor:
        """The state h = ln(s / s_down) further, a new field."""
        raise NotImplementedError


def parts(h: float, s_next: float, eta: float) -> tuple[float, float]:
    """A step of length h to s' in two parts: the length of the deterministic step to s_down, and s_up."""
    lost = -math.expm1(-2 * h)
    drawn = eta**2 * lost
    kept = math.log1p(-drawn) if drawn < 0.5 else math.log(1 - eta**2 + eta**2 * math.exp(-2 * h))  # 1 - drawn would cancel
    return h - 0.5 * kept, eta * s_next * math.sqrt(lost)
