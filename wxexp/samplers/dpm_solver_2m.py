"""DPM-Solver++(2M), the two-step multistep solver of the data prediction (Lu et al. 2022b, algorithm 2)."""

from __future__ import annotations

import math
from typing import ClassVar

from torch import Tensor

from wxexp.interfaces import Denoiser, Levels, Noise, Sampler
from wxexp.levels import LogNormal
from wxexp.samplers.arithmetic import steps, total


class DPMSolver2M(Sampler):
    """Order 2 with one evaluation a step: N for N steps, the last of them the jump to the estimate of x. The first step has order 1."""

    order: ClassVar[int] = 2
    evaluations: ClassVar[int] = 1
    stochastic: ClassVar[bool] = False
    source: ClassVar[str] = "Lu et al. 2022, doi:10.48550/arXiv.2211.01095"
    steps: int = 18
    levels: Levels = LogNormal()

    def sample(self, denoise: Denoiser, y: Tensor, gamma: Tensor, noise: Noise) -> Tensor:
        before: tuple[Tensor, float] | None = None  # the last estimate, and the h of the step that followed it
        for here, _, h in steps(gamma):
            x = denoise(y, here)
            r, of_one = math.exp(-h), -math.expm1(-h)
            if before is None:
                y = total((r, y), (of_one, x))
            else:
                ahead = h / (2 * before[1])  # the estimate in the middle of the step is x + ahead (x - x_before)
                y = total((r, y), (of_one * (1 + ahead), x), (-of_one * ahead, before[0]))
            before = (x, h)
        return denoise(y, gamma[-1]) if self.terminal == "denoise" else y
