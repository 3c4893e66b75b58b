"""How much each noise level counts, stated on the eps-loss |eps - eps_hat|^2.

Two conventions exist, and they are two types. A DensityWeighting is a weight w(gamma) with respect to dgamma (Kingma and Gao 2023): the
training loss is the integral of w times the eps-loss whatever the density p of levels, which only changes the variance of its estimate, so
a sample counts w / p. A SampleWeighting is a factor omega(gamma) of each sample (Karras et al. 2022 and most papers): what is learnt
depends on p, and w = omega p.

To add one: a class here with its `log_weight` or `log_omega`, its name in `__all__`.
"""

from __future__ import annotations

import math
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from wxexp.config import Spec

__all__ = ["EDM", "Data", "Exponential", "Flow", "MinSNR", "Sigmoid", "Simple", "SoftMinSNR", "Uniform"]


class Weighting(Spec):
    """A weight of noise levels."""

    registry: ClassVar[str] = __name__

    def log_factor(self, gamma: Tensor, log_density: Tensor) -> Tensor:
        """Ln of what multiplies the eps-loss of a sample drawn at gamma with density exp(log_density)."""
        raise NotImplementedError


class DensityWeighting(Weighting):
    """A weight w(gamma) with respect to dgamma; a sample counts w / p."""

    def log_weight(self, gamma: Tensor) -> Tensor:
        """Ln w."""
        raise NotImplementedError

    def log_factor(self, gamma: Tensor, log_density: Tensor) -> Tensor:
        return self.log_weight(gamma) - log_density


class SampleWeighting(Weighting):
    """A factor omega(gamma), what a sample counts whatever its density."""

    def log_omega(self, gamma: Tensor) -> Tensor:
        """Ln omega."""
        raise NotImplementedError

    def log_factor(self, gamma: Tensor, log_density: Tensor) -> Tensor:
        return self.log_omega(gamma)


class Uniform(DensityWeighting):
    """The weight w = 1: the variational bound of the log-likelihood (Kingma et al. 2021)."""

    def log_weight(self, gamma: Tensor) -> Tensor:
        return torch.zeros_like(gamma)


class Sigmoid(DensityWeighting):
    """The weight w = sigmoid(bias - gamma), which spares the cleanest levels (Kingma and Gao 2023; Hoogeboom et al. 2024)."""

    bias: float = 2.0

    def log_weight(self, gamma: Tensor) -> Tensor:
        return F.logsigmoid(self.bias - gamma)


class Exponential(DensityWeighting):
    """The weight w = exp(-rate gamma).

    At rate = 1/2 it is what flow matching with uniform times and v with cosine times learn, up to a constant (Kingma and Gao 2023).
    """

    rate: float = 0.5

    def log_weight(self, gamma: Tensor) -> Tensor:
        return -self.rate * gamma


class Simple(SampleWeighting):
    """The factor omega = 1: the plain eps-loss of Ho et al. (2020), and the SNR weighting exp(gamma) of the error of x."""

    def log_omega(self, gamma: Tensor) -> Tensor:
        return torch.zeros_like(gamma)


class Data(SampleWeighting):
    """The factor omega = s^2: the plain squared error of the estimate of x."""

    def log_omega(self, gamma: Tensor) -> Tensor:
        return -gamma


class Flow(SampleWeighting):
    """The factor omega = (1 + s)^2: the plain squared error of the velocity of flow matching."""

    def log_omega(self, gamma: Tensor) -> Tensor:
        return 2 * F.softplus(-gamma / 2)


class EDM(SampleWeighting):
    """The factor omega = 1 + s^2 / sigma_data^2: lambda(s) of Karras et al. (2022, table 1), and at sigma_data = 1 the plain error of v."""

    sigma_data: float = 1.0

    def __post_init__(self) -> None:
        if self.sigma_data <= 0:
            raise ValueError(f"EDM.sigma_data must be positive, got {self.sigma_data}")

    def log_omega(self, gamma: Tensor) -> Tensor:
        return F.softplus(-gamma - 2 * math.log(self.sigma_data))


class MinSNR(SampleWeighting):
    """The factor omega = min(snr, limit) / snr: the error of x counts snr = exp(gamma), at most `limit` (Hang et al. 2023)."""

    limit: float = 5.0

    def __post_init__(self) -> None:
        if self.limit <= 0:
            raise ValueError(f"MinSNR.limit must be positive, got {self.limit}")

    def log_omega(self, gamma: Tensor) -> Tensor:
        return (math.log(self.limit) - gamma).clamp(max=0)


class SoftMinSNR(SampleWeighting):
    """The factor omega = s^2 / (s^2 + sigma_data^2), a smooth `MinSNR` (Crowson et al. 2024)."""

    sigma_data: float = 1.0

    def __post_init__(self) -> None:
        if self.sigma_data <= 0:
            raise ValueError(f"SoftMinSNR.sigma_data must be positive, got {self.sigma_data}")

    def log_omega(self, gamma: Tensor) -> Tensor:
        return F.logsigmoid(-gamma - 2 * math.log(self.sigma_data))
