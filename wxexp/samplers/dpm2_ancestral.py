"""DPM2 with ancestral noise, DPM2 a of k-diffusion: a midpoint step below each level, then fresh noise up to it."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from wxexp.interfaces import Denoiser, Levels, Noise, Sampler
from wxexp.levels import Karras
from wxexp.samplers.arithmetic import ancestral, scales, steps
from wxexp.samplers.dpm2 import midpoint


class DPM2Ancestral(Sampler):
    """Weak order 2; 2 N - 1 evaluations for N steps, the last of them the jump to the estimate of x.

    DPM2's step to s_down = sqrt(s'^2 - s_up^2), then noise of standard deviation s_up = eta s' sqrt(1 - r^2), r = s' / s. With
    eta = 0 it is DPM2 and draws nothing.
    """

    order: ClassVar[int] = 2
    evaluations: ClassVar[int] = 2
    stochastic: ClassVar[bool] = True
    source: ClassVar[str] = "Lu et al. 2022, doi:10.48550/arXiv.2206.00927; Song, Meng and Ermon 2021, doi:10.48550/arXiv.2010.02502"
    steps: int = 36
    levels: Levels = Karras()
    eta: float = 1.0
    """Share of the posterior's standard deviation that is drawn, in [0, 1]."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.eta <= 1:
            raise ValueError(f"DPM2Ancestral.eta must be in [0, 1], got {self.eta}")

    def sample(self, denoise: Denoiser, y: Tensor, gamma: Tensor, noise: Noise) -> Tensor:
        s = scales(gamma)
        for step, (here, _, h) in enumerate(steps(gamma)):
            h_down, s_up = ancestral(h, s[step + 1], self.eta)
            y = midpoint(denoise, y, here, here + 2 * h_down, h_down)
            if self.eta > 0:
                y.add_(noise.at(step), alpha=s_up)
        return denoise(y, gamma[-1]) if self.terminal == "denoise" else y
