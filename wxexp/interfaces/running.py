"""What stages run on: sessions, executors, trackers."""

from __future__ import annotations

import builtins
import dataclasses
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
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

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        """One line, and where it was raised."""
        return cls(f"{type(error).__name__}: {' '.join(str(error).split())}", "".join(traceback.format_exception(error)))

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
G = TypeVar("G")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class Worker(Protocol, Generic[I_contra, R_co]):
    """What a factory makes, once per worker."""

    def __call__(self, item: I_contra, /) -> R_co: ...


@dataclasses.dataclass(frozen=True)
class Job(Generic[I_contra, R_co]):
    """What workers do: `factory(tree)`, once per worker, makes what is then called with item after item.

    Attributes:
        factory: a function of a module, since workers import it by name.
        tree: plain values, sent to each worker once.
    """

    factory: Callable[[Any], Worker[I_contra, R_co]]
    tree: Any

    def reference(self) -> str:
        """`package.module:function`, under which a worker finds the factory; ValueError where it would not."""
        module, name = self.factory.__module__, self.factory.__qualname__
        if module == "__main__" or not name.isidentifier():
            raise ValueError(f"the factory of workers must be a function that can be imported, got {module}:{name}")
        return f"{module}:{name}"


Tiles = Callable[[int], Sequence[np.ndarray]]
"""Tile t of every item of a group, in the order of the items; fetched when it is called."""


class Executor(Protocol):
    """Work items over workers. Members, scoring, data building and sweeps use nothing else."""

    def map(self, job: Job[I, R], items: Iterable[I], *, in_flight: int) -> Iterator[tuple[I, R | Failure]]:
        """(item, result) as they finish, at most `in_flight` of them begun and not yet given out.

        An exception in an item is its Failure; one in the factory ends the map.
        """
        ...

    def gather(
        self,
        make: Job[I, Sequence[np.ndarray]],
        use: Job[tuple[G, Tiles], R],
        groups: Iterable[tuple[G, Sequence[I]]],
        *,
        tiles: int,
        in_flight: int,
    ) -> Iterator[tuple[G, R | Failure]]:
        """(group, result) as they finish: what `make` made of the items of a group, wherever it was made, is given to one worker of `use`.

        `make` answers each item with `tiles` arrays. They stay with the worker that made them until `use`, called with (group, tiles),
        asks for one tile of all items at a time. At most `in_flight` groups are begun and not yet given out.
        """
        ...


class Tracker(Protocol):
    """Where numbers of a run go."""

    def config(self, tree: Mapping[str, Any]) -> None:
        """The experiment, as `to_tree` gives it."""
        ...

    def scalars(self, step: int, values: Mapping[str, float], context: Mapping[str, Any] = {}) -> None:
        """Values by name, after `step` optimiser steps; the context tells equal names apart."""
        ...

    def image(self, step: int, name: str, path: Path, context: Mapping[str, Any] = {}) -> None:
        """A PNG; its path is noted, the file stays where it is."""
        ...

    def truncate(self, step: int) -> None:
        """Training goes on after `step`: what was said of later steps is forgotten."""
        ...

    def close(self) -> None: ...
