"""Euler's method in s (Karras et al. 2022, algorithm 1 without the correction); the same steps as DDIM (Song, Meng and Ermon 2021)."""

from __future__ import annotations

import math
from typing import ClassVar

from torch import Tensor

from wxexp.interfaces import Denoiser, Levels, Noise, Sampler
from wxexp.levels import Karras
from wxexp.samplers.arithmetic import steps, total


class Euler(Sampler):
    """Order 1; N evaluations for N steps, the last of them the jump to the estimate of x."""

    order: ClassVar[int] = 1
    evaluations: ClassVar[int] = 1
    stochastic: ClassVar[bool] = False
    source: ClassVar[str] = "Karras et al. 2022, doi:10.48550/arXiv.2206.00364; Song, Meng and Ermon 2021, doi:10.48550/arXiv.2010.02502"
    steps: int = 36
    levels: Levels = Karras()

    def sample(self, denoise: Denoiser, y: Tensor, gamma: Tensor, noise: Noise) -> Tensor:
        for here, _, h in steps(gamma):
            y = total((math.exp(-h), y), (-math.expm1(-h), denoise(y, here)))  # y + (s' - s) (y - D) / s
        return denoise(y, gamma[-1]) if self.terminal == "denoise" else y
