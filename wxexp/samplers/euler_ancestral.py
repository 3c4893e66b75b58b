"""Ancestral sampling: every step draws from the posterior of DDPM (Ho et al. 2020, equation 7, on any levels)."""

from __future__ import annotations

import math
from typing import ClassVar

from torch import Tensor

from wxexp.interfaces import Denoiser, Levels
from wxexp.levels import Karras
from wxexp.samplers.ancestral import Ancestral
from wxexp.samplers.arithmetic import total


class EulerAncestral(Ancestral):
    """Weak order 1; N evaluations for N steps, the last of them the jump to the estimate of x.

    Euler's step to s_down = sqrt(s'^2 - s_up^2), then fresh noise of standard deviation s_up = eta s' sqrt(1 - r^2), r = s' / s. With
    eta = 1 that is DDPM, with eta = 0 DDIM (Song, Meng and Ermon 2021, equation 16), which draws nothing.
    """

    order: ClassVar[int] = 1
    evaluations: ClassVar[int] = 1
    source: ClassVar[str] = "Ho et al. 2020, doi:10.48550/arXiv.2006.11239; Song, Meng and Ermon 2021, doi:10.48550/arXiv.2010.02502"
    steps: int = 100
    levels: Levels = Karras()

    def advanced(self, denoise: Denoiser, y: Tensor, here: Tensor, h: float) -> Tensor:
        return total((math.exp(-h), y), (-math.expm1(-h), denoise(y, here)))
