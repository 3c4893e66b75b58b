"""Noise levels that are as dense as those of a training density."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from wxexp.diffusion.schedules import check_fixed
from wxexp.interfaces import Levels, Scheduler


class Quantiles(Levels):
    """Levels equidistant in the time of `scheduler`, its quantiles, from sigma_max to sigma_min; a single step has sigma_max only."""

    scheduler: Scheduler
    sigma_min: float = 0.002
    sigma_max: float = 80.0

    def __post_init__(self) -> None:
        if not 0 < self.sigma_min < self.sigma_max:
            raise ValueError(f"Quantiles.sigma_min must be in (0, sigma_max = {self.sigma_max}), got {self.sigma_min}")
        check_fixed("Quantiles.scheduler", self.scheduler)
        low, high = self.scheduler.range
        for name, value in (("sigma_min", self.sigma_min), ("sigma_max", self.sigma_max)):
            if not low - 1e-9 <= -2 * math.log(value) <= high + 1e-9:
                raise ValueError(f"Quantiles.{name} must have -2 ln s in [{low:g}, {high:g}], the range of its scheduler, got {value}")

    def gamma(self, steps: int) -> Tensor:
        ends = torch.tensor([-2 * math.log(self.sigma_max), -2 * math.log(self.sigma_min)], dtype=torch.float64)
        first, last = self.scheduler.time(ends).tolist()
        found = self.scheduler.gamma(torch.linspace(first, last, steps, dtype=torch.float64))
        found[0] = ends[0]  # without the rounding of two ways
        if steps > 1:
            found[-1] = ends[1]
        return found
