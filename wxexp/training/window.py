"""Means of training scalars over the steps between two rows of a tracker."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from wxexp.interfaces import Group, Loss


class Window:
    """Sums on the device, so that a step waits for nothing; read at the cadence of the tracker.

    The sums are part of a checkpoint: a run that resumes between two rows tracks the same means as one that was not interrupted.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._sums: dict[str, dict[str, Tensor]] = {}
        self._counts: dict[str, dict[str, int]] = {}

    def add(self, phase: str, loss: Loss, norm: Tensor) -> None:
        """A step of a phase: losses and terms of this rank's samples, and the norm of the gradient."""
        sums = self._sums.setdefault(phase, {})
        counts = self._counts.setdefault(phase, {})
        for name, x in {"loss": loss.per_sample, **loss.terms, "grad_norm": norm}.items():
            total = x.detach().sum(dtype=torch.float64)
            sums[name] = sums[name] + total if name in sums else total
            counts[name] = counts.get(name, 0) + x.numel()

    def gather(self, world: Group) -> None:
        """Moves the sums of all ranks to the first, which writes rows and checkpoints."""
        if world.size == 1:
            return
        pairs = [(self._sums[p][n], self._counts[p][n]) for p in self._sums for n in self._sums[p]]
        if not pairs:
            return
        counts = torch.tensor([count for _, count in pairs], dtype=torch.float64, device=self._device)
        total = world.all_reduce(torch.stack([torch.stack([total for total, _ in pairs]), counts])) * (world.rank == 0)
        found = iter(total.unbind(1))
        for phase, sums in self._sums.items():
            for name in sums:
                pair = next(found)
                sums[name], self._counts[phase][name] = pair[0], int(pair[1])

    def means(self) -> dict[str, dict[str, float]]:
        """By phase and name; gathered before."""
        return {phase: {name: s / c for name, (s, c) in found.items() if c} for phase, found in self.state().items()}

    def clear(self) -> None:
        """Begins anew, with no sums."""
        self._sums, self._counts = {}, {}

    def state(self) -> dict[str, dict[str, tuple[float, int]]]:
        """(sum, count) by phase and name, for a checkpoint; gathered before."""
        return {p: {n: (float(s), self._counts[p][n]) for n, s in sums.items()} for p, sums in self._sums.items()}

    def load(self, state: Mapping[str, Mapping[str, tuple[float, int]]], world: Group) -> None:
        """What `state` gave: all of it on the first rank, nothing but names on the others."""
        first = world.rank == 0

        def tensor(x: float) -> Tensor:
            return torch.tensor(x * first, dtype=torch.float64, device=self._device)

        self._sums = {p: {n: tensor(s) for n, (s, _) in found.items()} for p, found in state.items()}
        self._counts = {p: {n: c * first for n, (_, c) in found.items()} for p, found in state.items()}
