"""A training process that Ray Train started."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import ray.train
import ray.train.torch

from wxexp.training.session import LocalSession

STOP = "stop"
"""A file of this name in the directory of the checkpoints asks training to write one and end."""
LOOK_SECONDS = 0.5
PREEMPTION_CALLS = 200
"""All ranks ask together for notices of nodes that are to be taken away; it is a barrier, hence not every step."""


class Preempted(RuntimeError):
    """A node is about to be taken away; there is a checkpoint, and training goes on elsewhere."""


class RaySession(LocalSession):
    """Rank, peers and device are those of Ray Train, which has joined `torch.distributed`; checkpoints are kept as `LocalSession` does.

    Attributes:
        preempted: it was a notice of pre-emption, not the file, that made `should_stop` true.
    """

    def __init__(self, directory: Path) -> None:
        context = ray.train.get_context()
        rank, world_size = context.get_world_rank(), context.get_world_size()
        super().__init__(directory, rank=rank, world_size=world_size, device=ray.train.torch.get_device())
        self.preempted = False
        self._looked, self._calls = 0.0, 0

    def report(self, metrics: Mapping[str, float], checkpoint: Path | None = None) -> None:
        """As `LocalSession` does; the metrics are also Ray Train's."""
        super().report(metrics, checkpoint)
        ray.train.report(dict(metrics))

    def should_stop(self) -> bool:
        """The file is there, or a node is to be taken away. Every rank must call it equally often."""
        self._calls += 1
        if self._calls % PREEMPTION_CALLS == 0 and ray.train.get_preemption_info() is not None:
            self.preempted = self._stop = True
        if not self._stop and time.monotonic() - self._looked > LOOK_SECONDS:
            self._looked = time.monotonic()
            self._stop = (self.directory / STOP).exists()
        return self._stop
