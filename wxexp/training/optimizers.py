"""Learning rates, and one optimiser per phase."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import nn

from wxexp.experiment import Training
from wxexp.interfaces import Optimizer, Phase


def schedule(optimizer: Optimizer, *, samples: int, batch_size: int) -> Callable[[int], float]:
    """The learning rate of each optimiser step, by its number from 0.

    Over the w = ceil(warmup / batch_size) steps of the warm-up (at least one) the rate rises linearly to `rate`, then it falls along half
    a cosine over the rest of all ceil(samples / batch_size) steps (Loshchilov and Hutter 2017, without restarts):

        r(n) = rate * (n + 1) / w                                            n + 1 <= w
        r(n) = final + (rate - final) * (1 + cos(pi * p)) / 2                p = (n + 1 - w) / (steps - w)

    so step w - 1 has exactly `rate` and the last one exactly `final`. Training that is shorter than the warm-up stays on the ramp.
    """
    warm = max(1, math.ceil(optimizer.warmup / batch_size))
    steps = math.ceil(samples / batch_size)

    def rate(number: int) -> float:
        if number + 1 <= warm:
            return optimizer.rate * ((number + 1) / warm)
        part = (number + 1 - warm) / (steps - warm)
        return optimizer.final + (optimizer.rate - optimizer.final) * (1 + math.cos(math.pi * part)) / 2

    return rate


class PhaseOptimizer:
    """The optimiser of one phase, with its parameters, its rate by step and its limit on the norm of the gradient."""

    def __init__(self, phase: Phase, parameters: Sequence[nn.Parameter], training: Training) -> None:
        spec = phase.optimizer or training.optimizer
        self.phase = phase
        self.parameters = list(parameters)
        self.optimizer = spec.build(self.parameters)
        self.rate = schedule(spec, samples=training.samples, batch_size=training.batch_size)
        self._clip = training.clip

    def step(self, number: int) -> torch.Tensor:
        """Clips, sets the rate, steps; gives the norm of the gradient before clipping, [] on its device."""
        gradients = [p.grad for p in self.parameters if p.grad is not None]
        norm = nn.utils.get_total_norm(gradients)
        if self._clip is not None:
            nn.utils.clip_grads_with_norm_(self.parameters, self._clip, norm)
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate(number)
        self.optimizer.step()
        return norm
