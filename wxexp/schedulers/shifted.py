"""A density of noise levels moved along gamma."""

from __future__ import annotations

from torch import Tensor

from wxexp.diffusion.schedules import check_fixed
from wxexp.interfaces import Scheduler
from wxexp.schedulers.log_normal import LogNormal


class Shifted(Scheduler):
    """Gamma of `scheduler` plus `by`: every s is multiplied by exp(-by / 2)."""

    scheduler: Scheduler = LogNormal()
    by: float = 0.0

    def __post_init__(self) -> None:
        check_fixed("Shifted.scheduler", self.scheduler)

    def gamma(self, t: Tensor) -> Tensor:
        return (self.scheduler.gamma(t) + self.by).clamp(*self.range)

    def time(self, gamma: Tensor) -> Tensor:
        return self.scheduler.time(gamma - self.by)

    def log_density(self, gamma: Tensor) -> Tensor:
        low, high = self.scheduler.range
        inside = (gamma >= self.range[0]) & (gamma <= self.range[1])
        found: Tensor = self.scheduler.log_density((gamma - self.by).clamp(low, high))
        return found.where(inside | gamma.isnan(), -float("inf"))

    @property
    def range(self) -> tuple[float, float]:
        low, high = self.scheduler.range
        return (low + self.by, high + self.by)
