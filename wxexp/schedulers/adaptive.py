"""Noise levels drawn where the errors are, as training finds them (Kingma and Gao 2023, adaptive noise schedules)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from wxexp.interfaces import Schedule, Scheduler
from wxexp.interfaces.learning import Group
from wxexp.schedulers.linear import Linear


class Adaptive(Scheduler):
    """A piecewise constant density of gamma, proportional to the running mean error of each bin; uniform before training.

    With errors w |eps - eps_hat|^2 for a weight w with respect to dgamma, the loss w / p |eps - eps_hat|^2 is then about the same at every
    level, which is importance sampling of the same objective. Only such a `DensityWeighting` goes with it: a factor per sample counts by
    p, so that what is learnt would follow the density. The methods of this spec are those of the start; the state is in what `build` makes.
    """

    gamma_min: float = -20.0
    gamma_max: float = 20.0
    bins: int = 100
    decay: float = 0.999
    """What one sample in a bin leaves of the bin's mean, rho in the paper. The start counts like 1 / (1 - decay) samples in every bin: of
    100 000 samples in 100 bins the paper's 0.999 leaves a third of it, and errors far below 1 hardly show."""
    floor: float = 0.01
    """Share of the draws that is uniform over the range whatever the errors, so that no bin is forgotten."""

    def __post_init__(self) -> None:
        if self.gamma_min >= self.gamma_max:
            raise ValueError(f"Adaptive.gamma_min must be below gamma_max = {self.gamma_max}, got {self.gamma_min}")
        if self.bins < 1:
            raise ValueError(f"Adaptive.bins must be at least 1, got {self.bins}")
        if not 0 <= self.decay < 1:
            raise ValueError(f"Adaptive.decay must be in [0, 1), got {self.decay}")
        if not 0 < self.floor <= 1:
            raise ValueError(f"Adaptive.floor must be in (0, 1], got {self.floor}")

    def gamma(self, t: Tensor) -> Tensor:
        return self._start.gamma(t)

    def time(self, gamma: Tensor) -> Tensor:
        return self._start.time(gamma)

    def log_density(self, gamma: Tensor) -> Tensor:
        return self._start.log_density(gamma)

    @property
    def range(self) -> tuple[float, float]:
        return (self.gamma_min, self.gamma_max)

    @property
    def _start(self) -> Linear:
        return Linear(gamma_min=self.gamma_min, gamma_max=self.gamma_max)

    def build(self) -> AdaptiveSchedule:
        return AdaptiveSchedule(self)


class AdaptiveSchedule(Schedule):
    """The density in training.

    Buffers: `mean` [bins], the running mean error of each bin, the cleanest first; `dropped` [], how many errors were NaN or infinite.
    """

    mean: Tensor
    dropped: Tensor

    def __init__(self, spec: Adaptive) -> None:
        super().__init__()
        self.spec = spec
        self.width = (spec.gamma_max - spec.gamma_min) / spec.bins
        self.register_buffer("mean", torch.ones(spec.bins, dtype=torch.float64))
        self.register_buffer("dropped", torch.zeros((), dtype=torch.int64))

    def probability(self) -> Tensor:
        """Of each bin, the cleanest first; float64 [bins], at least floor / bins."""
        return (1 - self.spec.floor) * self.mean / self.mean.sum() + self.spec.floor / self.spec.bins

    def density(self) -> tuple[Tensor, Tensor]:
        """Edges of the bins in gamma [bins + 1], increasing, and the density in each [bins], float64 on the CPU: what a plot draws."""
        edges = torch.linspace(self.spec.gamma_min, self.spec.gamma_max, self.spec.bins + 1, dtype=torch.float64)
        return edges, (self.probability() / self.width).flip(0).cpu()

    def gamma(self, t: Tensor) -> Tensor:
        p = self.probability()
        after = torch.cumsum(p, 0)
        k = torch.searchsorted(after, t.double(), right=True).clamp(max=self.spec.bins - 1)
        inside = ((t - (after - p)[k]) / p[k]).clamp(0, 1)
        return (self.spec.gamma_max - self.width * (k + inside)).clamp(*self.spec.range).to(t)

    def time(self, gamma: Tensor) -> Tensor:
        """The inverse of gamma; 0 or 1 outside the range."""
        p, k = self.probability(), self._bin(gamma)
        inside = (self.spec.gamma_max - gamma) / self.width - k
        return ((torch.cumsum(p, 0) - p)[k] + p[k] * inside.clamp(0, 1)).to(gamma)

    def log_density(self, gamma: Tensor) -> Tensor:
        """Ln of the probability of the bin divided by its width in gamma; -inf outside the range."""
        found = (self.probability() / self.width).log()[self._bin(gamma)]
        outside = (gamma < self.spec.gamma_min) | (gamma > self.spec.gamma_max)
        return torch.where(outside, -math.inf, found).to(gamma)

    @torch.no_grad()
    def update(self, gamma: Tensor, error: Tensor, world: Group) -> None:
        """With n samples in a bin, its mean becomes decay^n mean + (1 - decay^n) (their mean error).

        Samples are those of all ranks; errors that are NaN or infinite are left out.
        """
        error = error.double()
        finite = error.isfinite() & gamma.isfinite()
        k, found, bins = self._bin(gamma[finite]), error[finite], self.spec.bins
        sums = torch.zeros(2 * bins + 1, dtype=torch.float64, device=error.device)  # errors, samples, those left out
        sums.index_add_(0, k, found).index_add_(0, k + bins, torch.ones_like(found))
        sums[-1] = (~finite).sum()
        sums = world.all_reduce(sums)
        total, count = sums[:bins], sums[bins:-1]
        kept = self.spec.decay**count  # 1 without samples, where the clamp only avoids 0 / 0
        self.mean.copy_(kept * self.mean + (1 - kept) * total / count.clamp(min=1))
        self.dropped.add_(sums[-1].long())

    def _bin(self, gamma: Tensor) -> Tensor:
        return ((self.spec.gamma_max - gamma) / self.width).long().clamp(0, self.spec.bins - 1)
