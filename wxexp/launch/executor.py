"""Work items on the workers of a Ray cluster.

Workers are actors of one CPU and one thread (and a part of a GPU), spread over the nodes. They live as long as the executor: a stage
sends each of them its factory and plan once, then one item after another. Ray's own retries are not used: an actor that is lost is
replaced here, with its factories called again, and the item it had is given out once more; an item with which three are lost is given
up, since it is then the item.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, TypeVar

import numpy as np
from ray import ObjectRef

from wxexp.interfaces import Failure, Job, Tiles
from wxexp.launch.crew import ATTEMPTS, Call, Crew
from wxexp.launch.worker import Lost
from wxexp.members.executor import check

I = TypeVar("I")
G = TypeVar("G")
R = TypeVar("R")


class RayExecutor:
    """An Executor on the cluster that this process is connected to; a context manager, whose workers end with it.

    Args:
        workers: how many, at least 1.
        gpus: of each, a part where several share one; 0: none.
        output: file that all they print goes to; None: Ray's own logs.
    """

    def __init__(self, workers: int, *, gpus: float = 0.0, output: Path | None = None) -> None:
        if workers < 1:
            raise ValueError(f"RayExecutor.workers must be at least 1, got {workers}")
        self._crew = Crew(workers, gpus, output)

    def __enter__(self) -> RayExecutor:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._crew.end()

    def map(self, job: Job[I, R], items: Iterable[I], *, in_flight: int) -> Iterator[tuple[I, R | Failure]]:
        """(item, result) as they finish; see `Executor.map`. Arrays in results are read-only."""
        check(in_flight, job)
        return self._map(job, items, in_flight)

    def gather(
        self,
        make: Job[I, Sequence[np.ndarray]],
        use: Job[tuple[G, Tiles], R],
        groups: Iterable[tuple[G, Sequence[I]]],
        *,
        tiles: int,
        in_flight: int,
    ) -> Iterator[tuple[G, R | Failure]]:
        """(group, result) as they finish; see `Executor.gather`. Tiles wait in the object store of the node they were made on."""
        check(in_flight, make, use)
        return self._gather(make, use, groups, tiles, in_flight)

    def _map(self, job: Job[I, R], items: Iterable[I], in_flight: int) -> Iterator[tuple[I, Any]]:
        waiting, begun = iter(items), 0
        with self._working(work=job):
            while True:
                for item in islice(waiting, in_flight - begun):
                    self._crew.submit(Call(lambda actor, item=item: [actor.work.remote(item)], about=item))  # type: ignore[misc]
                    begun += 1
                if not begun:
                    return
                call = self._crew.finished()
                begun -= 1
                yield call.about, call.answer

    def _gather(
        self,
        make: Job[I, Sequence[np.ndarray]],
        use: Job[tuple[G, Tiles], R],
        groups: Iterable[tuple[G, Sequence[I]]],
        tiles: int,
        in_flight: int,
    ) -> Iterator[tuple[G, Any]]:
        waiting, begun = iter(groups), 0
        with self._working(make=make, use=use):
            while True:
                for name, items in islice(waiting, in_flight - begun):
                    self._make(_Group(name, list(items)), tiles)
                    begun += 1
                if not begun:
                    return
                call = self._crew.finished()
                group: _Group[G, I] = call.about
                if (result := self._after(call, group, tiles)) is not _UNDER_WAY:
                    begun -= 1
                    yield group.name, result

    def _make(self, group: _Group[G, I], tiles: int) -> None:
        """Asks for all items of a group, which there may have been before."""
        group.attempts += 1
        group.made = [None] * len(group.items)
        for place, item in enumerate(group.items):
            ask = lambda actor, item=item: actor.make.options(num_returns=tiles + 1).remote(item, tiles)  # noqa: E731
            self._crew.submit(Call(ask, about=group, place=place))
        if not group.items:
            self._use(group)

    def _use(self, group: _Group[G, I]) -> None:
        self._crew.submit(Call(lambda actor: [actor.use.remote(group.name, group.made)], about=group), first=True)

    def _after(self, call: Call, group: _Group[G, I], tiles: int) -> object:
        """The result of the group that a call was for, if it was the last one."""
        if group.failed:
            return _UNDER_WAY
        if call.place is None:
            if isinstance(call.answer, Lost):
                if group.attempts < ATTEMPTS:
                    self._make(group, tiles)
                    return _UNDER_WAY
                return Failure(f"RuntimeError: nodes were lost {ATTEMPTS} times with what was made of this group", "")
            return call.answer
        if call.answer is not None:
            group.failed = True
            return call.answer
        group.made[call.place] = call.objects[1:]
        if None not in group.made:
            self._use(group)
        return _UNDER_WAY

    @contextmanager
    def _working(self, **jobs: Job[Any, Any]) -> Iterator[None]:
        self._crew.begin(jobs)
        try:
            yield
        finally:
            self._crew.stop()


_UNDER_WAY = object()


@dataclasses.dataclass(eq=False)
class _Group(Generic[G, I]):
    """A group whose items are being made; `made` has the objects of each item, None until it is there."""

    name: G
    items: list[I]
    made: list[Sequence[ObjectRef[Any]] | None] = dataclasses.field(default_factory=list)
    attempts: int = 0
    failed: bool = False
