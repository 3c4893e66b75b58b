"""DPM-Solver-2, the midpoint method in ln s (Lu et al. 2022a, algorithm 1 with r1 = 1/2); DPM2 of k-diffusion is the same."""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor

from wxexp.diffusion import noise_level
from wxexp.interfaces import Denoiser, Levels, Noise, Sampler
from wxexp.levels import Karras


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
        for here, there in pairwise(gamma):
            middle = (here + there) / 2
            half = (there - here) / 4
            between = torch.exp(-half) * y - torch.expm1(-half) * denoise(y, here)
            d = (between - denoise(between, middle)) / noise_level.scale(middle)
            y = y + (noise_level.scale(there) - noise_level.scale(here)) * d
        return denoise(y, gamma[-1]) if self.terminal == "denoise" else y
