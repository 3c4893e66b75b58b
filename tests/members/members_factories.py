"""Factories for the executor's tests that worker processes can import by name."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np


def squares(tree: dict[str, Any]) -> Callable[[int], tuple[int, int, int]]:
    """(square, process, threads); an item of `tree["bad"]` is an error."""

    import torch  # takes a second, which factories without it need not wait

    def square(item: int) -> tuple[int, int, int]:
        if item == tree.get("bad"):
            raise ValueError(f"{item} is bad")
        return item * item, os.getpid(), torch.get_num_threads()

    return square


def broken(tree: object) -> Callable[[int], int]:
    raise ValueError("there is no data here")


def deadly(tree: dict[str, str]) -> Callable[[int], int]:
    """Items in `tree["folder"]`/<item> say how often a worker dies of them."""

    def die(item: int) -> int:
        file = Path(tree["folder"]) / str(item)
        if file.exists() and (left := int(file.read_text())):
            file.write_text(str(left - 1))
            os.kill(os.getpid(), signal.SIGKILL)
        return item

    return die


def sleepy(tree: dict[str, str]) -> Callable[[int], int]:
    """Says who it is in `tree["folder"]`, and sleeps."""

    def sleep(item: int) -> int:
        (Path(tree["folder"]) / str(os.getpid())).touch()
        time.sleep(60)
        return item

    return sleep


def array(tree: object) -> Callable[[int], np.ndarray]:
    return lambda item: np.full((300, 300), item)


def nothing(tree: object) -> Callable[[int], int]:
    return lambda item: item


def children() -> list[int]:
    """Processes that this one has started and that have not ended."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = path.read_text().rpartition(")")[2].split()[:2]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(parent) == os.getpid() and state != "Z":
            found.append(int(path.parent.name))
    return found
