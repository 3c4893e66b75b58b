"""Uniform times of flow matching (Lipman et al. 2023; Liu et al. 2023), shifted for large fields (Esser et al. 2024)."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from wxexp.interfaces import Scheduler


class FlowUniform(Scheduler):
    """Times u = s / (1 + s) of flow matching uniform on (0, 1), or shifted to k u / (1 + (k - 1) u) for a shift k other than 1.

    Gamma = -2 logit(t) - 2 ln k. Esser et al. (2024, section 5.3.2) set k to the square root of the ratio of the numbers of cells.
    """

    shift: float = 1.0

    def __post_init__(self) -> None:
        if self.shift <= 0:
            raise ValueError(f"FlowUniform.shift must be positive, got {self.shift}")

    def gamma(self, t: Tensor) -> Tensor:
        return -2 * (torch.logit(t) + math.log(self.shift))

    def time(self, gamma: Tensor) -> Tensor:
        return torch.sigmoid(-gamma / 2 - math.log(self.shift))

    def log_density(self, gamma: Tensor) -> Tensor:
        x = gamma / 2 + math.log(self.shift)
        return F.logsigmoid(x) + F.logsigmoid(-x) - math.log(2)

    @property
    def range(self) -> tuple[float, float]:
        return (-math.inf, math.inf)
