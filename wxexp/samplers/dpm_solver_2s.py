"""DPM-Solver++(2S), the two-stage single-step solver of the data prediction (Lu et al. 2022b, algorithm 1 with r = 1/2)."""

from __future__ import annotations

import math
from typing import ClassVar

from torch import Tensor

from wxexp.interfaces import Denoiser, Levels, Noise, Sampler
from wxexp.levels import Karras
from wxexp.samplers.arithmetic import steps, total


class DPMSolver2S(Sampler):
    """Order 2; 2 N - 1 evaluations for N steps, the last of them the jump to the estimate of x.

    The estimate of x in the middle in ln s stands for the whole step: y' = r y + (1 - r) D_m.
    """

    order: ClassVar[int] = 2
    evaluations: ClassVar[int] = 2
    stochastic: ClassVar[bool] = False
    source: ClassVar[str] = "Lu et al. 2022, doi:10.48550/arXiv.2211.01095"
    steps: int = 18
    levels: Levels = Karras()

    def sample(self, denoise: Denoiser, y: Tensor, gamma: Tensor, noise: Noise) -> Tensor:
        for here, there, h in steps(gamma):
            y = two_stages(denoise, y, denoise(y, here), here, there, h)
        return denoise(y, gamma[-1]) if self.terminal == "denoise" else y


def two_stages(denoise: Denoiser, y: Tensor, x: Tensor, here: Tensor, there: Tensor, h: float) -> Tensor:
    """The state at `there`, h = ln(s / s') further, from y and its estimate x."""
    between = total((math.exp(-h / 2), y), (-math.expm1(-h / 2), x))
    return total((math.exp(-h), y), (-math.expm1(-h), denoise(between, (here + there) / 2)))
