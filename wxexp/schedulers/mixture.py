"""Several densities of noise levels at once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import field

import torch
from torch import Tensor

from wxexp.config.tree import suggest
from wxexp.diffusion.schedules import check_fixed
from wxexp.interfaces import Scheduler
from wxexp.schedulers.log_normal import LogNormal
from wxexp.schedulers.log_uniform import LogUniform


def _even() -> dict[str, Scheduler]:
    return {"log_normal": LogNormal(mean=-1.6, std=0.8), "log_uniform": LogUniform(sigma_min=0.02, sigma_max=80.0)}


class Mixture(Scheduler):
    """p = sum of weight_k p_k over `schedulers`; as default half of the levels log-normal and half log-uniform.

    The time is that of the whole mixture, so that stratified draws are stratified over it, in any batch size. Its inverse is found by
    bisection between the quantiles of the parts, to the last digits.
    """

    schedulers: Mapping[str, Scheduler] = field(default_factory=_even)
    weights: Mapping[str, float] = field(default_factory=dict)
    """Relative weights of schedulers by name; 1 where not given."""

    def __post_init__(self) -> None:
        if not self.schedulers:
            raise ValueError("Mixture.schedulers must name at least one scheduler, got none")
        for name, scheduler in self.schedulers.items():
            check_fixed(f"Mixture.schedulers.{name}", scheduler)
        for name, weight in self.weights.items():
            if name not in self.schedulers:
                raise ValueError(f"Mixture.weights has no scheduler {name!r}{suggest(name, self.schedulers)}")
            if weight <= 0:
                raise ValueError(f"Mixture.weights.{name} must be positive, got {weight}")

    def gamma(self, t: Tensor) -> Tensor:
        quantiles = torch.stack([part.gamma(t) for _, part in self._parts])
        low, high = least, most = quantiles.amin(0), quantiles.amax(0)
        for _ in range(64):
            middle = low + (high - low) / 2
            noisier = self.time(middle) > t  # than sought, at the middle
            low, high = torch.where(noisier, middle, low), torch.where(noisier, high, middle)
        # at t = 0 and 1 the end of an unbounded part is that of the mixture
        return torch.where(most.isinf(), most, torch.where(least.isinf(), least, low))

    def time(self, gamma: Tensor) -> Tensor:
        return torch.stack([share * part.time(gamma) for share, part in self._parts]).sum(0)

    def log_density(self, gamma: Tensor) -> Tensor:
        return torch.stack([math.log(share) + part.log_density(gamma) for share, part in self._parts]).logsumexp(0)

    @property
    def range(self) -> tuple[float, float]:
        ranges = [part.range for part in self.schedulers.values()]
        return (min(low for low, _ in ranges), max(high for _, high in ranges))

    @property
    def _parts(self) -> list[tuple[float, Scheduler]]:
        """Share of the draws and scheduler of each part."""
        weights = {name: self.weights.get(name, 1.0) for name in self.schedulers}
        total = sum(weights.values())
        return [(weight / total, self.schedulers[name]) for name, weight in weights.items()]
