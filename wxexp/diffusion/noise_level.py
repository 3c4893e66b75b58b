"""Functions of the noise level gamma = ln(alpha^2 / sigma^2), the log-SNR (lambda of Kingma et al. 2021; twice the lambda of DPM-Solver).

Large gamma is clean. In the state y = x + s eps the noise has standard deviation s = sigma / alpha = exp(-gamma / 2). Variance-preserving
alpha^2 and sigma^2 are both sigmoids: 1 - alpha^2 would lose sigma in float32 from gamma = 15 on. All work elementwise in the dtype of
their argument; NaN stays NaN.
"""

from __future__ import annotations

import torch
from torch import Tensor


def scale(gamma: Tensor) -> Tensor:
    """Standard deviation of the noise in data units, s = exp(-gamma / 2)."""
    return torch.exp(-0.5 * gamma)


def of_scale(s: Tensor) -> Tensor:
    """The log-SNR of noise of standard deviation s, gamma = -2 ln s."""
    return -2.0 * torch.log(s)


def alpha2(gamma: Tensor) -> Tensor:
    """Signal power of the variance-preserving state, alpha^2 = sigmoid(gamma)."""
    return torch.sigmoid(gamma)


def sigma2(gamma: Tensor) -> Tensor:
    """Noise power of the variance-preserving state, sigma^2 = sigmoid(-gamma)."""
    return torch.sigmoid(-gamma)


def flow_time(gamma: Tensor) -> Tensor:
    """Time of flow matching with alpha = 1 - t, sigma = t: t = s / (1 + s) = sigmoid(-gamma / 2)."""
    return torch.sigmoid(-0.5 * gamma)


def broadcast(coefficient: Tensor, x: Tensor) -> Tensor:
    """A coefficient [] or [N] in dtype, device and number of axes of x [N, ...]; compute it in float64 before."""
    return coefficient.to(x).reshape(coefficient.shape + (1,) * (x.ndim - coefficient.ndim))
