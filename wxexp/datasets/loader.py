"""The training stream: an endless sequence of samples in which every place is a function of the seed alone.

Position p of the stream is item `permutation(seed, epoch)[p mod n]` of the n training items in epoch p // n; place k of step s is position
s * batch_size + k. Any rank can read any places of any step, so order, patches and draws do not depend on the number of workers or on where
training was interrupted.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TypeVar

import numpy as np
import torch

from wxexp.datasets.patches import origins
from wxexp.fields.seeds import Draws, stream
from wxexp.interfaces import Batch, Opened

T = TypeVar("T")


class Stream:
    """The training items of an opened dataset, in keyed random order, with keyed random patches."""

    def __init__(self, opened: Opened, *, seed: int, batch_size: int) -> None:
        self.opened, self.seed, self.batch_size = opened, seed, batch_size
        self.items = opened.items("train")
        if not self.items:
            raise ValueError("there are no training items")
        self._order = lru_cache(maxsize=2)(self._permutation)

    def _permutation(self, epoch: int) -> np.ndarray:
        return stream("order", self.seed, epoch).permutation(len(self.items))

    def batch(self, step: int, places: Sequence[int]) -> Batch:
        """The samples at `places` (0 .. batch_size - 1) of a step; `key` is their position in the stream."""
        keys = [step * self.batch_size + place for place in places]
        chosen = [self.items[self._order(key // len(self.items))[key % len(self.items)]] for key in keys]
        start = None
        if self.opened.patch is not None:
            draws = Draws.training(self.seed, step, keys, self.batch_size).of("patch")
            start = origins(draws, self.opened.grid.shape, self.opened.patch)
        batch = self.opened.read(chosen, start)
        batch.key = torch.tensor(keys, dtype=torch.int64)
        return batch


def prefetch(make: Callable[[int], T], steps: Iterable[int], depth: int = 2) -> Iterator[T]:
    """`make(step)` for every step, in order, made up to `depth` ahead by one thread.

    What `make` raises is raised where its result would have come. Closing the iterator (or leaving its loop) ends the thread.
    """
    ready: queue.Queue[tuple[T] | BaseException | None] = queue.Queue(maxsize=depth)  # a result, what went wrong, or the end
    closed = threading.Event()

    def put(result: tuple[T] | BaseException | None) -> bool:
        while not closed.is_set():
            try:
                ready.put(result, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def work() -> None:
        try:
            for step in steps:
                if not put((make(step),)):
                    return
            put(None)
        except BaseException as error:  # handed to the consumer, whatever it is
            put(error)

    thread = threading.Thread(target=work, name="prefetch", daemon=True)
    thread.start()
    try:
        while (result := ready.get()) is not None:
            if isinstance(result, BaseException):
                raise result
            yield result[0]
    finally:
        closed.set()
        thread.join()
