"""Cosine schedules of two shifts, one at the noisy and one at the clean end (Hoogeboom et al. 2023, "Simple diffusion", section 3.1)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from wxexp.diffusion import noise_level
from wxexp.interfaces import Scheduler
from wxexp.schedulers import bounds


class CosineInterpolated(Scheduler):
    """Gamma = t gamma_noisy(t) + (1 - t) gamma_clean(t), both `Cosine` with their shift, truncated to [sigma_min, sigma_max].

    Large scales are then drowned in noise as early as in a small field, and small ones are learnt as in `Cosine`: in the paper the shift
    at the noisy end is ln(32 / width) for fields of `width` cells, and 0 at the clean one. The time is found by bisection, to the last
    digits.
    """

    shift_noisy: float = -math.log(8)
    """At the noisy end; the default is that of 256 cells."""
    shift_clean: float = 0.0
    """At the clean end, at least that at the noisy end."""
    sigma_min: float = 1e-3
    sigma_max: float = 1e3

    def __post_init__(self) -> None:
        bounds.check_scales("CosineInterpolated", self.sigma_min, self.sigma_max)
        if self.shift_clean < self.shift_noisy:
            raise ValueError(
                f"CosineInterpolated.shift_clean must be at least shift_noisy = {self.shift_noisy}, or gamma is not monotone; "
                f"got {self.shift_clean}"
            )

    def gamma(self, t: Tensor) -> Tensor:
        (noisy, _), (clean, _) = self._cosine(t, self.shift_noisy), self._cosine(t, self.shift_clean)
        return (t * noisy + (1 - t) * clean).clamp(*self.range)

    def time(self, gamma: Tensor) -> Tensor:
        low, high = torch.zeros_like(gamma.detach()), torch.ones_like(gamma.detach())
        for _ in range(64):
            middle = low + (high - low) / 2
            cleaner = self.gamma(middle) > gamma.detach()  # than sought, at the middle
            low, high = torch.where(cleaner, middle, low), torch.where(cleaner, high, middle)
        # one step of Newton's method, which carries the derivative with respect to gamma
        return (low + (gamma - self.gamma(low)) / self._slope(low)).clamp(0, 1)

    def log_density(self, gamma: Tensor) -> Tensor:
        return bounds.inside(-torch.log(-self._slope(self.time(gamma))), gamma, self.range)

    @property
    def range(self) -> tuple[float, float]:
        return bounds.of_scales(self.sigma_min, self.sigma_max)

    def _slope(self, t: Tensor) -> Tensor:
        """The derivative of gamma with respect to t."""
        (noisy, of_noisy), (clean, of_clean) = self._cosine(t, self.shift_noisy), self._cosine(t, self.shift_clean)
        return noisy - clean + t * of_noisy + (1 - t) * of_clean

    def _cosine(self, t: Tensor, shift: float) -> tuple[Tensor, Tensor]:
        """Gamma of the truncated cosine schedule and its derivative: -2 ln tan(angle) + 2 shift, the angle linear in t."""
        low, high = (math.atan(math.exp(shift) * s) for s in (self.sigma_min, self.sigma_max))
        angle = low + (high - low) * t
        return noise_level.of_scale(torch.tan(angle)) + 2 * shift, -4 * (high - low) / torch.sin(2 * angle)
