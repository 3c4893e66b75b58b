"""A three-step multistep solver of the data prediction, of order 3: DPM-Solver++(3M) (Lu et al. 2022b) with exact coefficients.

With lambda = -ln s the flow is y' = exp(-h) y + integral over [0, h] of exp(tau - h) D(tau), and D is interpolated through the last three
estimates (Hochbruck and Ostermann 2010, exponential Adams methods). The second difference then counts with the exact integral of tau^2;
public codes of 3M take half of it, which leaves them at order 2. The first two steps are those of DPM-Solver++(2S): a start of order 1
would cap the order at 2.
"""

from __future__ import annotations

import math
from typing import ClassVar

from torch import Tensor

from wxexp.interfaces import Denoiser, Levels, Noise, Sampler
from wxexp.levels import LogNormal
from wxexp.samplers.arithmetic import moments, steps, total
from wxexp.samplers.dpm_solver_2s import two_stages


class DPMSolver3M(Sampler):
    """Order 3 with one evaluation a step, and two more to start: N + 2 for N steps, the last of them the jump to the estimate of x."""

    order: ClassVar[int] = 3
    evaluations: ClassVar[int] = 1
    startup: ClassVar[int] = 2
    stochastic: ClassVar[bool] = False
    source: ClassVar[str] = "Lu et al. 2022, doi:10.48550/arXiv.2211.01095; Hochbruck and Ostermann 2010, doi:10.1017/S0962492910000048"
    steps: int = 18
    levels: Levels = LogNormal()

    def sample(self, denoise: Denoiser, y: Tensor, gamma: Tensor, noise: Noise) -> Tensor:
        past: list[tuple[Tensor, float]] = []  # the last two estimates, newest last, each with the h of the step that followed it
        for here, there, h in steps(gamma):
            x = denoise(y, here)
            if len(past) < 2:
                y = two_stages(denoise, y, x, here, there, h)
            else:
                of_x, of_old, of_older = weights(moments(h), past[1][1], past[0][1])
                y = total((math.exp(-h), y), (of_x, x), (of_old, past[1][0]), (of_older, past[0][0]))
            past = [*past[-1:], (x, h)]
        return denoise(y, gamma[-1]) if self.terminal == "denoise" else y


def weights(moments: tuple[float, float, float], h_old: float, h_older: float) -> tuple[float, float, float]:
    """Of the last three estimates, newest first: the integral of the parabola through them, given those of 1, tau and tau^2.

    Newton's form of the parabola is x + tau f + tau (tau + h_old) g with the divided differences f = (x - old) / h_old and
    g = (f - (old - older) / h_older) / (h_old + h_older).
    """
    of_one, of_tau, of_tau2 = moments
    of_first, of_second = of_tau / h_old, (of_tau2 + h_old * of_tau) / (h_old + h_older)
    return (
        of_one + of_first + of_second / h_old,
        -of_first - of_second * (1 / h_old + 1 / h_older),
        of_second / h_older,
    )
