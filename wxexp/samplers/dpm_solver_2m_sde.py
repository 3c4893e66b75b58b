"""SDE-DPM-Solver++(2M), the two-step multistep solver of the reverse stochastic equation (Lu et al. 2022b)."""

from __future__ import annotations

import math
from typing import ClassVar

from torch import Tensor

from wxexp.interfaces import Denoiser, Levels, Noise, Sampler
from wxexp.levels import LogNormal
from wxexp.samplers.arithmetic import scales, steps, total


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
    levels: Levels = LogNormal()
    eta: float = 1.0
    """Strength of the noise: 0 is the probability flow, 1 the reverse equation of Song et al. (2021)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.eta < float("inf"):
            raise ValueError(f"DPMSolver2MSDE.eta must be at least 0 and finite, got {self.eta}")

    def sample(self, denoise: Denoiser, y: Tensor, gamma: Tensor, noise: Noise) -> Tensor:
        before: tuple[Tensor, float] | None = None  # the last estimate, and the h of the step that followed it
        s = scales(gamma)
        for step, (here, _, h) in enumerate(steps(gamma)):
            x = denoise(y, here)
            longer = (1 + self.eta) * h
            r, of_one = math.exp(-longer), -math.expm1(-longer)
            if before is None:
                y = total((r, y), (of_one, x))
            else:
                ahead = h / (2 * before[1])
                y = total((r, y), (of_one * (1 + ahead), x), (-of_one * ahead, before[0]))
            if self.eta > 0:
                y.add_(noise.brownian(s[step], s[step + 1]), alpha=s[step + 1] * math.sqrt(-math.expm1(-2 * self.eta * h)))
            before = (x, h)
        return denoise(y, gamma[-1]) if self.terminal == "denoise" else y
