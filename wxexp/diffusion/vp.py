"""The noise of variance-preserving diffusion in its time u (Song et al. 2021; Karras et al. 2022, table 1, column VP).

With a rate of beta_min + beta_d u, ln(1 + s^2) = beta_d u^2 / 2 + beta_min u. Levels and schedulers share it.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def check(name: str, beta_d: float, beta_min: float, epsilon: float) -> None:
    """Refuses, with a ValueError, rates that are not positive and a start outside (0, 1), in the fields of component `name`."""
    if beta_d < 0:
        raise ValueError(f"{name}.beta_d must be at least 0, got {beta_d}")
    if beta_min <= 0:
        raise ValueError(f"{name}.beta_min must be positive, got {beta_min}")
    if not 0 < epsilon < 1:
        raise ValueError(f"{name}.epsilon must be in (0, 1), got {epsilon}")


def gamma(u: Tensor, *, beta_d: float, beta_min: float) -> Tensor:
    """The log-SNR at time u > 0, elementwise."""
    return -torch.log(torch.expm1((0.5 * beta_d * u + beta_min) * u))


def time(gamma: Tensor, *, beta_d: float, beta_min: float) -> Tensor:
    """The time of a log-SNR, elementwise: the root of the quadratic in the form that does not cancel where there is little noise."""
    integral = -F.logsigmoid(gamma)  # ln(1 + s^2)
    return 2 * integral / (beta_min + torch.sqrt(beta_min**2 + 2 * beta_d * integral))
