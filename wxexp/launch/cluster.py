"""The Ray cluster of a run: one that is joined, or one of this machine's own that lives as long as the run.

The embedded cluster listens on loopback only, and has neither a dashboard nor usage statistics. Its processes end with this one, however
that ends: Ray ties them to their parent, but for agents that wait a minute for a cluster that is gone; a shell waits to kill those.
"""

from __future__ import annotations

import logging
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

from wxexp.config.tree import ConfigError

ADDRESS = "RAY_ADDRESS"
_SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_TRAIN_V2_ENABLED": "1",
    "RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "0.5",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
}
"""Where the environment does not say otherwise."""
_WILL = """
read -r line
for again in 1 2 3; do
    for process in /proc/[0-9]*; do
        grep -qsaE '^ray::|/ray/(_private|autoscaler|core|dashboard)/' "$process/cmdline" &&
            ls -l "$process/fd" | grep -qsF " $1/" && kill -9 "${process#/proc/}"
    done
done
rm -rf "$1"
"""
"""For a shell, whose standard input ends with the run, or with this process: ends what is Ray's and has files there."""
PATIENCE_SECONDS = 7.0
"""How long a cluster may take to answer."""
MISSED = 4
"""Looks without an answer, half of that apart, after which its head is gone."""

log = logging.getLogger(__name__)


@contextmanager
def cluster(address: str | None = None) -> Iterator[ModuleType]:
    """Ray, connected: to the cluster at `address`, else at $RAY_ADDRESS, else to one of its own.

    Where this process is connected already, that connection is used and left as it is.

    Raises:
        ConfigError: nothing answers at the address, the token is not the cluster's, or Ray or Python are of another version there.
    """
    address = address or os.environ.get(ADDRESS) or None
    os.environ.update({name: os.environ.get(name, value) for name, value in _SETTINGS.items()})
    if "ray" in sys.modules and sys.modules["ray"].is_initialized():
        yield sys.modules["ray"]
        return
    with TemporaryDirectory(prefix="wxexp-ray-", dir=_short(), ignore_cleanup_errors=True) as folder:
        with _last_will(folder):
            with _own_handlers():
                if address is None:
                    _start(folder)
                else:
                    _join(address)
            import ray

            try:
                with nullcontext() if address is None else _watched(address):
                    yield ray
            finally:
                ray.shutdown()


def nodes() -> list[Mapping[str, Any]]:
    """Those of the cluster that this process is connected to."""
    import ray

    return [node for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]


def check(workers: int, need: Mapping[str, float]) -> None:
    """Raises ConfigError where `workers` times `need` can never be had at once from the nodes there are."""
    there = [node["Resources"] for node in nodes()]
    if _room(there, need) >= workers:
        return
    asked = ", ".join(f"{workers} x {amount:g} {kind}" for kind, amount in need.items() if amount)
    had = "; ".join(", ".join(f"{node.get(kind, 0):g} {kind}" for kind in need) for node in there)
    raise ConfigError(f"resources.workers={workers} needs {asked}; the cluster has {len(there)} node(s) with {had}")


def threads(workers: int, need: Mapping[str, float]) -> int:
    """The most CPUs that each of so many workers can have at once."""
    there = [node["Resources"] for node in nodes()]
    most = int(max((node.get("CPU", 0) for node in there), default=1))
    return next((n for n in range(most, 1, -1) if _room(there, {**need, "CPU": n}) >= workers), 1)


def _room(there: Sequence[Mapping[str, float]], need: Mapping[str, float]) -> int:
    """How many bundles fit, each whole on one node."""
    return sum(int(min(node.get(kind, 0) / amount + 1e-9 for kind, amount in need.items() if amount)) for node in there)


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _own_handlers() -> Iterator[None]:
    """Ray's handler of SIGTERM, which would end the process where it is, is not kept."""
    here = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGTERM) if here else None
    yield
    if here:
        signal.signal(signal.SIGTERM, before)


def _short() -> str | None:
    """A place for temporary files with a short name: the names of Ray's sockets have to fit into a hundred characters."""
    return "/tmp" if os.path.isdir("/tmp") else None


