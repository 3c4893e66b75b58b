"""Noise levels in training and in sampling."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Literal, Protocol

from torch import Tensor, nn

from wxexp.config import Spec
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


class Levels(Spec):
    """The noise levels a sampler steps through."""

    registry: ClassVar[str] = "wxexp.levels"

    def gamma(self, steps: int) -> Tensor:
        """float64 [steps], increasing: noisy to clean; the last is that of s_min."""
        raise NotImplementedError


Denoiser = Callable[[Tensor, Tensor], Tensor]
"""(y [N, C, *S] in data units, gamma [] or [N]) -> the estimate of x [N, C, *S]."""


class Noise(Protocol):
    """Random fields of a sampler, each [N, C, *S] in the dtype and on the device of its state."""

    def prior(self) -> Tensor: ...

    def at(self, *key: int) -> Tensor: ...

    def brownian(self, s0: float, s1: float) -> Tensor: ...


class Sampler(Spec):
    """How a sample is drawn.

    Class attributes: `order` of convergence, `evaluations` of the denoiser per step and `startup`, those beyond at the start, `adaptive`
    where it chooses its steps itself and their number varies, `stochastic`, and `source` (the publication).
    Fields: number of `steps` (noise levels), their `levels`, and what `terminal` does: "denoise" jumps from the last level to the
    estimate of x, "keep" returns the state at the last level.
    """

    registry: ClassVar[str] = "wxexp.samplers"
    order: ClassVar[int]
    evaluations: ClassVar[int]
    startup: ClassVar[int] = 0
    adaptive: ClassVar[bool] = False
    stochastic: ClassVar[bool]
    source: ClassVar[str]
    steps: int
    levels: Levels
    terminal: Literal["denoise", "keep"] = "denoise"

    def __post_init__(self) -> None:
        least = max(1, self.order)
        if self.steps < least:
            raise ValueError(f"{type(self).__name__}.steps must be at least {least}, got {self.steps}")

    def sample(self, denoise: Denoiser, y: Tensor, gamma: Tensor, noise: Noise) -> Tensor:
        """From y at level gamma[0] to a sample; start midway by passing gamma[k:]."""
        raise NotImplementedError


class Perturbation(Spec):
    """Initial-condition perturbations."""

    registry: ClassVar[str] = "wxexp.perturbations"
