"""Aim: a view of a run directory. The only module that imports aim, inside functions, since that takes a second.

A view is made from the files of the run and can be made again from them; it holds nothing else: no environment, no terminal output, no
measurements of the machine. Aim 3.29.1 sends no usage statistics, and its page says so when asked.

Three traits of Aim decide what is done here. All its queries read one index, which is only written by `aim up` or on demand: a view that
is closed is indexed. An error among what it does when a process ends makes the process hang: after an error that is taken back
(`abandon`). The lock of a run is a file that outlives a process that was killed: it is broken, for below it RocksDB has a lock of the
operating system, and who writes a run holds the lock of its directory.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import functools
import json
import logging
import math
import os
import re
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from aim.sdk.repo import Repo

    from wxexp.interfaces import Row

NOTE = "aim.json"
"""In a run directory: {"repo": path, "hash": of the Aim run, "seen": what the view holds, see wxexp.tracking.sync}."""
PATIENCE = 5.0
"""Seconds that a file which another process is writing is waited for."""
log = logging.getLogger("wxexp.tracking")
T = TypeVar("T")
_one_at_a_time = threading.RLock()  # opening and closing: Aim shares a repository's objects between threads unguarded


class View:
    """One Aim run, owned by one thread. Close it, or `abandon` after an error."""

    def __init__(self, run: Path, *, repo: Path, experiment: str | None = None, tags: Sequence[str] = ()) -> None:
        """Opens the Aim run that the directory remembers, or a new one if it remembers none or it is not in the repository any more.

        Args:
            run: the run directory.
            repo: the folder that holds (or is to hold) the repository `.aim`.
            experiment: what Aim files the run under.
            tags: for queries; those it has stay.

        Raises:
            OSError: the repository cannot be created.
            Exception: whatever Aim, RocksDB and SQLite raise.
        """
        with _one_at_a_time:
            self._repo = _repository(repo)
            known = note(run, repo)
            self._run = _patiently(
                lambda: _aim().Run(
                    known.get("hash"),
                    repo=self._repo,
                    experiment=experiment,
                    force_resume="hash" in known,
                    system_tracking_interval=None,
                    capture_terminal_logs=False,
                    log_system_params=False,
                )
            )
            if self._run.name != run.name:
                self._run.name = run.name
            for tag in [tag for tag in tags if tag not in self._run.tags]:
                self._run.add_tag(tag)
        write_json(run / NOTE, {"repo": str(repo), "hash": self._run.hash, "seen": known.get("seen", {})})

    @property
    def hash(self) -> str:
        """Aim's name of the run."""
        return str(self._run.hash)

    def config(self, tree: Mapping[str, Any]) -> None:
        """The experiment, in queries `run.config.sampler.steps`."""
        self._run["config"] = dict(tree)

    def rows(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Rows of metrics.jsonl. A value told again replaces the one of its step, so that a file may be told twice."""
        for row in rows:
            for name, value in row.get("values", {}).items():
                self._track(value, name, row["step"], row["context"])
            if "image" in row and Path(row["path"]).is_file():
                self._image(Path(row["path"]), row["image"], row["step"], row["context"])

    def table(self, rows: Sequence[Row], context: Mapping[str, Any]) -> None:
        """Scores by metric, in queries `metric.context.variable == 'tasmax'`; intervals as `<metric>_low` and `_high`; all as text."""
        from wxexp.reports.tables import plain_table

        for row in rows:
            told = {"variable": row.variable, "group": row.group, "lead_hours": row.lead_hours, "source": row.source, **context}
            where = {key: value for key, value in told.items() if value is not None}
            for name, value in ((row.metric, row.value), (f"{row.metric}_low", row.low), (f"{row.metric}_high", row.high)):
                if value is not None:
                    self._track(value, name, 0, where)
        self._run.track(_aim().Text(plain_table(rows)), name="table", step=0, context=dict(context))

    def images(self, folder: Path, context: Mapping[str, Any]) -> None:
        """Every PNG of a folder, under its name."""
        for path in sorted(folder.glob("*.png")):
            self._image(path, path.stem, 0, context)

    def close(self) -> None:
        """Ends the Aim run and indexes it, so that queries of any process find its last value."""
        with _one_at_a_time:
            found = self.hash
            self._run.close()
            _index(self._repo, found)

    def _track(self, value: float, name: str, step: int, context: Mapping[str, Any]) -> None:
        if math.isfinite(value):  # Aim keeps minima and maxima, which NaN would spoil
            self._run.track(float(value), name=name, step=step, context=dict(context))

    def _image(self, path: Path, name: str, step: int, context: Mapping[str, Any]) -> None:
        self._run.track(_aim().Image(str(path), caption=name), name=name, step=step, context=dict(context))


def note(run: Path, repo: Path) -> dict[str, Any]:
    """What a run directory remembers of its view; nothing if that is not in the repository (any more)."""
    try:
        known: dict[str, Any] = json.loads((run / NOTE).read_text(encoding="utf-8"))
        name = str(known["hash"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return {}
    if not re.fullmatch("[0-9a-z]+", name):  # Aim deletes what a name leads to
        return {}
    return known if (repo / ".aim" / "meta" / "chunks" / name).is_dir() else {}


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Under a temporary name, then renamed."""
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(value) + "\n", encoding="utf-8")
    part.replace(path)


