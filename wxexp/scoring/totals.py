"""Sums of every cell, added up as blocks come in, in time order: what comes early waits, so few blocks' sums are ever on disk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from wxexp.scoring.files import read_arrays, replacing


class Totals:
    """Totals of one source over blocks 0 ... `count` - 1, in a file whose name has the count; sums of later blocks are files beside it.

    A process may be killed at any moment: a block that was added and not marked as done is scored again, and then not added again.

    Args:
        folder: made if need be.
        source: number of the source.
    """

    def __init__(self, folder: Path, source: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._source = folder, source
        self.count = max((int(path.stem.rpartition("-")[2]) for path in folder.glob(f"total-{source}-*.npz")), default=0)

    def add(self, block: int, sums: Mapping[str, np.ndarray]) -> None:
        """The sums of one block by name, each added to the total of its name."""
        if block < self.count:
            return
        if block > self.count:
            _write(self._waiting(block), sums)
            return
        before, first = self._path(), self.count
        total = dict(sums) if not self.count else _sum(read_arrays(before), sums)
        self.count += 1
        while self._waiting(self.count).exists():
            total = _sum(total, read_arrays(self._waiting(self.count)))
            self.count += 1
        _write(self._path(), total)
        for path in (before, *map(self._waiting, range(first + 1, self.count))):
            path.unlink(missing_ok=True)

    def read(self, name: str) -> np.ndarray:
        """One total."""
        return read_arrays(self._path(), name)[name]

    def below(self, prefix: str) -> dict[str, np.ndarray]:
        """The totals whose names begin so, by the rest of their names."""
        with np.load(self._path(), allow_pickle=False) as file:
            names = [name for name in file if name.startswith(prefix)]
        return {name.removeprefix(prefix): x for name, x in read_arrays(self._path(), *names).items()} if names else {}

    def _path(self) -> Path:
        return self._folder / f"total-{self._source}-{self.count}.npz"

    def _waiting(self, block: int) -> Path:
        return self._folder / f"waiting-{self._source}-{block}.npz"


def _sum(a: dict[str, np.ndarray], b: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    for name, x in b.items():
        a[name] = a[name] + x
    return a


def _write(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, **dict(arrays))
