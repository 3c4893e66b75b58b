"""What tests of samplers share: a law of two Gaussians, and the state that preserves variance, z = alpha y, in which papers write them."""

from __future__ import annotations

import torch

from wxexp.diffusion.denoisers import Mixture

UNEVEN = torch.tensor([-6.0, -4.5, -2.0, -1.0, 1.5, 3.0], dtype=torch.float64)
"""Levels gamma whose steps differ."""


def two_gaussians() -> Mixture:
    """0.4 N(-1, 0.3^2) + 0.6 N(1.5, 0.2^2)."""
    means = torch.tensor([-1.0, 1.5], dtype=torch.float64)[:, None, None]
    return Mixture(torch.tensor([0.4, 0.6], dtype=torch.float64), means, torch.tensor([0.09, 0.04], dtype=torch.float64))


def alpha(gamma: torch.Tensor) -> torch.Tensor:
    return torch.sigmoid(gamma).sqrt()


def sigma(gamma: torch.Tensor) -> torch.Tensor:
    return torch.sigmoid(-gamma).sqrt()
