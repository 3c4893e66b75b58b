"""The training set itself, noised and denoised exactly: what diffusion gives without a network, to be set beside one.

Where a network of unlimited capacity is trained for ever its estimate is that of `diffusion.Empirical`, and its members are training
samples (Karras et al. 2022, appendix B.3). Given a condition, a sample counts by how like the present condition its own is, with a
Gaussian kernel (Nadaraya 1964; Watson 1964): the classic forecast by analogues (Lorenz 1969, J. Atmos. Sci. 26, 636).
"""

from __future__ import annotations

import functools
from pathlib import Path

import torch
from torch import Tensor

from wxexp.diffusion import noise_level
from wxexp.diffusion.empirical import Empirical as ExactDenoiser
from wxexp.diffusion.noise import DrawnNoise
from wxexp.experiment import Experiment
from wxexp.fields.seeds import Draws
from wxexp.interfaces import Batch, Learner, Objective, Opened, Parts, Phase, Sampler

ITEMS = 64  # training items read at a time


class Empirical(Objective):
    """The exact denoiser of the training samples. Learns nothing: the model is not built, and one sample of training is as good as many.

    Needs a sampler, and neither scheduler nor validation.
    """

    bandwidth: float | None = None
    """Width of the kernel in each value of the condition, which has variance 1. None: the condition is not regarded."""

    def __post_init__(self) -> None:
        if self.bandwidth is not None and self.bandwidth <= 0:
            raise ValueError(f"Empirical.bandwidth must be positive, got {self.bandwidth}")

    def check(self, experiment: Experiment) -> None:
        if experiment.sampler is None:
            raise ValueError("Empirical needs a sampler, which draws its members, and sampler is None")
        for name, value in {"scheduler": experiment.scheduler, "training.validation": experiment.training.validation}.items():
            if value is not None:
                raise ValueError(f"Empirical learns nothing and has no use for a {name}: it must be None, got {type(value).__name__}")

    def build(self, parts: Parts) -> EmpiricalLearner:
        return EmpiricalLearner(self, parts)


class EmpiricalLearner(Learner):
    """Has no state beside the dataset: `cache` reads the training samples, in drawing too."""

    def __init__(self, spec: Empirical, parts: Parts) -> None:
        super().__init__()
        self.bandwidth, self.channels = spec.bandwidth, parts.ports.out
        self.exact: ExactDenoiser | None = None
        self.register_buffer("conditions", None, persistent=False)

    def phases(self) -> tuple[Phase, ...]:
        return ()

    def cache(self, opened: Opened, scratch: Path) -> Opened:
        items = opened.items("train")
        targets, conditions = [], []
        for first in range(0, len(items), ITEMS):
            batch = opened.read(items[first : first + ITEMS])
            assert batch.target is not None, "training items have truth"
            targets.append(batch.target)
            conditions.append(batch.condition.flatten(1))
        self.exact = ExactDenoiser(torch.cat(targets), mask=batch.mask)
        self.conditions = None if self.bandwidth is None else torch.cat(conditions)
        return opened

    def members(self, batch: Batch, draws: Draws, sampler: Sampler | None) -> Tensor:
        """[B, M, C, *S] float32, masked cells 0."""
        assert sampler is not None, "refused by Empirical.check"
        assert self.exact is not None, "who draws members has called cache"
        rows = batch.repeat(len(draws.rows) // len(batch))
        noise = DrawnNoise(draws, (self.channels, *batch.size), mask=rows.mask, device=rows.condition.device)
        denoise = functools.partial(self.exact, log_weights=self._likeness(rows.condition))
        gamma = sampler.levels.gamma(sampler.steps)
        x = sampler.sample(denoise, noise_level.scale(gamma[0]) * noise.prior(), gamma, noise)
        return torch.where(rows.mask, x, 0.0).float().reshape(len(batch), -1, *x.shape[1:])

    def _likeness(self, condition: Tensor) -> Tensor | None:
        """Log of the kernel, [N, K]."""
        if self.bandwidth is None:
            return None
        assert self.conditions is not None
        return -torch.cdist(condition.flatten(1).double(), self.conditions.double()).square() / (2 * self.bandwidth**2)