def forget(run: Path, repo: Path) -> None:
    """Deletes the Aim run of a run directory.

    Raises:
        OSError: Aim could not, for another process writes it.
    """
    if found := note(run, repo).get("hash"):
        with _one_at_a_time:
            repository, end = _repository(repo), time.monotonic() + PATIENCE
            while not repository.delete_run(found):
                if time.monotonic() > end:
                    raise OSError(f"Aim cannot delete its run {found} of {run.name}; does another process write it?")
                time.sleep(0.2)
    (run / NOTE).unlink(missing_ok=True)


def words(error: BaseException) -> str:
    """What an error says, in one line; RocksDB says it in bytes."""
    said = b" ".join(error.args).decode(errors="replace") if error.args and all(isinstance(x, bytes) for x in error.args) else str(error)
    return " ".join(said.split())


def abandon(error: BaseException | None = None) -> None:
    """Takes back what Aim would do when the process ends; nothing where aim was not imported.

    Args:
        error: kept, with what it holds, so that nothing of Aim is finished by the garbage collector either.
    """
    if "aim.ext.cleanup" in sys.modules:
        from aim.ext.cleanup import AutoClean

        atexit.unregister(AutoClean.cleanup)
        _abandoned.append(error)


_abandoned: list[BaseException | None] = []


def serve(home: Path, port: int) -> None:
    """The page `aim up` on loopback until this process, or the one that started it, ends. For a process and session of its own.

    Aim's indexing stops for good at the first moment when another process is writing the index; here it tries again.
    """
    from aim.cli.up.commands import up
    from aim.sdk.index_manager import RepoIndexManager

    manager: Any = RepoIndexManager
    index = manager.index

    def patient(self: RepoIndexManager, run_hash: str) -> None:
        with contextlib.suppress(OSError):  # the next change of the run is another try
            _patiently(lambda: index(self, run_hash))

    manager.index = patient
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    up(["--host", "127.0.0.1", "--port", str(port), "--workers", "1", "--repo", str(home), "--yes"])


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os.killpg(0, signal.SIGTERM)


def _aim() -> Any:
    """The package; what it and its threads say goes to our log, below the level that is printed."""
    import aim

    theirs = logging.getLogger("aim")
    if not any(isinstance(handler, _Ours) for handler in theirs.handlers):
        theirs.addHandler(_Ours())
        theirs.propagate = False
        threading.excepthook = functools.partial(_thread_failed, threading.excepthook)
    return aim


class _Ours(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        log.info("aim: %s", record.getMessage())


def _thread_failed(otherwise: Callable[[threading.ExceptHookArgs], object], args: threading.ExceptHookArgs) -> None:
    frames = traceback.walk_tb(args.exc_traceback)
    if any(frame.f_globals.get("__name__", "").startswith("aim.") for frame, _ in frames):
        log.info("a thread of aim: %s: %s", args.exc_type.__name__, args.exc_value)
    else:
        otherwise(args)


def _repository(repo: Path) -> Repo:
    """The repository, created if need be: by another process, whose migrations of a database are not seen on this one's terminal."""
    if not (repo / ".aim" / "VERSION").is_file():
        command = [sys.executable, "-c", "import sys, aim; aim.Repo.from_path(sys.argv[1], init=True)", str(repo)]
        with (repo / ".aim-lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (repo / ".aim" / "VERSION").is_file():
                done = subprocess.run(command, capture_output=True, text=True, timeout=60)
                if done.returncode != 0:
                    raise OSError(f"Aim cannot create {repo / '.aim'}: {done.stderr.strip().rpartition(chr(10))[2]}")
    opened: Repo = _aim().Repo.from_path(str(repo))
    return opened


def _index(repo: Repo, run_hash: str) -> None:
    from aim.sdk.index_manager import RepoIndexManager

    manager: Any = RepoIndexManager(repo)
    _patiently(lambda: manager.index(run_hash))
    if run_hash in manager._corrupted_runs:
        raise OSError(f"Aim finds its run {run_hash} corrupted")


def _patiently(use: Callable[[], T]) -> T:
    """Again, while another process has what is used open for writing."""
    from aimrocks.errors import RocksIOError  # type: ignore[import-untyped]

    end = time.monotonic() + PATIENCE
    while True:
        try:
            return use()
        except RocksIOError as error:
            if "lock" not in words(error).lower().partition(":")[2] or time.monotonic() > end:
                raise OSError(words(error)) from error
            time.sleep(0.1)