@contextmanager
def _last_will(folder: str) -> Iterator[None]:
    """When the block ends, or this process is killed, so are Ray's processes with files in the folder; and that is deleted."""
    words = ["/bin/sh", "-c", _WILL, "sh", folder]
    out = subprocess.DEVNULL
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=out, stderr=out, start_new_session=True):
        yield


def _start(folder: str) -> None:
    loopback = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}  # despite its name what makes Ray on any system bind to 127.0.0.1
    with _environment(**loopback):
        import ray
        from ray._private import ray_constants

        before, ray_constants.ENABLE_RAY_CLUSTER = ray_constants.ENABLE_RAY_CLUSTER, False  # if it was imported before, and looked then
        try:
            ray.init(address="local", include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR, _temp_dir=folder)
        finally:
            ray_constants.ENABLE_RAY_CLUSTER = before


def _join(address: str) -> None:
    if "://" in address:
        raise ConfigError(f"{address} is not what a process can join; possible: HOST:PORT, or `auto`; for http:// there is `wxexp submit`")
    if address != "auto":
        _reach(address)
    with _environment(RAY_BACKEND_LOG_LEVEL="fatal"):  # not what C++ says of every attempt
        import ray
        from ray._private import ray_constants

        ray_constants.NUM_REDIS_GET_RETRIES = int(PATIENCE_SECONDS)  # one a second
        ended: list[Exception | None] = []

        def connect() -> None:
            try:
                ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
                ended.append(None)
            except Exception as error:
                ended.append(error)

        thread = threading.Thread(target=connect, daemon=True)  # at what answers and is no cluster, Ray waits for ever
        thread.start()
        thread.join(2 * PATIENCE_SECONDS)
    if not ended:
        raise ConfigError(f"no Ray cluster answers at {address}, though something listens there")
    if ended[0] is not None:
        raise ConfigError(_why(address, ended[0])) from ended[0]


@contextmanager
def _watched(address: str) -> Iterator[None]:
    """Says so when the head of a joined cluster is gone: a minute later Ray ends this process with a trace of its own."""
    import ray

    head = ray.get_runtime_context().gcs_address
    left = threading.Event()

    def watch() -> None:
        missed = 0
        while missed < MISSED and not left.wait(PATIENCE_SECONDS / 2):
            try:
                _touch(head)
                missed = 0
            except OSError:
                missed += 1
        if missed == MISSED:
            log.error(
                "the head of the cluster at %s is gone, and Ray will end this process; what is written stays, and the same command goes on"
                " from there, on any cluster",
                address,
            )

    threading.Thread(target=watch, daemon=True, name="watch").start()
    try:
        yield
    finally:
        left.set()


def _why(address: str, error: Exception) -> str:
    said = " ".join(f"{error} {error.__cause__ or ''} {error.__context__ or ''}".split())
    if "Version mismatch" in said:
        versions = re.findall(r"(Ray|Python): ([\w.]+)", said)
        there, here = (" and ".join(f"{name} {version}" for name, version in versions[i : i + 2]) for i in (0, 2))
        return f"the cluster at {address} has {there}, and this process {here}"
    if "AuthToken" in said or "Unauthenticated" in said:
        where = "$RAY_AUTH_TOKEN, $RAY_AUTH_TOKEN_PATH or ~/.ray/auth_token"
        return f"the cluster at {address} does not accept this token, which is that of {where}"
    return f"no Ray cluster answers at {address}: {said[:300]}"


def _reach(address: str) -> None:
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise ConfigError(f"{address!r} is no address of a Ray cluster; possible: HOST:PORT, such as 10.0.0.1:6379, or `auto`")
    try:
        _touch(address)
    except OSError as error:
        raise ConfigError(f"no Ray cluster answers at {address}: {error}") from error


def _touch(address: str) -> None:
    """Raises OSError where nothing answers at HOST:PORT, the host a name, an IPv4 or, in brackets, an IPv6 address."""
    host, _, port = address.rpartition(":")
    socket.create_connection((host.strip("[]"), int(port)), timeout=PATIENCE_SECONDS).close()
