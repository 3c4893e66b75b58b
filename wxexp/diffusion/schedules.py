"""Densities of noise levels in training: what a scheduler is, and the schedule it becomes.

The components are in `wxexp.schedulers`; what they are stands here, because a network may be told the noise level as the time of one
(`conditionings.Time`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from torch import Tensor, nn

from wxexp.config import Spec

if TYPE_CHECKING:
    from wxexp.interfaces.learning import Group


class Scheduler(Spec):
    """A density of noise levels in training. t in [0, 1] runs from clean (gamma_max) to noisy (gamma_min)."""

    registry: ClassVar[str] = "wxexp.schedulers"

    def gamma(self, t: Tensor) -> Tensor:
        """Log-SNR at t: decreasing."""
        raise NotImplementedError

    def time(self, gamma: Tensor) -> Tensor:
        """The inverse of gamma."""
        raise NotImplementedError

    def log_density(self, gamma: Tensor) -> Tensor:
        """Ln |dt/dgamma|."""
        raise NotImplementedError

    @property
    def range(self) -> tuple[float, float]:
        """(gamma_min, gamma_max); infinite where unbounded."""
        raise NotImplementedError

    def build(self) -> Schedule:
        """Itself, or a module with buffers (adaptive)."""
        return FixedSchedule(self)


class Schedule(nn.Module):
    """A schedule in training: a fixed one, or one that adapts to the errors it sees."""

    def gamma(self, t: Tensor) -> Tensor:
        raise NotImplementedError

    def log_density(self, gamma: Tensor) -> Tensor:
        raise NotImplementedError

    def update(self, gamma: Tensor, error: Tensor, world: Group) -> None:
        """Adapts to the errors [B] at log-SNR gamma [B], reduced over `world`; a no-op for fixed schedules.

        Errors are those of the noise, times w where the objective has a weight with respect to gamma.
        """


class FixedSchedule(Schedule):
    """A scheduler without state."""

    def __init__(self, scheduler: Scheduler) -> None:
        super().__init__()
        self.scheduler = scheduler

    def gamma(self, t: Tensor) -> Tensor:
        return self.scheduler.gamma(t)

    def log_density(self, gamma: Tensor) -> Tensor:
        return self.scheduler.log_density(gamma)


def check_fixed(name: str, scheduler: Scheduler) -> None:
    """Refuses a scheduler with state as a part of component `name`, which would only ever see the density of its start."""
    if type(scheduler).build is not Scheduler.build:
        raise ValueError(f"{name} must be a scheduler without state, got {type(scheduler).__name__}")
