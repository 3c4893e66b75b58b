"""How a network is told the noise level.

To add one: a class here with its `size` and `__call__`, its name in `__all__`. Networks embed each number by sines and cosines of one
eighth to six cycles a unit, so that it should span a few units, not hundreds or hundredths.
"""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from wxexp.config import Spec
from wxexp.diffusion import noise_level

__all__ = ["FlowTime", "LogNoise", "LogScale"]


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
