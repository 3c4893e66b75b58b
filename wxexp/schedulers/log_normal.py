"""Log-normal noise, the training density of EDM (Karras et al. 2022, table 1)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from wxexp.interfaces import Scheduler


class LogNormal(Scheduler):
    """Ln s ~ N(mean, std^2), so gamma ~ N(-2 mean, (2 std)^2)."""

    mean: float = -1.2
    std: float = 1.2

    def __post_init__(self) -> None:
        if self.std <= 0:
            raise ValueError(f"LogNormal.std must be positive, got {self.std}")

    def gamma(self, t: Tensor) -> Tensor:
        z: Tensor = torch.special.ndtri(t)
        return -2 * (self.mean + self.std * z)

    def time(self, gamma: Tensor) -> Tensor:
        t: Tensor = torch.special.ndtr(self._standard(gamma))
        return t

    def log_density(self, gamma: Tensor) -> Tensor:
        return -0.5 * self._standard(gamma).square() - math.log(2 * self.std * math.sqrt(2 * math.pi))

    @property
    def range(self) -> tuple[float, float]:
        return (-math.inf, math.inf)

    def _standard(self, gamma: Tensor) -> Tensor:
        return (-gamma / 2 - self.mean) / self.std
