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
            y = three_stages(denoise, y, total((1.0, y), (-1.0, denoise(y, here))), here, h)
        return denoise(y, gamma[-1]) if self.terminal == "denoise" else y


def three_stages(denoise: Denoiser, y: Tensor, n: Tensor, here: Tensor, h: float) -> Tensor:
    """The state h = ln(s / s') further, from y and the noise n = y - D in it.

    In units of s that is s eps; the paper's s' expm1(t h) eps is then (1 - exp(-t h)) n, and the estimates of the noise at
    the stages, at lower levels, are scaled up to s.
    """
    third, two_thirds = h / 3, 2 * h / 3
    first = total((1.0, y), (math.expm1(-third), n))
    d_first = _difference(denoise, first, n, here, third)
    second = total((1.0, y), (math.expm1(-two_thirds), n), (-2 * _curved(two_thirds), d_first))
    d_second = _difference(denoise, second, n, here, two_thirds)
    return total((1.0, y), (math.expm1(-h), n), (-1.5 * _curved(h), d_second))


def _difference(denoise: Denoiser, u: Tensor, n: Tensor, here: Tensor, length: float) -> Tensor:
    """The difference s (eps_u - eps), where the noise eps_u is estimated from u, `length` further."""
    up = math.exp(length)
    return total((up, u), (-up, denoise(u, here + 2 * length)), (-1.0, n))


def _curved(length: float) -> float:
    """exp(-t) (expm1(t) / t - 1) = (1 - exp(-t)) / t - exp(-t)."""
    return -math.expm1(-length) / length - math.exp(-length)
