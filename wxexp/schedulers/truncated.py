"""A density of noise levels restricted to a range."""

from __future__ import annotations

import torch
from torch import Tensor

from wxexp.diffusion.schedules import check_fixed
from wxexp.interfaces import Scheduler
from wxexp.schedulers import bounds
from wxexp.schedulers.log_normal import LogNormal


class Truncated(Scheduler):
    """The density of `scheduler` given gamma in [gamma_min, gamma_max]; None leaves that end as it is.

    With t(gamma) of `scheduler`, its gamma is taken at t(gamma_max) + (t(gamma_min) - t(gamma_max)) t.
    """

    scheduler: Scheduler = LogNormal()
    gamma_min: float | None = -10.0
    gamma_max: float | None = 10.0

    def __post_init__(self) -> None:
        check_fixed("Truncated.scheduler", self.scheduler)
        low, high = self.scheduler.range
        for name, value in (("gamma_min", self.gamma_min), ("gamma_max", self.gamma_max)):
            if value is not None and not low <= value <= high:
                raise ValueError(f"Truncated.{name} must be in the range [{low:g}, {high:g}] of its scheduler, got {value}")
        if self.range[0] >= self.range[1]:
            raise ValueError(f"Truncated.gamma_min must be below gamma_max = {self.range[1]}, got {self.range[0]}")

    def gamma(self, t: Tensor) -> Tensor:
        first, width = self._times(t)
        return self.scheduler.gamma(first + width * t).clamp(*self.range)

    def time(self, gamma: Tensor) -> Tensor:
        first, width = self._times(gamma)
        return ((self.scheduler.time(gamma) - first) / width).clamp(0, 1)

    def log_density(self, gamma: Tensor) -> Tensor:
        _, width = self._times(gamma)
        return bounds.inside(self.scheduler.log_density(gamma) - width.log(), gamma, self.range)

    @property
    def range(self) -> tuple[float, float]:
        low, high = self.scheduler.range
        return (low if self.gamma_min is None else self.gamma_min, high if self.gamma_max is None else self.gamma_max)

    def _times(self, like: Tensor) -> tuple[Tensor, Tensor]:
        """Time of gamma_max in `scheduler`, and how much later that of gamma_min is."""
        low, high = self.range
        first, last = self.scheduler.time(torch.tensor([high, low], dtype=like.dtype, device=like.device))
        return first, last - first
