"""What runs in an actor of `RayExecutor`."""

from __future__ import annotations

import faulthandler
import importlib
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import ray
from ray import ObjectRef
from ray.exceptions import ObjectLostError

from wxexp.interfaces import Failure
from wxexp.members.executor import exactly


class Lost:
    """The answer of `use` where arrays went with the node they were on."""


def print_to(path: str | None) -> None:
    """All that this process prints from now on, be it from C, is appended to a file; None: stays where Ray puts it."""
    if path is not None:
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os.dup2(file, 1)
        os.dup2(file, 2)
        os.close(file)
    sys.stdout, sys.stderr = (os.fdopen(os.dup(number), "w", buffering=1, errors="replace") for number in (1, 2))  # not Ray's own
    faulthandler.enable(sys.stderr)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(f"%(asctime)s %(levelname)s [{os.getpid()}] %(name)s: %(message)s"))
    handler.addFilter(lambda record: record.levelno >= logging.WARNING or record.name.partition(".")[0] == "wxexp")
    logging.basicConfig(handlers=[handler], force=True)
    logging.getLogger("wxexp").setLevel(logging.INFO)


def import_from(path: Sequence[str]) -> None:
    """What the driver can import, so can this process, where the folders are there too."""
    sys.path += [folder for folder in path if folder not in sys.path]


class RayWorker:
    """An actor: holds what the factories of a stage made, and does items with it, in one thread."""

    def __init__(self, output: str | None) -> None:
        import torch

        print_to(output)
        torch.set_num_threads(1)
        self._workers: dict[str, Any] = {}

    def begin(self, path: Sequence[str], jobs: Mapping[str, tuple[str, Any]]) -> Exception | Failure | None:
        """Calls the factory of each job, (reference, tree) by name; answers its error."""
        import_from(path)
        self._workers.clear()
        try:
            for name, (reference, tree) in jobs.items():
                module, _, function = reference.partition(":")
                self._workers[name] = getattr(importlib.import_module(module), function)(tree)
        except Exception as error:
            return error if type(error).__module__ == "builtins" else Failure.of(error)  # others may not survive the journey
        return None

    def work(self, item: Any) -> Any:
        """The result of an item, or its Failure."""
        try:
            return self._workers["work"](item)
        except Exception as error:
            return Failure.of(error)

    def make(self, item: Any, tiles: int) -> tuple[Failure | None, *tuple[np.ndarray | None, ...]]:
        """(None, *arrays), each of which becomes an object of its own in the store of this node."""
        try:
            return None, *exactly(tiles, self._workers["make"](item))
        except Exception as error:
            return Failure.of(error), *[None] * tiles

    def use(self, group: Any, made: Sequence[Sequence[ObjectRef[Any]]]) -> Any:
        """The result of a group, from the objects of each of its items; or its Failure, or Lost."""
        try:
            return self._workers["use"]((group, lambda tile: ray.get([objects[tile] for objects in made])))
        except ObjectLostError:
            return Lost()
        except Exception as error:
            return Failure.of(error)
