"""Files that are either whole or not there, and the results of work items kept until all are done."""

from __future__ import annotations

import json
import os
import shutil
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import xarray as xr
from zarr.errors import ZarrUserWarning


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary file or folder beside `path` that takes its name when the block ends without an error."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        if path.is_dir():
            shutil.rmtree(path)
        os.replace(temporary, path)
    finally:
        if temporary.is_dir():
            shutil.rmtree(temporary)
        elif temporary.exists():
            temporary.unlink()


def write_zarr(path: Path, data: xr.Dataset, *, group: str | None = None) -> None:
    """Zarr v3, with the copy of all metadata that xarray looks for first and warns of when absent."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ZarrUserWarning)  # that version 3 of the format does not specify it yet
        data.to_zarr(path, group=group, zarr_format=3, consolidated=True, mode="a")


def read_arrays(path: Path, *names: str) -> dict[str, np.ndarray]:
    """Of an npz, all or these; nothing is unpickled.

    Raises:
        ValueError: it is none, or has objects in it; names the file.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in names or file}
    except (ValueError, zipfile.BadZipFile, TypeError, KeyError) as error:  # of what is no npz, numpy gives an array or raises
        raise ValueError(f"{path} is corrupted, delete it: {error}") from error


class Parts:
    """One file for each finished work item: its result, and by being there the mark that it is done.

    Args:
        folder: made if need be.
        plan: JSON values that decide what the parts mean.

    Raises:
        ValueError: if the folder was begun with another plan.
    """

    def __init__(self, folder: Path, plan: Mapping[str, object]) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(plan, sort_keys=True, indent=1)
        note = folder / "plan.json"
        if not note.exists():
            with replacing(note) as temporary:
                temporary.write_text(text)
        elif note.read_text() != text:
            raise ValueError(f"{folder} holds parts of another plan (other times, sources or statistics); delete it to begin again")

    def _path(self, item: tuple[int, ...]) -> Path:
        return self.folder / ("-".join(f"{number:06d}" for number in item) + ".npz")

    def __contains__(self, item: tuple[int, ...]) -> bool:
        return self._path(item).exists()

    def write(self, item: tuple[int, ...], arrays: Mapping[str, np.ndarray]) -> None:
        with replacing(self._path(item)) as temporary, temporary.open("wb") as file:
            np.savez(file, allow_pickle=False, **dict(arrays))

    def read(self, item: tuple[int, ...]) -> dict[str, np.ndarray]:
        return read_arrays(self._path(item))

    def remove(self) -> None:
        shutil.rmtree(self.folder)
