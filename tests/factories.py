"""Factories for the executor's tests that worker processes can import by name."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence
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


def unspeakable(tree: object) -> Callable[[int], object]:
    """What it answers does not go through a pickle."""
    import threading

    return lambda item: threading.Lock()


def halves(tree: object) -> Callable[[int], list[np.ndarray]]:
    """[item, item, item] and [-item]; of -1 an error, of -2 too few."""

    def make(item: int) -> list[np.ndarray]:
        if item == -1:
            raise ValueError("-1 is bad")
        return [np.full(3, float(item))] if item == -2 else [np.full(3, float(item)), np.array([-float(item)])]

    return make


def joined(tree: object) -> Callable[[tuple[str, Callable[[int], Sequence[np.ndarray]]]], tuple[str, list[float], list[float]]]:
    """(group, first elements of each tile 0, those of each tile 1)."""

    def use(given: tuple[str, Callable[[int], Sequence[np.ndarray]]]) -> tuple[str, list[float], list[float]]:
        group, tiles = given
        return group, [float(x[0]) for x in tiles(0)], [float(x[0]) for x in tiles(1)]

    return use


def talkative(tree: object) -> Callable[[int], int]:
    import logging

    def talk(item: int) -> int:
        print(f"item {item} from Python")
        os.write(1, f"item {item} from C\n".encode())
        logging.getLogger("wxexp.talk").info("item %d logged", item)
        return item

    return talk


def heavy(tree: object) -> Callable[[int], list[np.ndarray]]:
    """[item, ...] and [-item, ...], 8 MB each."""
    return lambda item: [np.full(1_000_000, float(item)), np.full(1_000_000, -float(item))]


def visible(tree: object) -> Callable[[int], tuple[int, str | None]]:
    """(process, the GPUs it is shown)."""

    def look(item: int) -> tuple[int, str | None]:
        time.sleep(0.5)
        return os.getpid(), os.environ.get("CUDA_VISIBLE_DEVICES")

    return look
