"""Work items in this process; `wxexp.launch.executor` does them on the workers of a cluster."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import numpy as np
import torch

from wxexp.interfaces import Failure, Job, Tiles

I = TypeVar("I")
G = TypeVar("G")
R = TypeVar("R")


class LocalExecutor:
    """An Executor in this process, which has one thread meanwhile: the bits of float32 depend on the number of threads."""

    def map(self, job: Job[I, R], items: Iterable[I], *, in_flight: int = 1) -> Iterator[tuple[I, R | Failure]]:
        """(item, result) one after another; an exception in an item is its Failure, one in the factory ends the map."""
        check(in_flight, job)
        return _map(job, items)

    def gather(
        self,
        make: Job[I, Sequence[np.ndarray]],
        use: Job[tuple[G, Tiles], R],
        groups: Iterable[tuple[G, Sequence[I]]],
        *,
        tiles: int,
        in_flight: int = 1,
    ) -> Iterator[tuple[G, R | Failure]]:
        """(group, result) one after another, each from the arrays made of the group's items; see `Executor.gather`."""
        check(in_flight, make, use)
        return _gather(make, use, groups, tiles)


def check(in_flight: int, *jobs: Job[I, R]) -> None:
    """Raises ValueError for what no executor can do."""
    if in_flight < 1:
        raise ValueError(f"in_flight must be at least 1, got {in_flight}")
    for job in jobs:
        job.reference()


def _map(job: Job[I, R], items: Iterable[I]) -> Iterator[tuple[I, R | Failure]]:
    with _one_thread():
        worker = job.factory(job.tree)
        for item in items:
            result: R | Failure
            try:
                result = worker(item)
            except Exception as error:
                result = Failure.of(error)
            yield item, result


def _gather(
    make: Job[I, Sequence[np.ndarray]], use: Job[tuple[G, Tiles], R], groups: Iterable[tuple[G, Sequence[I]]], tiles: int
) -> Iterator[tuple[G, R | Failure]]:
    with _one_thread():
        maker, user = make.factory(make.tree), use.factory(use.tree)
        for group, items in groups:
            result: R | Failure
            try:
                made = [exactly(tiles, maker(item)) for item in items]
                result = user((group, lambda t, made=made: [arrays[t] for arrays in made]))  # type: ignore[misc]
            except Exception as error:
                result = Failure.of(error)
            yield group, result


def exactly(tiles: int, made: Sequence[np.ndarray]) -> Sequence[np.ndarray]:
    """The arrays that were made of an item, if they are as many as was said."""
    if len(made) != tiles:
        raise ValueError(f"an item must become {tiles} arrays, got {len(made)}")
    return made


@contextmanager
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
