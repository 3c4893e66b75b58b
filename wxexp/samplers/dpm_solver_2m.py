"""DPM-Solver++(2M), the two-step multistep solver of the data prediction (Lu et al. 2022b, algorithm 2)."""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor

from wxexp.interfaces import Denoiser, Levels, Noise, Sampler
from wxexp.levels import Karras


class DPMSolver2M(Sampler):
    """Order 2 with one evaluation a step: N for N steps, the last of them the jump to the estimate of x. The first step has order 1."""

    order: ClassVar[int] = 2
    evaluations: ClassVar[int] = 1
    stochastic: ClassVar[bool] = False
    source: ClassVar[str] = "Lu et al. 2022, doi:10.48550/arXiv.2211.01095"
    steps: int = 18
    levels: Levels = Karras()

    def sample(self, denoise: Denoiser, y: Tensor, gamma: Tensor, noise: Noise) -> Tensor:
        before: tuple[Tensor, Tensor] | None = None  # the last estimate, and the h of the step that followed it
        for here, there in pairwise(gamma):
            h = (there - here) / 2
            x = denoise(y, here)
            extrapolated = x if before is None else x + h / (2 * before[1]) * (x - before[0])
            y = torch.exp(-h) * y - torch.expm1(-h) * extrapolated
            before = (x, h)
        return denoise(y, gamma[-1]) if self.terminal == "denoise" else y
