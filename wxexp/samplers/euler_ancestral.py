"""Ancestral sampling: every step draws from the posterior of DDPM (Ho et al. 2020, equation 7, on any levels)."""

from __future__ import annotations

import math
from typing import ClassVar

from torch import Tensor

from wxexp.interfaces import Denoiser, Levels, Noise, Sampler
from wxexp.levels import Karras
from wxexp.samplers.arithmetic import ancestral, scales, steps, total


class EulerAncestral(Sampler):
    """Weak order 1; N evaluations for N steps, the last of them the jump to the estimate of x.

    Euler's step to s_down = sqrt(s'^2 - s_up^2), then fresh noise of standard deviation s_up = eta s' sqrt(1 - r^2), r = s' / s. With
    eta = 1 that is DDPM, with eta = 0 DDIM (Song, Meng and Ermon 2021, equation 16), which draws nothing.
    """

    order: ClassVar[int] = 1
    evaluations: ClassVar[int] = 1
    stochastic: ClassVar[bool] = True
    source: ClassVar[str] = "Ho et al. 2020, doi:10.48550/arXiv.2006.11239; Song, Meng and Ermon 2021, doi:10.48550/arXiv.2010.02502"
    steps: int = 100
    levels: Levels = Karras()
    eta: float = 1.0
    """Share of the posterior's standard deviation that is drawn, in [0, 1]."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.eta <= 1:
            raise ValueError(f"EulerAncestral.eta must be in [0, 1], got {self.eta}")

    def sample(self, denoise: Denoiser, y: Tensor, gamma: Tensor, noise: Noise) -> Tensor:
        s = scales(gamma)
        for step, (here, _, h) in enumerate(steps(gamma)):
            h_down, s_up = ancestral(h, s[step + 1], self.eta)
            y = total((math.exp(-h_down), y), (-math.expm1(-h_down), denoise(y, here)))
            if self.eta > 0:
                y.add_(noise.at(step), alpha=s_up)
        return denoise(y, gamma[-1]) if self.terminal == "denoise" else y
