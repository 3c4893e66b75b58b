"""The run directory: where things are, who is using it, and what it says of itself without importing anything heavy.

runs/<name>-<train fingerprint>/
  experiment.json  provenance.json  metrics.jsonl  log.txt  lock  train/
  samples/<sample fingerprint>/   experiment.json  members.zarr  done/
      scores/<score fingerprint>/   experiment.json  scores.zarr  maps.zarr  table.json  report/index.html
"""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from wxexp.config.tree import ConfigError, suggest


def directory(given: Path | None) -> Path:
    """Where runs are: as given, else $WXEXP_RUNS, else runs/."""
    return Path(given or os.environ.get("WXEXP_RUNS") or "runs").absolute()


def resolve(name: str, home: Path) -> Path:
    """A run directory by path or by name."""
    for path in (Path(name), home / name):
        if (path / "experiment.json").is_file():
            return path.absolute()
    raise ConfigError(f"no run {name!r} in {home}{suggest(name, [run.name for run in listing(home)])}")


def tables(run: Path) -> list[Path]:
    """Its tables of scores, the latest last."""
    return sorted(run.glob("samples/*/scores/*/table.json"), key=lambda path: path.stat().st_mtime)


@dataclass(frozen=True)
class Listed:
    """A run: its name, when it was begun (local time, to the minute) and how far it is, in words."""

    name: str
    when: str
    state: str


def listing(home: Path) -> list[Listed]:
    """Every run, the latest last, with how far it is."""
    found = [path.parent for path in home.glob("*/experiment.json")]
    return [_listed(path) for path in sorted(found, key=lambda path: (path / "experiment.json").stat().st_mtime)]


def _listed(run: Path) -> Listed:
    when = datetime.datetime.fromtimestamp((run / "experiment.json").stat().st_mtime).strftime("%Y-%m-%d %H:%M")
    if tables(run):
        state = "scored"
    elif any(run.glob("samples/*/members.zarr")):
        state = "members drawn"
    else:
        state = "trained" if (run / "train" / "done.json").is_file() else "training"
    return Listed(run.name, when, state)


def delete(run: Path) -> None:
    """Removes a run that nobody uses."""
    with lock(run):
        shutil.rmtree(run)


@contextlib.contextmanager
def lock(run: Path, *, wait: bool = False) -> Iterator[None]:
    """An operating-system lock on the directory; it ends with the process that holds it, however that ends.

    Where another process has it: a ConfigError, or `wait` until that one is done.
    """
    with open(run / "lock", "a+") as file:  # noqa: SIM115
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except OSError as error:
            file.seek(0)
            raise ConfigError(f"{run} is in use by process {file.read().strip() or '(unknown)'}") from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def prepare(path: Path) -> Path:
    """The directory, made if need be, and writable."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe = path / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ConfigError(f"cannot write in {path}: {error.strerror}; choose another place with --runs DIR") from error
    return path


def provenance() -> dict[str, object]:
    """What made a run: versions, commit and command (None from Python); nothing of the environment."""
    ours = Path(sys.argv[0]).name == "wxexp" or Path(sys.argv[0]).parts[-2:] == ("wxexp", "__main__.py")
    names = ("wxexp", "torch", "ray", "xarray", "zarr", "numpy", "numba")
    versions = {}
    for name in names:
        with contextlib.suppress(PackageNotFoundError):
            versions[name] = version(name)
    return {
        "started": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "command": " ".join(["python -m wxexp", *sys.argv[1:]]) if ours else None,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "versions": versions,
        "commit": os.environ.get("WXEXP_COMMIT") or commit(),  # a job has no repository; the submission knew it
    }


def commit() -> str | None:
    """Of the working directory; "+" if files differ from it; None outside a repository."""
    try:
        found = [
            subprocess.run(["git", *words], capture_output=True, text=True, timeout=10)
            for words in (["rev-parse", "HEAD"], ["status", "--porcelain"])
        ]
    except (OSError, subprocess.TimeoutExpired):
        return None
    return found[0].stdout.strip() + ("+" if found[1].stdout.strip() else "") if found[0].returncode == 0 else None


def write_json(path: Path, value: object) -> None:
    """Strict JSON under a temporary name, then renamed."""
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False) + "\n", encoding="utf-8")
    part.replace(path)
