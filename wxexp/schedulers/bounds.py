"""What schedulers of a bounded range share: nothing is drawn outside it, not even by rounding."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def check_scales(name: str, sigma_min: float, sigma_max: float) -> None:
    """Refuses 0 < sigma_min < sigma_max not holding, in the fields of component `name`."""
    if not 0 < sigma_min < sigma_max:
        raise ValueError(f"{name}.sigma_min must be in (0, sigma_max = {sigma_max}), got {sigma_min}")


def of_scales(sigma_min: float, sigma_max: float) -> tuple[float, float]:
    """(gamma_min, gamma_max) of noise of standard deviation in [sigma_min, sigma_max]."""
    return -2 * math.log(sigma_max), -2 * math.log(sigma_min)


def inside(log_density: Tensor, gamma: Tensor, bounds: tuple[float, float]) -> Tensor:
    """The log-density in [gamma_min, gamma_max] and -inf outside; NaN stays NaN."""
    return torch.where((gamma < bounds[0]) | (gamma > bounds[1]), -math.inf, log_density)
