"""Actors that are replaced when they are lost, and calls that are made again then."""

from __future__ import annotations

import collections
import dataclasses
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import ray
from ray import ObjectRef
from ray.exceptions import ObjectLostError, RayActorError, RayTaskError

from wxexp.interfaces import Failure, Job
from wxexp.launch.worker import RayWorker

ATTEMPTS = 3
"""Workers that a call may take down with it before it is given up."""
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")


Actor = Any
"""The handle of a RayWorker: its methods have a `remote`, which types do not know."""


@dataclasses.dataclass(eq=False)
class Call:
    """Something to ask of any worker.

    Attributes:
        ask: calls a method of an actor; answers the objects it returns, the first of which is small.
        about, place: for whoever made the call.
        objects: what was returned.
        answer: the value of the first of them; a Failure where workers died of it.
    """

    ask: Callable[[Actor], Sequence[ObjectRef[Any]]]
    about: Any
    place: int | None = None
    objects: Sequence[ObjectRef[Any]] = ()
    answer: Any = None
    losses: list[str] = dataclasses.field(default_factory=list)


class Crew:
    """So many actors. One of them is lost with its process or its node; another takes its place."""

    def __init__(self, workers: int, gpus: float, output: Path | None) -> None:
        options = {"num_cpus": 1, "num_gpus": gpus, "scheduling_strategy": "SPREAD", "runtime_env": {"env_vars": ONE_THREAD}}
        self._actor = ray.remote(RayWorker).options(**options)
        self._workers, self._output = workers, None if output is None else str(output.absolute())
        self._jobs: ObjectRef[Any] | None = None
        self._waiting: collections.deque[Call] = collections.deque()
        self._running: dict[ObjectRef[Any], tuple[Actor, Call | None]] = {}
        self._idle: list[Actor] = []
        self._lost_starting: list[str] = []

    def begin(self, jobs: Mapping[str, Job[Any, Any]]) -> None:
        """Workers forget what they had and call these factories, the first time they are needed."""
        assert not self._running, "what a crew began with the jobs before has ended"
        self._jobs = ray.put({name: (job.reference(), job.tree) for name, job in jobs.items()})
        actors, self._idle = self._idle, []
        for actor in actors:
            self._running[actor.begin.remote(sys.path, self._jobs)] = (actor, None)

    def submit(self, call: Call, *, first: bool = False) -> None:
        """To be asked when a worker is free, before all others or after them."""
        if first:
            self._waiting.appendleft(call)
        else:
            self._waiting.append(call)
        self._ask()

    def finished(self) -> Call:
        """The next call that is done; raises the error of a factory."""
        while True:
            (ready,), _ = ray.wait(list(self._running), num_returns=1)
            actor, call = self._running.pop(ready)
            try:
                answer = ray.get(ready)
            except (RayActorError, ObjectLostError) as error:
                ray.kill(actor)  # it may only be out of reach
                if (given_up := self._lost(call, error)) is not None:
                    return given_up
                continue
            except RayTaskError as error:  # what an item came to does not go through a pickle
                answer = Failure.of(error.cause or error)
            self._idle.append(actor)
            if call is None and answer is not None:
                raise answer if isinstance(answer, Exception) else RuntimeError(f"{answer.error}\n{answer.traceback}")
            self._ask()
            if call is not None:
                call.answer = answer
                return call
            self._lost_starting.clear()

    def stop(self) -> None:
        """Ends workers that are at something; the others wait for the next jobs."""
        self._waiting.clear()
        for actor, _ in self._running.values():
            ray.kill(actor)
        self._running.clear()

    def end(self) -> None:
        self.stop()
        while self._idle:
            ray.kill(self._idle.pop())

    def _ask(self) -> None:
        while self._waiting and self._idle:
            actor, call = self._idle.pop(), self._waiting.popleft()
            call.objects = call.ask(actor)
            self._running[call.objects[0]] = (actor, call)
        starting = sum(call is None for _, call in self._running.values())
        for _ in range(min(len(self._waiting) - starting, self._workers - len(self._running) - len(self._idle))):
            new: Actor = self._actor.remote(self._output)
            self._running[new.begin.remote(sys.path, self._jobs)] = (new, None)

    def _lost(self, call: Call | None, error: Exception) -> Call | None:
        """A worker is gone: its call is made again, or given up."""
        losses = self._lost_starting if call is None else call.losses
        losses.append(" ".join(str(error).split()))
        given_up = len(losses) == ATTEMPTS
        if given_up and call is None:
            raise RuntimeError(f"{ATTEMPTS} workers were lost while they started: {losses[-1]}")
        if call is not None and not given_up:
            self._waiting.appendleft(call)
        self._ask()
        if call is None or not given_up:
            return None
        call.answer = Failure(f"RuntimeError: {ATTEMPTS} workers were lost with this item: {losses[-1]}", "")
        return call
