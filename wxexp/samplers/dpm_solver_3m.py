"""A three-step multistep solver of the data prediction, of order 3: DPM-Solver++(3M) (Lu et al. 2022b) with exact coefficients.

With lambda = -ln s the flow is y' = exp(-h) y + integral over [0, h] of exp(tau - h) D(tau), and D is interpolated through the last three
estimates (Hochbruck and Ostermann 2010, exponential Adams methods). The second difference then counts with the exact integral of tau^2;
public codes of 3M take half of it, which leaves them at order 2. The first two steps are those of DPM-Solver++(2S): a start of order 1
would cap the order at 2.
"""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor

from wxexp.interfaces import Denoiser, Levels, Noise, Sampler
from wxexp.levels import Karras


class DPMSolver3M(Sampler):
    """Order 3 with one evaluation a step, and two more to start: N + 2 for N steps, the last of them the jump to the estimate of x."""

    order: ClassVar[int] = 3
    evaluations: ClassVar[int] = 1
    startup: ClassVar[int] = 2
    stochastic: ClassVar[bool] = False
    source: ClassVar[str] = "Lu et al. 2022, doi:10.48550/arXiv.2211.01095; Hochbruck and Ostermann 2010, doi:10.1017/S0962492910000048"
    steps: int = 18
    levels: Levels = Karras()

    def sample(self, denoise: Denoiser, y: Tensor, gamma: Tensor, noise: Noise) -> Tensor:
        past: list[tuple[Tensor, Tensor]] = []  # the last two estimates, newest last, each with the h of the step that followed it
        for here, there in pairwise(gamma):
            h = (there - here) / 2
            x = denoise(y, here)
            if len(past) < 2:
                between = torch.exp(-h / 2) * y - torch.expm1(-h / 2) * x
                y = torch.exp(-h) * y - torch.expm1(-h) * denoise(between, (here + there) / 2)
            else:
                (older, h_older), (old, h_old) = past
                first = (x - old) / h_old
                second = (first - (old - older) / h_older) / (h_old + h_older)
                of_one = -torch.expm1(-h)  # integrals over the step of exp(tau - h) times 1, tau, tau^2
                of_tau = h - of_one
                of_tau2 = h * h - 2 * of_tau
                y = torch.exp(-h) * y + of_one * x + of_tau * (first + h_old * second) + of_tau2 * second
            past = [*past[-1:], (x, h)]
        return denoise(y, gamma[-1]) if self.terminal == "denoise" else y
