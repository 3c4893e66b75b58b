"""How a network is told the noise level.

To add one: a class here with its `size` and `__call__`, its name in `__all__`. Networks embed each number by what
`wxexp.models.embeddings` offers, as default by sines and cosines of one eighth to six cycles a unit, for which it should span a few
units, not hundreds or hundredths.
"""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from wxexp.config import Spec
from wxexp.diffusion import noise_level
from wxexp.diffusion.schedules import Scheduler, check_fixed

__all__ = ["FlowTime", "LogNoise", "LogScale", "Time"]


class NoiseConditioning(Spec):
    """Class attribute: `size`, how many numbers tell a level."""

    registry: ClassVar[str] = __name__
    size: ClassVar[int]

    def __call__(self, gamma: Tensor) -> Tensor:
        """[N] -> [N, size], in the dtype of gamma."""
        raise NotImplementedError


class LogNoise(NoiseConditioning):
    """ln(s) / 4 = -gamma / 8, the c_noise of Karras et al. (2022, table 1)."""

    size: ClassVar[int] = 1

    def __call__(self, gamma: Tensor) -> Tensor:
        return (-gamma / 8)[:, None]


class LogScale(NoiseConditioning):
    """ln(s) = -gamma / 2, as GenCast has it (Price et al. 2025): four times `LogNoise`, so levels are told apart by more cycles."""

    size: ClassVar[int] = 1

    def __call__(self, gamma: Tensor) -> Tensor:
        return (-gamma / 2)[:, None]


class FlowTime(NoiseConditioning):
    """The time t = s / (1 + s) of flow matching."""

    size: ClassVar[int] = 1

    def __call__(self, gamma: Tensor) -> Tensor:
        return noise_level.flow_time(gamma)[:, None]


class Time(NoiseConditioning):
    """The time t in [0, 1] of a scheduler, 0 clean, which networks of DDPM and its kin are told (Ho et al. 2020; Song et al. 2021).

    A level beyond a bounded range has the time of its end. The published networks count steps of 1000, which is what
    `wxexp.models.embeddings.Positional` makes of a time.
    """

    size: ClassVar[int] = 1
    scheduler: Scheduler
    """Whose time; mostly that of the experiment. One that adapts is refused: a level would change its name as training goes on."""

    def __post_init__(self) -> None:
        check_fixed("Time.scheduler", self.scheduler)

    def __call__(self, gamma: Tensor) -> Tensor:
        return self.scheduler.time(gamma)[:, None]
