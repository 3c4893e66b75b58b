"""Noise levels from a table, such as those another system was trained with."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor

from wxexp.diffusion import noise_level
from wxexp.interfaces import Scheduler
from wxexp.schedulers import bounds


class Table(Scheduler):
    """Gamma through the levels of a table that are equidistant in time, linear in gamma between neighbours.

    So every level of the table is a quantile, and there are as many draws between any two neighbours.
    """

    sigmas: tuple[float, ...]
    """Standard deviations of the noise in data units, at least two, each above or each below the one before."""

    def __post_init__(self) -> None:
        if len(self.sigmas) < 2:
            raise ValueError(f"Table.sigmas must be at least two, got {len(self.sigmas)}")
        for i, s in enumerate(self.sigmas):
            if not 0 < s < float("inf"):
                raise ValueError(f"Table.sigmas[{i}] must be positive and finite, got {s}")
        rising = self.sigmas[1] > self.sigmas[0]
        for i, (before, s) in enumerate(pairwise(self.sigmas), 1):
            if s == before or (s > before) != rising:
                direction = "above" if rising else "below"
                raise ValueError(f"Table.sigmas must be strictly monotone: sigmas[{i}] must be {direction} {before}, got {s}")

    def gamma(self, t: Tensor) -> Tensor:
        knots = self._knots(t)
        place = t * (len(knots) - 1)
        k = place.long().clamp(0, len(knots) - 2)
        return (knots[k] + (knots[k + 1] - knots[k]) * (place - k)).clamp(*self.range)

    def time(self, gamma: Tensor) -> Tensor:
        knots, k = self._knots(gamma), self._interval(gamma)
        inside = (gamma - knots[k]) / (knots[k + 1] - knots[k])
        return ((k + inside) / (len(knots) - 1)).clamp(0, 1)

    def log_density(self, gamma: Tensor) -> Tensor:
        knots, k = self._knots(gamma), self._interval(gamma)
        return bounds.inside(-torch.log((knots[k] - knots[k + 1]) * (len(knots) - 1)), gamma, self.range)

    @property
    def range(self) -> tuple[float, float]:
        return bounds.of_scales(min(self.sigmas), max(self.sigmas))

    def _knots(self, like: Tensor) -> Tensor:
        """Log-SNRs of the table, clean to noisy."""
        s = torch.tensor(self.sigmas, dtype=torch.float64)
        return noise_level.of_scale(s if self.sigmas[0] < self.sigmas[1] else s.flip(0)).to(like)

    def _interval(self, gamma: Tensor) -> Tensor:
        """Number of the interval, the cleanest first; the outer ones also hold what is beyond."""
        knots = self._knots(gamma)
        return (torch.searchsorted(-knots, -gamma.detach(), right=True) - 1).clamp(0, len(knots) - 2)
