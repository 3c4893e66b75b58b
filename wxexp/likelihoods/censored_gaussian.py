"""The normal distribution with what is beyond the bounds at the bounds (Tobin 1958)."""

from __future__ import annotations

import math
from typing import ClassVar

from torch import Tensor
from torch.special import log_ndtr

from wxexp.likelihoods.bounds import BoundedLikelihood


def _hazard(a: Tensor) -> Tensor:
    """phi(a) / Phi(a), which keeps its digits where both underflow."""
    log_phi: Tensor = log_ndtr(a)
    return (-a.square() / 2 - math.log(2 * math.pi) / 2 - log_phi).exp()


class CensoredGaussian(BoundedLikelihood):
    """min(max(f + s z, lower), upper): masses Phi((lower - f) / s) and Phi((f - upper) / s) at the bounds, the density between.

    The moment is the expected squared error of the uncensored variable given what is seen of it, that of expectation maximisation
    (Dempster, Laird and Rubin 1977, section 4.2).
    """

    power: ClassVar[float] = 2.0

    def log_prob(self, x: Tensor, f: Tensor, scale: Tensor) -> Tensor:
        return self.by_place(
            x,
            lower=None if self.lower is None else log_ndtr((self.lower - f) / scale),
            inside=-((x - f) / scale).square() / 2 - scale.log() - math.log(2 * math.pi) / 2,
            upper=None if self.upper is None else log_ndtr((f - self.upper) / scale),
        )

    def quantile(self, z: Tensor, f: Tensor, scale: Tensor) -> Tensor:
        return (f + scale * z).clamp(self.low, self.high)

    def moment(self, x: Tensor, f: Tensor, scale: Tensor) -> Tensor:
        def beyond(a: Tensor) -> Tensor:  # E[z^2 | z < a]
            return scale.square() * (1 - a * _hazard(a))

        return self.by_place(
            x,
            lower=None if self.lower is None else beyond((self.lower - f) / scale),
            inside=(x - f).square(),
            upper=None if self.upper is None else beyond((f - self.upper) / scale),
        )
