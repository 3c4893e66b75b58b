"""Training on this machine: where checkpoints are, and when to stop."""

from __future__ import annotations

import shutil
import signal
import threading
from collections.abc import Mapping
from pathlib import Path
from types import FrameType, TracebackType

import torch
import torch.distributed as dist

from wxexp.interfaces import Group
from wxexp.training.checkpoint import TEMPORARY, best_checkpoint, flush, folder_name, folders, last_checkpoint, read_state


class LocalSession:
    """A training process, or one of several that share a directory.

    The directory keeps the last checkpoint and the best one, that with the lowest metric "criterion". As a context manager it turns the
    first SIGINT (Ctrl-C) or SIGTERM into `should_stop`, so that training writes a checkpoint and ends; the second one ends it at once.
    With several processes the caller initialises `torch.distributed` (gloo on the CPU) before.

    Attributes:
        scratch: what need not be computed twice; may be deleted between runs.
    """

    def __init__(self, directory: Path, *, rank: int = 0, world_size: int = 1, device: torch.device | None = None) -> None:
        self.rank = rank
        self.world_size = world_size
        self.device = device or torch.device("cpu")
        self.directory = directory
        self.scratch = directory / "scratch"
        self.scratch.mkdir(parents=True, exist_ok=True)
        self._groups: dict[int, Group] = {}
        self._stop = False
        self._handlers: dict[int, object] = {}

    def group(self, size: int) -> Group:
        """Contiguous ranks; every rank creates every group, in the same order."""
        if self.world_size % size:
            raise ValueError(f"a group of {size} needs a number of processes that is a multiple of it, got {self.world_size}")
        if size == 1:
            return Group()
        if size not in self._groups:
            handles = [dist.new_group(list(range(first, first + size))) for first in range(0, self.world_size, size)]
            self._groups[size] = Group(self.rank % size, size, handles[self.rank // size])
        return self._groups[size]

    def restore(self) -> Path | None:
        """The latest checkpoint, or None; what an earlier process left half-written or did not come to delete is removed."""
        if self.rank == 0:
            for leftover in (*self.directory.glob(f"*{TEMPORARY}"), *self.scratch.glob(f"*{TEMPORARY}")):
                shutil.rmtree(leftover)
            self._prune()
        self._barrier()
        return last_checkpoint(self.directory)

    def report(self, metrics: Mapping[str, float], checkpoint: Path | None = None) -> None:
        """Takes over a finished folder under its name, then deletes what is neither the last nor the best. A barrier."""
        if checkpoint is not None:
            checkpoint.replace(self.directory / folder_name(read_state(checkpoint).step))
            flush(self.directory)
            self._prune()
        self._barrier()

    def _prune(self) -> None:
        """Deletes what is neither the last checkpoint nor the best."""
        kept = {last_checkpoint(self.directory), best_checkpoint(self.directory)}
        for folder in folders(self.directory):
            if folder not in kept:
                shutil.rmtree(folder.rename(folder.with_name(folder.name + TEMPORARY)))  # half a folder is never called step-...

    def should_stop(self) -> bool:
        return self._stop

    def __enter__(self) -> LocalSession:
        if threading.current_thread() is threading.main_thread():  # Python allows handlers nowhere else
            self._handlers = {number: signal.signal(number, self._asked) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._restore_handlers()

    def _asked(self, number: int, frame: FrameType | None) -> None:
        self._stop = True
        self._restore_handlers()

    def _restore_handlers(self) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        self._handlers = {}

    def _barrier(self) -> None:
        if self.world_size > 1:
            dist.barrier()
