"""What stages run on: sessions, executors, trackers."""

from __future__ import annotations

import builtins
import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import torch

from wxexp.interfaces.learning import Group


class Session(Protocol):
    """A training process and its peers."""

    rank: int
    world_size: int
    device: torch.device
    scratch: Path

    def group(self, size: int) -> Group:
        """Contiguous ranks; every rank creates every group; a group receives the same samples."""
        ...

    def restore(self) -> Path | None:
        """The latest checkpoint, or None."""
        ...

    def report(self, metrics: Mapping[str, float], checkpoint: Path | None = None) -> None:
        """A barrier; at checkpoint cadence only. `checkpoint` is a finished temporary folder that the session takes over (rank 0)."""
        ...

    def should_stop(self) -> bool:
        """Pre-emption, Ctrl-C."""
        ...


@dataclasses.dataclass(frozen=True)
class Failure:
    """An item that could not be done; `error` is "Type: message"."""

    error: str
    traceback: str

    def exception(self, what: str) -> Exception:
        """To be raised: of the kind that is told in one line where the error was one, else a RuntimeError with the worker's traceback."""
        kind, _, message = self.error.partition(": ")
        error: object = getattr(builtins, kind, None)
        told = (base for base in (OSError, ValueError, FloatingPointError) if isinstance(error, type) and issubclass(error, base))
        if (base := next(told, None)) is not None:
            return base(f"{what}: {message}")
        return RuntimeError(f"{what}: {self.error}\n{self.traceback}")


I_contra = TypeVar("I_contra", contravariant=True)
I = TypeVar("I")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class Worker(Protocol, Generic[I_contra, R_co]):
    """What a factory makes, once per worker."""

    def __call__(self, item: I_contra, /) -> R_co: ...


class Executor(Protocol):
    """Work items over workers. Members, scoring, data building and sweeps use nothing else."""

    def map(
        self, factory: Callable[[Any], Worker[I, R]], tree: Any, items: Iterable[I], *, in_flight: int
    ) -> Iterator[tuple[I, R | Failure]]:
        """(item, result) as they finish, at most `in_flight` submitted; `factory(tree)` (importable; plain values) runs once per worker."""
        ...


class Tracker(Protocol):
    """Where numbers of a run go."""

    def config(self, tree: Mapping[str, Any]) -> None: ...

    def scalars(self, step: int, values: Mapping[str, float], context: Mapping[str, Any] = {}) -> None: ...

    def image(self, step: int, name: str, path: Path, context: Mapping[str, Any] = {}) -> None: ...

    def truncate(self, step: int) -> None:
        """Training goes on after `step`: what was said of later steps is forgotten."""
        ...

    def close(self) -> None: ...
