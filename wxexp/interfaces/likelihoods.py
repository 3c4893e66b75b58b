"""What a decoder's output says of the truth: a distribution at every cell, with a scale that is fitted while the decoder learns."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from wxexp.config import Spec
from wxexp.interfaces.learning import Group


class Likelihood(Spec):
    """The distribution of a variable x [N, C, *S] given a decoder's output f [N, C * parameters, *S] and its scale s, [C, 1, ...].

    The scale of each variable is no weight of the decoder: its `moment` s^power follows the batches by an exponential moving average
    whose fixed point is the maximum-likelihood estimate. Values and bounds are in the space of the targets, normalised.

    Class attributes: `parameters`, channels of f for each variable (channel p of variable c is c * parameters + p), and `power`.
    """

    registry: ClassVar[str] = "wxexp.likelihoods"
    parameters: ClassVar[int] = 1
    power: ClassVar[float]
    decay: float = 0.99
    """Part of the moment that one optimiser step keeps; 1: the scale stays 1."""

    def __post_init__(self) -> None:
        if not 0 <= self.decay <= 1:
            raise ValueError(f"{type(self).__name__}.decay must be from 0 to 1, got {self.decay}")

    def log_prob(self, x: Tensor, f: Tensor, scale: Tensor) -> Tensor:
        """[N, C, *S]: ln of the density, or of the mass where x is at a bound that has one."""
        raise NotImplementedError

    def quantile(self, z: Tensor, f: Tensor, scale: Tensor) -> Tensor:
        """[N, C, *S] at probability Phi(z): the median at z = 0, a random draw at standard normal z."""
        raise NotImplementedError

    def moment(self, x: Tensor, f: Tensor, scale: Tensor) -> Tensor:
        """[N, C, *S], whose mean over the data is s^power at the maximum of the likelihood and nowhere else."""
        raise NotImplementedError

    def build(self, variables: int) -> FittedLikelihood:
        """With a scale of 1 for each variable."""
        return FittedLikelihood(self, variables)


class FittedLikelihood(nn.Module):
    """A likelihood and the scale it has come to; buffer `moment` [C], float32."""

    moment: Tensor

    def __init__(self, spec: Likelihood, variables: int) -> None:
        super().__init__()
        self.spec = spec
        self.register_buffer("moment", torch.ones(variables))

    @property
    def scale(self) -> Tensor:
        """[C]."""
        return self.moment ** (1 / self.spec.power)

    def _along(self, f: Tensor) -> Tensor:
        return self.scale.to(f).view(-1, *(1,) * (f.ndim - 2))

    def log_prob(self, x: Tensor, f: Tensor) -> Tensor:
        """As of the spec, with the scale of now."""
        return self.spec.log_prob(x, f, self._along(f))

    def quantile(self, z: Tensor, f: Tensor) -> Tensor:
        """As of the spec, with the scale of now; z broadcasts."""
        return self.spec.quantile(z, f, self._along(f))

    def median(self, f: Tensor) -> Tensor:
        """[N, C, *S]."""
        return self.quantile(f.new_zeros(()), f)

    @torch.no_grad()
    def moments(self, x: Tensor, f: Tensor) -> Tensor:
        """As `moment` of the spec, without gradient."""
        return self.spec.moment(x, f, self._along(f))

    @torch.no_grad()
    def update(self, total: Tensor, weight: Tensor, world: Group) -> None:
        """One step of the moving average, from weighted sums of moments and of weights [C], which are summed over `world`.

        A variable that no rank has valid cells of keeps its scale.
        """
        total, weight = world.all_reduce(torch.stack([total, weight]).double())
        found = torch.where(weight > 0, total / torch.where(weight > 0, weight, 1.0), self.moment.double())
        self.moment.copy_(self.spec.decay * self.moment.double() + (1 - self.spec.decay) * found)
