"""What the state is multiplied by before it goes into the network: all that is left of the gauge of the noising process.

To add one: a class here with its `c_in`, its name in `__all__`. Every scaling goes with every parameterization.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from wxexp.config import Spec
from wxexp.diffusion import noise_level

__all__ = ["EDM", "VE", "VP", "FlowMatching"]


class InputScaling(Spec):
    """The network sees c_in(gamma) y."""

    registry: ClassVar[str] = __name__

    def c_in(self, gamma: Tensor) -> Tensor:
        """Elementwise, in the dtype of gamma."""
        raise NotImplementedError


class VE(InputScaling):
    """1: the variance-exploding state of Song et al. (2021)."""

    def c_in(self, gamma: Tensor) -> Tensor:
        return torch.ones_like(gamma)


class VP(InputScaling):
    """1 / sqrt(1 + s^2) = alpha: the variance-preserving state of Ho et al. (2020)."""

    def c_in(self, gamma: Tensor) -> Tensor:
        return noise_level.alpha2(gamma).sqrt()


class FlowMatching(InputScaling):
    """1 / (1 + s): the state (1 - t) x + t eps of Lipman et al. (2023)."""

    def c_in(self, gamma: Tensor) -> Tensor:
        return torch.sigmoid(0.5 * gamma)


class EDM(InputScaling):
    """1 / sqrt(s^2 + sigma_data^2): unit variance for data of standard deviation sigma_data (Karras et al. 2022, table 1)."""

    sigma_data: float = 1.0

    def __post_init__(self) -> None:
        if self.sigma_data <= 0:
            raise ValueError(f"EDM.sigma_data must be positive, got {self.sigma_data}")

    def c_in(self, gamma: Tensor) -> Tensor:
        return torch.rsqrt(torch.exp(-gamma) + self.sigma_data**2)
