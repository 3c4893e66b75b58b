"""Work items in this process, or in worker processes of one thread each.

Two processes of one thread draw as fast as one of two threads, and the bits of float32 depend on the number of threads; so workers, not
threads, are what there may be more of. Workers are started as new programs, not forked (a fork of a process with threads may hang) and
not spawned by multiprocessing (which runs the caller's main module again).
"""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any, TypeVar

import torch

import wxexp
from wxexp.interfaces import Failure, Worker
from wxexp.members.worker import describe, resolve

I = TypeVar("I")
R = TypeVar("R")

ATTEMPTS = 3
"""Workers that an item may take down with it before it is given up."""
_ONE_THREAD = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")


class LocalExecutor:
    """An Executor on this machine.

    Args:
        workers: processes; 0: this one, which has one thread during `map`.

    An exception in an item is its `Failure`; one in the factory ends the map. An item whose worker dies (SIGKILL, out of memory) is tried
    again on a new one. Workers end with the map, however it ends, and with this process, however that ends.
    """

    def __init__(self, workers: int = 0) -> None:
        if workers < 0:
            raise ValueError(f"LocalExecutor.workers must be at least 0, got {workers}")
        self.workers = workers

    def map(
        self, factory: Callable[[Any], Worker[I, R]], tree: Any, items: Iterable[I], *, in_flight: int
    ) -> Iterator[tuple[I, R | Failure]]:
        """(item, result) as they finish, at most `in_flight` of them begun and not yet given out; `factory(tree)` runs once per worker.

        Worker processes import `factory` by name, and get `tree`, items and results through pickles.
        """
        if in_flight < 1:
            raise ValueError(f"in_flight must be at least 1, got {in_flight}")
        if self.workers == 0:
            return _here(factory, tree, items)
        return _elsewhere(_Pool(self.workers, (sys.path, _reference(factory), tree)), items, in_flight)


def _reference(factory: Callable[[Any], Any]) -> str:
    reference = f"{factory.__module__}:{factory.__qualname__}"
    if factory.__module__ == "__main__" or not factory.__qualname__.isidentifier() or resolve(reference) is not factory:
        raise ValueError(f"the factory of workers must be a function that can be imported, got {reference}")
    return reference


def _here(factory: Callable[[Any], Worker[I, R]], tree: Any, items: Iterable[I]) -> Iterator[tuple[I, R | Failure]]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        worker = factory(tree)
        for item in items:
            result: R | Failure
            try:
                result = worker(item)
            except Exception as error:
                result = Failure(*describe(error))
            yield item, result
    finally:
        torch.set_num_threads(threads)


def _elsewhere(pool: _Pool, items: Iterable[I], in_flight: int) -> Iterator[tuple[I, Any]]:
    waiting, begun = iter(items), 0
    try:
        while True:
            for item in islice(waiting, in_flight - begun):
                pool.submit(item)
                begun += 1
            if not begun:
                return
            yield pool.result()
            begun -= 1
    finally:
        pool.close()


class _Died(Exception):
    """A worker process is no more."""


class _Process:
    """One worker process."""

    def __init__(self) -> None:
        ours, theirs = Pipe()
        package = str(Path(wxexp.__file__).parents[1])
        path = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))
        self._process = subprocess.Popen(
            # -P: nothing in the working directory stands in for a module
            [sys.executable, "-P", "-c", f"from wxexp.members.worker import main; main({theirs.fileno()})"],
            stdin=subprocess.PIPE,
            pass_fds=(theirs.fileno(),),
            env={**os.environ, **dict.fromkeys(_ONE_THREAD, "1"), "PYTHONPATH": path},
            process_group=0,  # Ctrl-C is for the driver, which ends its workers
        )
        theirs.close()
        self._connection: Connection[Any, Any] = ours

    def ask(self, message: object) -> tuple[Any, ...]:
        """The answer; raises _Died."""
        try:
            self._connection.send(message)
            answer: tuple[Any, ...] = self._connection.recv()
        except (EOFError, ConnectionError) as error:
            raise _Died from error
        return answer

    def kill(self) -> None:
        self._process.kill()

    def end(self) -> None:
        """Kills and forgets it."""
        self._process.kill()
        self._process.wait()
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._connection.close()

    def obituary(self) -> str:
        """How a process that no longer answers came to its end."""
        try:
            code = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            return "closed its connection"
        if code >= 0:
            return f"exit status {code}"
        hint = ", as when memory runs out" if code == -signal.SIGKILL else ""
        return f"{signal.Signals(-code).name}{hint}"


class _Pool:
    """Worker processes, each with a keeper: a thread here that hands it one item after another."""

    def __init__(self, workers: int, hello: object) -> None:
        self._workers, self._hello = workers, hello
        self._items: queue.SimpleQueue[tuple[Any] | None] = queue.SimpleQueue()
        self._results: queue.SimpleQueue[tuple[Any, Any] | BaseException] = queue.SimpleQueue()
        self._keepers: list[threading.Thread] = []
        self._processes: list[_Process] = []
        self._lock, self._closed = threading.Lock(), False

    def submit(self, item: object) -> None:
        self._items.put((item,))
        if len(self._keepers) < self._workers:
            self._keepers.append(threading.Thread(target=self._keep, daemon=True))
            self._keepers[-1].start()

    def result(self) -> tuple[Any, Any]:
        """The next item that is done; raises what keeps all from being done, such as an error of the factory."""
        found = self._results.get()
        if isinstance(found, BaseException):
            raise found
        return found

    def close(self) -> None:
        """Ends everything at once; an item that is under way is lost."""
        with self._lock:
            self._closed = True
            for process in self._processes:
                process.kill()
        for _ in self._keepers:
            self._items.put(None)
        for keeper in self._keepers:
            keeper.join()
        for process in self._processes:
            process.end()

    def _keep(self) -> None:
        process: _Process | None = None
        try:
            while (job := self._items.get()) is not None:
                deaths: list[str] = []
                result: object = None
                while len(deaths) < ATTEMPTS:
                    try:
                        if process is None:
                            process = self._start()
                            self._prepare(process)
                        answer, *told = process.ask(job[0])
                        result = told[0] if answer == "done" else Failure(*told)
                        break
                    except _Died:
                        if process is None or self._closed:
                            return
                        deaths.append(process.obituary())
                        process = None
                else:
                    result = Failure(f"RuntimeError: {ATTEMPTS} workers died of this item: {', '.join(deaths)}", "")
                self._results.put((job[0], result))
        except Exception as error:  # raised where results are waited for
            self._results.put(error)

    def _start(self) -> _Process:
        with self._lock:
            if self._closed:
                raise _Died
            self._processes.append(_Process())
            return self._processes[-1]

    def _prepare(self, process: _Process) -> None:
        """Waits for the factory; raises its error."""
        answer, *told = process.ask(self._hello)
        if answer == "broken":
            error, text, trace = told
            raise error or RuntimeError(f"{text}\n{trace}")
