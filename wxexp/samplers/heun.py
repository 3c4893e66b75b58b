"""Heun's method in s with churn, the stochastic sampler of EDM (Karras et al. 2022, algorithm 2)."""

from __future__ import annotations

import math
from typing import ClassVar

from torch import Tensor

from wxexp.interfaces import Denoiser, Levels, Noise, Sampler
from wxexp.levels import Karras
from wxexp.samplers.arithmetic import scales, steps, total


class Heun(Sampler):
    """Order 2; 2 N - 1 evaluations for N steps, the last of them the jump to the estimate of x. Deterministic unless churn > 0.

    With churn, fresh noise raises each level s in [churn_min, churn_max] to s (1 + min(churn / steps, sqrt(2) - 1)) before the step.
    """

    order: ClassVar[int] = 2
    evaluations: ClassVar[int] = 2
    stochastic: ClassVar[bool] = False
    source: ClassVar[str] = "Karras et al. 2022, doi:10.48550/arXiv.2206.00364"
    steps: int = 18
    levels: Levels = Karras()
    churn: float = 0.0
    """S_churn; 0 draws nothing."""
    churn_min: float = 0.0
    """S_tmin, the smallest s that is churned."""
    churn_max: float | None = None
    """S_tmax, the largest s that is churned; None: all."""
    noise_scale: float = 1.0
    """S_noise, the standard deviation of the fresh noise; a little over 1 makes up for what denoising loses."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("churn", "churn_min", "noise_scale"):
            if getattr(self, name) < 0:
                raise ValueError(f"Heun.{name} must be at least 0, got {getattr(self, name)}")
        if self.churn_max is not None and self.churn_max < self.churn_min:
            raise ValueError(f"Heun.churn_max must be at least churn_min = {self.churn_min}, got {self.churn_max}")

    def sample(self, denoise: Denoiser, y: Tensor, gamma: Tensor, noise: Noise) -> Tensor:
        s = scales(gamma)
        for step, (here, there, _) in enumerate(steps(gamma)):
            grown = self._grown(s[step])
            y, here = self._churned(y, here, s[step], grown, noise, step)
            r = s[step + 1] / (grown * s[step])
            x = denoise(y, here)
            guess = total((r, y), (1 - r, x))
            # y + (s' - s) (d + d') / 2, with d = (y - D) / s, d' = (guess - D') / s' and the guess put in
            half = (1 / r - 1) / 2
            y = total((r, y), (1 - r - half, x), (half, denoise(guess, there)))
        if self.terminal == "keep":
            return y
        return denoise(*self._churned(y, gamma[-1], s[-1], self._grown(s[-1]), noise, len(gamma) - 1))

    def _grown(self, s: float) -> float:
        """The factor by which churn raises a level."""
        churned = self.churn > 0 and self.churn_min <= s <= (math.inf if self.churn_max is None else self.churn_max)
        return 1 + min(self.churn / self.steps, math.sqrt(2) - 1) if churned else 1.0

    def _churned(self, y: Tensor, gamma: Tensor, s: float, grown: float, noise: Noise, step: int) -> tuple[Tensor, Tensor]:
        """The state and its level after fresh noise of variance s_hat^2 - s^2 = s^2 (grown^2 - 1)."""
        if grown == 1:
            return y, gamma
        return total((1.0, y), (self.noise_scale * s * math.sqrt(grown**2 - 1), noise.at(step))), gamma - 2 * math.log(grown)
