"""What the network regresses: a pair (c_skip, c_out), the estimate of x being c_skip y + c_out F.

Target, estimate and loss factor follow from the pair, here once for all families:

    target       F* = (x - c_skip y) / c_out = ((1 - c_skip) x - c_skip s eps) / c_out
    estimate     D  = c_skip y + c_out F
    eps-loss     |eps - eps_hat|^2 = (c_out / s)^2 |F - F*|^2

To add one: a class here with its pair and the defaults that belong to it, its name in `__all__`; the conformance tests run over it.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from wxexp.config import Spec
from wxexp.diffusion import conditionings, noise_level, scalings, weightings

__all__ = ["EDM", "V", "X0", "Epsilon", "Flow", "Score"]


class Parameterization(Spec):
    """Subclasses give c_skip and c_out, elementwise in the dtype of gamma, and the scaling, conditioning and weighting of their paper."""

    registry: ClassVar[str] = __name__

    def c_skip(self, gamma: Tensor) -> Tensor:
        raise NotImplementedError

    def c_out(self, gamma: Tensor) -> Tensor:
        raise NotImplementedError

    def scaling(self) -> scalings.InputScaling:
        """The input scaling that belongs to it."""
        return scalings.VP()

    def conditioning(self) -> conditionings.NoiseConditioning:
        """The noise conditioning that belongs to it."""
        return conditionings.LogNoise()

    def weighting(self) -> weightings.Weighting:
        """The weighting that belongs to it."""
        return weightings.Simple()

    def target(self, x: Tensor, eps: Tensor, gamma: Tensor) -> Tensor:
        """F* in the dtype of x; x, eps [N, ...], gamma [N]. In x and eps, because x - c_skip y cancels where there is little noise."""
        skip, out = self.c_skip(gamma), self.c_out(gamma)
        a, b = (1 - skip) / out, skip * noise_level.scale(gamma) / out
        return noise_level.broadcast(a, x) * x - noise_level.broadcast(b, x) * eps

    def denoised(self, f: Tensor, y: Tensor, gamma: Tensor) -> Tensor:
        """The estimate of x in the dtype of y; f, y [N, ...], gamma [] or [N]."""
        return noise_level.broadcast(self.c_skip(gamma), y) * y + noise_level.broadcast(self.c_out(gamma), y) * f

    def eps_factor(self, gamma: Tensor) -> Tensor:
        """(c_out / s)^2, which makes the squared error of F that of eps."""
        return (self.c_out(gamma) / noise_level.scale(gamma)).square()


class X0(Parameterization):
    """F = x."""

    def c_skip(self, gamma: Tensor) -> Tensor:
        return torch.zeros_like(gamma)

    def c_out(self, gamma: Tensor) -> Tensor:
        return torch.ones_like(gamma)

    def weighting(self) -> weightings.Weighting:
        return weightings.Data()


class Epsilon(Parameterization):
    """F = eps (Ho et al. 2020)."""

    def c_skip(self, gamma: Tensor) -> Tensor:
        return torch.ones_like(gamma)

    def c_out(self, gamma: Tensor) -> Tensor:
        return -noise_level.scale(gamma)


class Score(Parameterization):
    """F = -eps / s, the score of the density of y (Song et al. 2021)."""

    def c_skip(self, gamma: Tensor) -> Tensor:
        return torch.ones_like(gamma)

    def c_out(self, gamma: Tensor) -> Tensor:
        return torch.exp(-gamma)

    def scaling(self) -> scalings.InputScaling:
        return scalings.VE()


class V(Parameterization):
    """F = alpha eps - sigma x (Salimans and Ho 2022)."""

    def c_skip(self, gamma: Tensor) -> Tensor:
        return noise_level.alpha2(gamma)

    def c_out(self, gamma: Tensor) -> Tensor:
        return -noise_level.sigma2(gamma).sqrt()

    def weighting(self) -> weightings.Weighting:
        return weightings.EDM(sigma_data=1.0)


class Flow(Parameterization):
    """F = eps - x, the velocity of flow matching (Lipman et al. 2023)."""

    def c_skip(self, gamma: Tensor) -> Tensor:
        return torch.sigmoid(0.5 * gamma)

    def c_out(self, gamma: Tensor) -> Tensor:
        return -noise_level.flow_time(gamma)

    def scaling(self) -> scalings.InputScaling:
        return scalings.FlowMatching()

    def conditioning(self) -> conditionings.NoiseConditioning:
        return conditionings.FlowTime()

    def weighting(self) -> weightings.Weighting:
        return weightings.Flow()


class EDM(Parameterization):
    """The preconditioning of Karras et al. (2022, table 1): with its scaling the unique pair of unit-variance input and target.

    With F = 0 the estimate is exact for data N(0, sigma_data^2); at sigma_data = 1 it is -V.
    """

    sigma_data: float = 1.0
    """Standard deviation of the (normalised) data; written here once, its scaling and weighting take it from here."""

    def __post_init__(self) -> None:
        if self.sigma_data <= 0:
            raise ValueError(f"EDM.sigma_data must be positive, got {self.sigma_data}")

    def c_skip(self, gamma: Tensor) -> Tensor:
        return self.sigma_data**2 / (torch.exp(-gamma) + self.sigma_data**2)

    def c_out(self, gamma: Tensor) -> Tensor:
        return self.sigma_data * noise_level.scale(gamma) * torch.rsqrt(torch.exp(-gamma) + self.sigma_data**2)

    def scaling(self) -> scalings.InputScaling:
        return scalings.EDM(sigma_data=self.sigma_data)

    def weighting(self) -> weightings.Weighting:
        return weightings.EDM(sigma_data=self.sigma_data)
