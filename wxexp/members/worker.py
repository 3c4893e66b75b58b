"""A worker process of `LocalExecutor`, which starts it with `main` and the descriptor of a socket.

Messages come and go over that socket, pickled: both ends are ours and nothing else can reach it. First (path, factory, tree), answered
by "ready" or "broken"; then item after item, each answered by "done" or "failed". The process ends with its parent, however that
ends: standard input is a pipe that only the parent holds open.
"""

from __future__ import annotations

import importlib
import os
import sys
import threading
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from typing import Any


def describe(error: BaseException) -> tuple[str, str]:
    """One line, and the traceback."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}", "".join(traceback.format_exception(error))


def resolve(reference: str) -> Callable[[Any], Any]:
    """The function that "package.module:function" names."""
    module, _, name = reference.partition(":")
    found: Callable[[Any], Any] = getattr(importlib.import_module(module), name)
    return found


def main(descriptor: int) -> None:
    """Until the other end is closed."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    connection = Connection(descriptor)
    try:
        path, reference, tree = connection.recv()
        sys.path[:] = path  # what the parent can import, the worker can
        worker = resolve(reference)(tree)
    except Exception as error:
        _send(connection, "broken", error, *describe(error))
        return
    _send(connection, "ready")
    while True:
        try:
            message = connection.recv_bytes()
        except EOFError:
            return
        try:
            answer = ForkingPickler.dumps(("done", worker(ForkingPickler.loads(message))))
        except Exception as error:
            answer = ForkingPickler.dumps(("failed", *describe(error)))
        connection.send_bytes(answer)


def _send(connection: Connection, *message: object) -> None:
    try:
        answer = ForkingPickler.dumps(message)
        ForkingPickler.loads(answer)
    except Exception:  # of all there is, only the exception of a factory may not go through a pickle
        answer = ForkingPickler.dumps((message[0], None, *message[2:]))
    connection.send_bytes(answer)


def _end_with_parent() -> None:
    os.read(0, 1)
    os._exit(1)
