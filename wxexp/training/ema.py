"""The moving average of weights that members are drawn with."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn


def decay(seen: float, *, batch_size: int, half_life: float, rampup: float | None) -> float:
    """How much of the average is kept in a step of `batch_size` samples, after `seen` samples.

    beta = 0.5 ** (batch_size / h), with h = min(half_life, rampup * seen) samples (Karras et al. 2022, appendix F.2); 0 at the start of a
    ramp, where the average is the weights.
    """
    half = half_life if rampup is None else min(half_life, rampup * seen)
    return 0.5 ** (batch_size / half) if half > 0 else 0.0


class EMA:
    """Averages of the trainable parameters of a module; its buffers are live, so they are not averaged.

    Attributes:
        weights: by parameter name, in the memory format of the parameters.
    """

    def __init__(self, module: nn.Module, *, batch_size: int, half_life: float, rampup: float | None) -> None:
        self._live = {name: p for name, p in module.named_parameters() if p.requires_grad}
        self._parameters: list[Tensor] = list(self._live.values())
        self._averages = [p.detach().clone(memory_format=torch.preserve_format) for p in self._parameters]
        self._batch_size, self._half_life, self._rampup = batch_size, half_life, rampup

    @property
    def weights(self) -> dict[str, Tensor]:
        return dict(zip(self._live, self._averages, strict=True))

    def load(self, weights: Mapping[str, Tensor]) -> None:
        """Those of a checkpoint, by the same names."""
        for name, average in self.weights.items():
            average.copy_(weights[name])

    @torch.no_grad()
    def update(self, number: int) -> None:
        """After optimiser step `number`, counted from 0: a <- beta a + (1 - beta) w."""
        kept = decay(number * self._batch_size, batch_size=self._batch_size, half_life=self._half_life, rampup=self._rampup)
        torch._foreach_lerp_(self._averages, self._parameters, 1 - kept)

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """The module has the averaged weights inside; memory is exchanged, nothing is copied."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def _swap(self) -> None:
        for i, parameter in enumerate(self._parameters):
            parameter.data, self._averages[i] = self._averages[i], parameter.data
