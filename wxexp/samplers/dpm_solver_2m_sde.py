"""SDE-DPM-Solver++(2M), the two-step multistep solver of the reverse stochastic equation (Lu et al. 2022b)."""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor

from wxexp.diffusion import noise_level
from wxexp.interfaces import Denoiser, Levels, Noise, Sampler
from wxexp.levels import Karras


class DPMSolver2MSDE(Sampler):
    """Weak order 2 with one evaluation a step: N for N steps, the last of them the jump to the estimate of x. The first step has order 1.

    With H = (1 + eta) h: y' = r exp(-eta h) y + (1 - exp(-H)) (D + h / (2 h_before) (D - D_before)) + s' sqrt(1 - exp(-2 eta h)) xi,
    where xi are the increments of one Brownian path: a member keeps its large scales when the number of steps changes. With eta = 0 it
    is DPMSolver2M and draws nothing.
    """

    order: ClassVar[int] = 2
    evaluations: ClassVar[int] = 1
    stochastic: ClassVar[bool] = True
    source: ClassVar[str] = "Lu et al. 2022, doi:10.48550/arXiv.2211.01095"
    steps: int = 36
    levels: Levels = Karras()
    eta: float = 1.0
    """Strength of the noise: 0 is the probability flow, 1 the reverse equation of Song et al. (2021)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.eta < float("inf"):
            raise ValueError(f"DPMSolver2MSDE.eta must be at least 0 and finite, got {self.eta}")

    def sample(self, denoise: Denoiser, y: Tensor, gamma: Tensor, noise: Noise) -> Tensor:
        before: tuple[Tensor, Tensor] | None = None  # the last estimate, and the h of the step that followed it
        for here, there in pairwise(gamma):
            h = (there - here) / 2
            x = denoise(y, here)
            extrapolated = x if before is None else x + h / (2 * before[1]) * (x - before[0])
            y = torch.exp(-(1 + self.eta) * h) * y - torch.expm1(-(1 + self.eta) * h) * extrapolated
            if self.eta > 0:
                s, s_next = noise_level.scale(here), noise_level.scale(there)
                y = y + s_next * torch.sqrt(-torch.expm1(-2 * self.eta * h)) * noise.brownian(s.item(), s_next.item())
            before = (x, h)
        return denoise(y, gamma[-1]) if self.terminal == "denoise" else y
