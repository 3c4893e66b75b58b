"""DPM-Solver-3, the three-stage single-step solver of the noise prediction (Lu et al. 2022a, algorithm 2 with r1 = 1/3, r2 = 2/3)."""

from __future__ import annotations

import math
from typing import ClassVar

from torch import Tensor

from wxexp.interfaces import Denoiser, Levels, Noise, Sampler
from wxexp.levels import Karras
from wxexp.samplers.arithmetic import steps, total


class DPMSolver3(Sampler):
    """Order 3; 3 N - 2 evaluations for N steps, the last of them the jump to the estimate of x. It also starts LMS."""

    order: ClassVar[int] = 3
    evaluations: ClassVar[int] = 3
    stochastic: ClassVar[bool] = False
    source: ClassVar[str] = "Lu et al. 2022, doi:10.48550/arXiv.2206.00927"
    steps: int = 12
    levels: Levels = Karras()

    def sample(self, denoise: Denoiser, y: Tensor, gamma: Tensor, noise: Noise) -> Tensor:
        for here, _, h in steps(gamma):
            y = three_stages(denoise, y, denoise(y, here), here, h)
        return denoise(y, gamma[-1]) if self.terminal == "denoise" else y


def three_stages(denoise: Denoiser, y: Tensor, x: Tensor, here: Tensor, h: float) -> Tensor:
    """The state h = ln(s / s') further, from y and its estimate x.

    The paper's stages u_1 and u_2 are a third and two thirds of h further. It is written in noises: with n = y - x, the s eps of y,
    d_i = s (eps_i - eps) of the stages, and f(t) = (1 - e^(-t)) / t - e^(-t),

        u_1 = y - (1 - e^(-h/3)) n,   u_2 = y - (1 - e^(-2h/3)) n - 2 f(2h/3) d_1,   y' = y - (1 - e^(-h)) n - 3/2 f(h) d_2.

    In the estimates x_i from the stages that is d_1 = e^(h/3) (x - x_1) and d_2 = e^(2h/3) (x - x_2 - 2 f(2h/3) d_1).
    """
    third, two_thirds = h / 3, 2 * h / 3
    b, c = 2 * _curved(two_thirds) * math.exp(third), 1.5 * _curved(h) * math.exp(two_thirds)
    x_1 = denoise(total((math.exp(-third), y), (-math.expm1(-third), x)), here + 2 * third)
    x_2 = denoise(total((math.exp(-two_thirds), y), (-math.expm1(-two_thirds) - b, x), (b, x_1)), here + 2 * two_thirds)
    return total((math.exp(-h), y), (-math.expm1(-h) - c * (1 - b), x), (-c * b, x_1), (c, x_2))


def _curved(t: float) -> float:
    return -math.expm1(-t) / t - math.exp(-t)
