"""DPM-Solver-2, the midpoint method in ln s (Lu et al. 2022a, algorithm 1 with r1 = 1/2); DPM2 of k-diffusion is the same."""

from __future__ import annotations

import math
from typing import ClassVar

from torch import Tensor

from wxexp.interfaces import Denoiser, Levels, Noise, Sampler
from wxexp.levels import Karras
from wxexp.samplers.arithmetic import steps, total


class DPM2(Sampler):
    """Order 2; 2 N - 1 evaluations for N steps, the last of them the jump to the estimate of x.

    The noise is estimated at s_m = sqrt(s s'), the middle in ln s: y' = y + (s' - s) (y_m - D_m) / s_m.
    """

    order: ClassVar[int] = 2
    evaluations: ClassVar[int] = 2
    stochastic: ClassVar[bool] = False
    source: ClassVar[str] = "Lu et al. 2022, doi:10.48550/arXiv.2206.00927; Karras et al. 2022, doi:10.48550/arXiv.2206.00364"
    steps: int = 18
    levels: Levels = Karras()

    def sample(self, denoise: Denoiser, y: Tensor, gamma: Tensor, noise: Noise) -> Tensor:
        for here, there, h in steps(gamma):
            y = midpoint(denoise, y, here, there, h)
        return denoise(y, gamma[-1]) if self.terminal == "denoise" else y


def midpoint(denoise: Denoiser, y: Tensor, here: Tensor, there: Tensor, h: float) -> Tensor:
    """The state at `there`, h = ln(s / s') further: with q = (s - s') / s_m and y_m put in, y' = r y - q (1 - sqrt(r)) D + q D_m."""
    x = denoise(y, here)
    q, nearer = 2 * math.sinh(h / 2), -math.expm1(-h / 2)
    between = total((math.exp(-h / 2), y), (nearer, x))
    return total((math.exp(-h), y), (-q * nearer, x), (q, denoise(between, (here + there) / 2)))
