"""metrics.jsonl: the numbers of a run, one JSON object a line.

    {"step": 50, "samples": 1600, "values": {"loss": 0.31, "rate": 0.001}, "context": {"subset": "train"}}
    {"step": 50, "samples": 1600, "image": "members", "path": "...", "context": {}}

Strict JSON, each line handed to the operating system as it is written, so that a process killed at any moment leaves at most one torn
line, which the next one drops. Training that resumes cuts the rows after its checkpoint: the file of a run that was killed and resumed
equals that of an undisturbed one, but for rows with {"subset": "clock"} in their context, which hold what depends on the machine.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

Row = dict[str, Any]


def read(path: Path) -> list[Row]:
    """All rows; a torn last line is dropped.

    Raises:
        ValueError: another line is not a JSON object; names file and line.
    """
    lines = path.read_bytes().split(b"\n")
    lines.pop()  # what follows the last newline: nothing, or a torn line
    rows = []
    for number, line in enumerate(lines, 1):
        try:
            rows.append(json.loads(line))
        except ValueError as error:
            raise ValueError(f"{path}, line {number}: {error}") from error
    return rows


class JsonlTracker:
    """Appends to metrics.jsonl."""

    def __init__(self, path: Path, *, batch_size: int | None = None) -> None:
        """`batch_size`: rows say how many samples had been seen; None: they do not."""
        self._path = path
        self._batch_size = batch_size
        if path.exists() and not path.read_bytes().endswith(b"\n"):
            self._replace(read(path))
        self._file = path.open("a", encoding="utf-8")

    def config(self, tree: Mapping[str, Any]) -> None:
        """Nothing: the record is experiment.json, beside this file."""

    def scalars(self, step: int, values: Mapping[str, float], context: Mapping[str, Any] = {}) -> None:
        self._append({**self._where(step), "values": dict(values), "context": dict(context)})

    def image(self, step: int, name: str, path: Path, context: Mapping[str, Any] = {}) -> None:
        self._append({**self._where(step), "image": name, "path": str(path), "context": dict(context)})

    def truncate(self, step: int) -> None:
        """Cuts the rows after `step`."""
        rows = read(self._path)
        kept = [row for row in rows if row["step"] <= step]
        if len(kept) < len(rows):
            self._file.close()
            self._replace(kept)
            self._file = self._path.open("a", encoding="utf-8")

    def close(self) -> None:
        self._file.close()

    def _where(self, step: int) -> Row:
        return {"step": step} if self._batch_size is None else {"step": step, "samples": step * self._batch_size}

    def _append(self, row: Row) -> None:
        self._file.write(_line(row))
        self._file.flush()

    def _replace(self, rows: Iterable[Row]) -> None:
        part = self._path.with_name(self._path.name + ".part")
        with part.open("w", encoding="utf-8") as file:
            file.writelines(map(_line, rows))
            file.flush()
            os.fsync(file.fileno())
        part.replace(self._path)


class Nowhere:
    """The Tracker of ranks that have nothing to say."""

    def config(self, tree: Mapping[str, Any]) -> None: ...

    def scalars(self, step: int, values: Mapping[str, float], context: Mapping[str, Any] = {}) -> None: ...

    def image(self, step: int, name: str, path: Path, context: Mapping[str, Any] = {}) -> None: ...

    def truncate(self, step: int) -> None: ...

    def close(self) -> None: ...


def _line(row: Row) -> str:
    return json.dumps(row, allow_nan=False, ensure_ascii=False) + "\n"
