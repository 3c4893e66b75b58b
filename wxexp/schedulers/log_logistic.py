"""Log-logistic noise, of heavier tails than log-normal (Crowson et al. 2024, of HDiT)."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from wxexp.interfaces import Scheduler


class LogLogistic(Scheduler):
    """Ln s is logistic about `mean` with scale `scale`: gamma = -2 (mean + scale logit(t)). With 0 and 1 it is `FlowUniform`.

    A mean of ln sigma_data centres it on the standard deviation of the data. It is unbounded; see `Truncated`.
    """

    mean: float = 0.0
    scale: float = 0.5

    def __post_init__(self) -> None:
        if self.scale <= 0:
            raise ValueError(f"LogLogistic.scale must be positive, got {self.scale}")

    def gamma(self, t: Tensor) -> Tensor:
        return -2 * (self.mean + self.scale * torch.logit(t))

    def time(self, gamma: Tensor) -> Tensor:
        return torch.sigmoid(self._standard(gamma))

    def log_density(self, gamma: Tensor) -> Tensor:
        x = self._standard(gamma)
        return F.logsigmoid(x) + F.logsigmoid(-x) - math.log(2 * self.scale)

    @property
    def range(self) -> tuple[float, float]:
        return (-math.inf, math.inf)

    def _standard(self, gamma: Tensor) -> Tensor:
        return (-gamma / 2 - self.mean) / self.scale
