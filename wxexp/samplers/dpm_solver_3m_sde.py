"""SDE-DPM-Solver++(3M), the three-step multistep solver of the reverse stochastic equation, with exact coefficients.

The mean follows dy/dl = (1 + eta) (D - y) in l = -ln s; D is interpolated through the last three estimates and integrated exactly, as by
DPMSolver3M. Public codes of 3M take half of the second difference.
"""

from __future__ import annotations

import math
from typing import ClassVar

from torch import Tensor

from wxexp.interfaces import Denoiser, Levels, Noise, Sampler
from wxexp.levels import LogNormal
from wxexp.samplers.arithmetic import moments, scales, steps, total
from wxexp.samplers.dpm_solver_3m import weights


class DPMSolver3MSDE(Sampler):
    """Weak order 2 with one evaluation a step: N for N steps, the last of them the jump to the estimate of x. The first step has order 1.

    The estimates are interpolated to third order, which lowers the error; the noise, increments of one Brownian path as in DPMSolver2MSDE,
    reaches them a step late and holds the order at 2. With eta = 0 nothing is drawn.
    """

    order: ClassVar[int] = 2
    evaluations: ClassVar[int] = 1
    stochastic: ClassVar[bool] = True
    source: ClassVar[str] = "Lu et al. 2022, doi:10.48550/arXiv.2211.01095; Hochbruck and Ostermann 2010, doi:10.1017/S0962492910000048"
    steps: int = 36
    levels: Levels = LogNormal()
    eta: float = 1.0
    """Strength of the noise: 0 is the probability flow, 1 the reverse equation of Song et al. (2021)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.eta < float("inf"):
            raise ValueError(f"DPMSolver3MSDE.eta must be at least 0 and finite, got {self.eta}")

    def sample(self, denoise: Denoiser, y: Tensor, gamma: Tensor, noise: Noise) -> Tensor:
        past: list[
            tuple[Tensor, float]
        ] = []  # the last two estimates, newest last, each with the H = (1 + eta) h of the step that followed it
        s = scales(gamma)
        for step, (here, _, h) in enumerate(steps(gamma)):
            x = denoise(y, here)
            longer = (1 + self.eta) * h
            y = total((math.exp(-longer), y), *_estimates(longer, x, past))
            if self.eta > 0:
                y.add_(noise.brownian(s[step], s[step + 1]), alpha=s[step + 1] * math.sqrt(-math.expm1(-2 * self.eta * h)))
            past = [*past[-1:], (x, longer)]
        return denoise(y, gamma[-1]) if self.terminal == "denoise" else y


def _estimates(h: float, x: Tensor, past: list[tuple[Tensor, float]]) -> list[tuple[float, Tensor]]:
    """What the estimates contribute to a step: of order 1, then by DPM-Solver++(2M), then through three."""
    of_one = -math.expm1(-h)
    if not past:
        return [(of_one, x)]
    if len(past) == 1:
        ((old, h_old),) = past
        ahead = h / (2 * h_old)
        return [(of_one * (1 + ahead), x), (-of_one * ahead, old)]
    (older, h_older), (old, h_old) = past
    return list(zip(weights(moments(h), h_old, h_older), (x, old, older), strict=True))
