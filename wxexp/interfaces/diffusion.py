"""Noise levels in training and in sampling."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Literal, Protocol

from torch import Tensor

from wxexp.config import Spec
from wxexp.diffusion.schedules import FixedSchedule as FixedSchedule
from wxexp.diffusion.schedules import Schedule as Schedule
from wxexp.diffusion.schedules import Scheduler as Scheduler


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

    def prior(self) -> Tensor:
        """Standard normal: the state at the first level, before it is scaled by that."""
        ...

    def at(self, *key: int) -> Tensor:
        """Standard normal: the field that belongs to a key, such as the number of a step."""
        ...

    def brownian(self, s0: float, s1: float) -> Tensor:
        """(W(s1) - W(s0)) / sqrt(|s1 - s0|) of one Brownian path W in the noise level s > 0, the same for every choice of levels."""
        ...


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
        if type(self.steps) is not int:  # refused before an objective that asks for the levels fails on them
            raise ValueError(f"{type(self).__name__}.steps must be a whole number, got {self.steps!r}")
        if self.steps < least:
            raise ValueError(f"{type(self).__name__}.steps must be at least {least}, got {self.steps}")

    def sample(self, denoise: Denoiser, y: Tensor, gamma: Tensor, noise: Noise) -> Tensor:
        """From y at level gamma[0] to a sample; start midway by passing gamma[k:]."""
        raise NotImplementedError


class Perturbation(Spec):
    """Initial-condition perturbations."""

    registry: ClassVar[str] = "wxexp.perturbations"
