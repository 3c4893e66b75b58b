"""The normal distribution."""

from __future__ import annotations

import math
from typing import ClassVar

from torch import Tensor

from wxexp.interfaces import Likelihood


class Gaussian(Likelihood):
    """f + s z: the decoder learns the conditional mean, and the scale is the root mean square error."""

    power: ClassVar[float] = 2.0

    def log_prob(self, x: Tensor, f: Tensor, scale: Tensor) -> Tensor:
        return -((x - f) / scale).square() / 2 - scale.log() - math.log(2 * math.pi) / 2

    def quantile(self, z: Tensor, f: Tensor, scale: Tensor) -> Tensor:
        return f + scale * z

    def moment(self, x: Tensor, f: Tensor, scale: Tensor) -> Tensor:
        return (x - f).square()
