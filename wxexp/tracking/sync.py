"""What of a run directory its view in Aim lacks, and telling it: the same way while a run goes on, at its end and afterwards.

`aim.json` remembers the size and time of each file that the view holds as `seen`, so that a run that finds everything done does not
even import aim. A process that is killed has seen nothing: what it told is told again, which changes nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from wxexp.config.record import trees
from wxexp.tracking.aim import NOTE, View, abandon, forget, note, words, write_json

METRICS = "metrics.jsonl"
Stamp = list[int]
"""Size and time of a file."""


def sync(run: Path, repo: Path | None = None, *, tags: Sequence[str] = ()) -> None:
    """Brings the view of a run directory up to date: record, metrics.jsonl, each table of scores, the pictures of each report.

    Args:
        run: the run directory. Nobody else may write it: hold its lock.
        repo: the folder of the repository `.aim`; None: where the run directory is.
        tags: for queries.

    Raises:
        ValueError: a file of the run is not what it should be.
        OSError: Aim cannot; with what it, RocksDB or SQLite said.
    """
    with _told():
        Feed(run, repo or run.parent, tags=tags).finish()


def rebuild(run: Path, repo: Path | None = None, *, tags: Sequence[str] = ()) -> None:
    """Deletes the view that a run directory remembers and makes it again; as `sync`."""
    with _told():
        forget(run, repo or run.parent)
    sync(run, repo, tags=tags)


@contextmanager
def _told() -> Iterator[None]:
    """Errors as they are told to users; Aim is abandoned."""
    try:
        yield
    except Exception as error:
        abandon(error)
        if isinstance(error, OSError | ValueError):
            raise
        raise OSError(f"Aim: {type(error).__name__}: {words(error)}") from error


class Tail:
    """New rows of a metrics.jsonl that grows, may not be there yet, and may be replaced by a shorter one: then all of its rows are new."""

    def __init__(self, path: Path, seen: Stamp | None = None) -> None:
        """`seen`: the stamp of the file whose rows are not new."""
        self._path = path
        self._seen = seen
        self._file: Any = None
        self.stamp: Stamp | None = None
        """Of what was read."""

    def rows(self) -> list[dict[str, Any]]:
        """The complete lines since the last call.

        Raises:
            ValueError: one is not a JSON object.
        """
        try:
            now = self._path.stat()
        except FileNotFoundError:
            return []
        if self._file is None or not os.path.samestat(now, os.fstat(self._file.fileno())) or now.st_size < self._file.tell():
            self._open(now)
        self.stamp = _stamp(now)
        start = self._file.tell()
        lines = self._file.read().split(b"\n")
        torn = lines.pop()
        self._file.seek(-len(torn), os.SEEK_CUR)
        try:
            return [json.loads(line) for line in lines]
        except ValueError as error:
            raise ValueError(f"{self._path}, after byte {start}: {error}") from error

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _open(self, now: os.stat_result) -> None:
        """Kept open, so that no other file can have its inode."""
        self.close()
        self._file = self._path.open("rb")
        if self._seen == _stamp(now):
            self._file.seek(now.st_size)
        self._seen = None


class Feed:
    """Tells one view what it lacks; opens it when there is something."""

    def __init__(self, run: Path, repo: Path, *, tags: Sequence[str] = ()) -> None:
        self._run, self._repo, self._tags = run, repo, tags
        self._seen: dict[str, Stamp] = note(run, repo).get("seen", {})
        self._tail = Tail(run / METRICS, self._seen.get(METRICS))
        self._view: View | None = None

    def rows(self) -> None:
        """New rows of metrics.jsonl."""
        if rows := self._tail.rows():
            self._opened().rows(rows)

    def finish(self) -> None:
        """What is left: rows, tables, pictures. Closes the view."""
        self.rows()
        self._tail.close()
        for score in sorted(self._run.glob("samples/*/scores/*")):
            self._tell(score / "table.json")
            self._tell(score / "report" / "index.html")  # written after its pictures
        if self._view is None and not note(self._run, self._repo):
            self._opened()  # a run without numbers is in the list of runs
        if self._view is not None:
            self._view.close()
            if self._tail.stamp is not None:
                self._seen[METRICS] = self._tail.stamp
            write_json(self._run / NOTE, {"repo": str(self._repo), "hash": self._hash, "seen": self._seen})

    def _tell(self, path: Path) -> None:
        try:
            stamp = _stamp(path.stat())
        except FileNotFoundError:
            return
        name = path.relative_to(self._run).as_posix()
        if self._seen.get(name) != stamp:
            if path.name == "table.json":
                from wxexp.scoring.table import read_table

                try:
                    rows = read_table(path)
                except json.JSONDecodeError as error:
                    raise ValueError(f"{path}: {error}") from error
                self._opened().table(rows, {"score": path.parent.name})
            else:
                self._opened().images(path.parent, {"score": path.parent.parent.name})
            self._seen[name] = stamp

    def _opened(self) -> View:
        if self._view is None:
            tree = trees(self._run)["experiment"]
            self._view = View(self._run, repo=self._repo, experiment=tree["name"], tags=self._tags)
            self._view.config(tree)
            self._hash = self._view.hash
        return self._view


def _stamp(found: os.stat_result) -> Stamp:
    return [found.st_size, found.st_mtime_ns]
