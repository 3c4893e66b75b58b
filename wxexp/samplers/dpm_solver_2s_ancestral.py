"""DPM-Solver++(2S) with ancestral noise, DPM++ 2S a of k-diffusion: a two-stage step below each level, then fresh noise up to it."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from wxexp.interfaces import Denoiser, Levels
from wxexp.levels import Karras
from wxexp.samplers.ancestral import Ancestral
from wxexp.samplers.dpm_solver_2s import two_stages


class DPMSolver2SAncestral(Ancestral):
    """Weak order 2; 2 N - 1 evaluations for N steps, the last of them the jump to the estimate of x.

    DPMSolver2S's step to s_down = sqrt(s'^2 - s_up^2), then noise of standard deviation s_up = eta s' sqrt(1 - r^2), r = s' / s. With
    eta = 0 it is DPMSolver2S and draws nothing.
    """

    order: ClassVar[int] = 2
    evaluations: ClassVar[int] = 2
    source: ClassVar[str] = "Lu et al. 2022, doi:10.48550/arXiv.2211.01095; Song, Meng and Ermon 2021, doi:10.48550/arXiv.2010.02502"
    steps: int = 36
    levels: Levels = Karras()

    def advanced(self, denoise: Denoiser, y: Tensor, here: Tensor, h: float) -> Tensor:
        return two_stages(denoise, y, denoise(y, here), here, here + 2 * h, h)
