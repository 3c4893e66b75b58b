"""The page of Aim for all runs of a folder, on loopback only: its queries are programs, which nobody else may send.

`.aim-review.json` beside the runs remembers process and port, so that a second review finds the page of the first.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wxexp.config import ConfigError
from wxexp.tracking.aim import write_json
from wxexp.tracking.views import install

STATE = ".aim-review.json"
LOOPBACK = "127.0.0.1"
SECONDS_TO_START = 30.0
_SERVE = "import sys, pathlib, wxexp.tracking.aim as aim; aim.serve(pathlib.Path(sys.argv[1]), int(sys.argv[2]))"


def review(home: Path, *, port: int | None = None, open: Callable[[str], object] = print) -> str:
    """Finds the page that is served for `home`, or serves it until Ctrl-C.

    Args:
        home: the folder of the runs.
        port: where to serve it; None: any free port.
        open: called with the address, as soon as the page answers.

    Returns:
        The address.

    Raises:
        ConfigError: no run of `home` is in Aim, or the port is taken.
        OSError: Aim does not start; with what it said.
    """
    home = Path(os.path.abspath(home))
    if not (home / ".aim" / "VERSION").is_file():
        raise ConfigError(f"no run in {home} is in Aim; python -m wxexp review --rebuild RUN puts one there")
    if (address := found(home)) is not None:
        open(address)
        return address
    port = _free(port)
    address, log = f"http://{LOOPBACK}:{port}", home / ".aim" / "review.log"
    with log.open("wb") as out:
        child = subprocess.Popen(
            [sys.executable, "-c", _SERVE, str(home), str(port)], stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )
    try:
        _await(child, address, home, log)
        write_json(home / STATE, {"pid": os.getpid(), "port": port})
        with contextlib.suppress(OSError, ValueError):  # the page is complete without them
            install(address)
        open(address)
        child.wait()
    except KeyboardInterrupt:
        pass
    finally:
        _end(child)
        (home / STATE).unlink(missing_ok=True)
    return address


def found(home: Path) -> str | None:
    """The address where the page of `home` answers now; None if nowhere."""
    try:
        port = int(json.loads((home / STATE).read_text())["port"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    address = f"http://{LOOPBACK}:{port}"
    return address if _serves(address, home) else None


def _serves(address: str, home: Path) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/api/projects/", timeout=5) as answer:
            project: Any = json.load(answer)
    except (OSError, ValueError):
        return False
    return isinstance(project, dict) and Path(project.get("path", "")) == home


def _free(port: int | None) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port or 0))
        except (OSError, OverflowError) as error:
            raise ConfigError(f"port {port} of {LOOPBACK}: {getattr(error, 'strerror', None) or error}; choose another one") from error
        return int(probe.getsockname()[1])


def _await(child: subprocess.Popen[bytes], address: str, home: Path, log: Path) -> None:
    end = time.monotonic() + SECONDS_TO_START
    while not _serves(address, home):
        if child.poll() is not None or time.monotonic() > end:
            said = log.read_text(errors="replace").strip().rpartition("\n")[2]
            raise OSError(f"Aim does not answer at {address}: {said or 'it said nothing'} ({log})")
        time.sleep(0.2)


def _end(child: subprocess.Popen[bytes]) -> None:
    """With the server that it started, which is in its session."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(5)
