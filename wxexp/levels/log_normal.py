"""Noise levels as dense as a log-normal density of s, that of EDM's training (Karras et al. 2022, table 1) but wide."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from wxexp.interfaces import Levels


class LogNormal(Levels):
    """Levels whose ln s are equidistant quantiles of N(mean, std^2), from sigma_max to sigma_min; a single step has sigma_max only.

    Between Exponential (std without end) and the levels of a narrow training density: shortest steps in ln s around exp(mean), where the
    estimate bends for most data, yet no step so long that smooth fields, whose large scales stand out of the noise already at large s, lose
    their variance there. Multistep solvers in ln s gain most. The same as Quantiles of that scheduler.
    """

    sigma_min: float = 0.002
    sigma_max: float = 80.0
    mean: float = -1.0
    std: float = 6.0

    def __post_init__(self) -> None:
        if not 0 < self.sigma_min < self.sigma_max:
            raise ValueError(f"LogNormal.sigma_min must be in (0, sigma_max = {self.sigma_max}), got {self.sigma_min}")
        if self.std <= 0:
            raise ValueError(f"LogNormal.std must be positive, got {self.std}")

    def gamma(self, steps: int) -> Tensor:
        ends = torch.tensor([math.log(self.sigma_max), math.log(self.sigma_min)], dtype=torch.float64)
        first, last = torch.special.ndtr((ends - self.mean) / self.std).tolist()
        normal: Tensor = torch.special.ndtri(torch.linspace(first, last, steps, dtype=torch.float64))
        gamma = -2 * (self.mean + self.std * normal)
        gamma[0] = -2 * ends[0]  # without the rounding of two ways
        if steps > 1:
            gamma[-1] = -2 * ends[1]
        return gamma
