"""Checkpoints: folders that load from their path alone, without unpickling code, and say so when a byte of them is wrong.

    step-000000123/
      learner.safetensors   all parameters and buffers: networks, held parents, adaptive schedules, statistics of the codec
      ema.safetensors       averages of the trainable parameters; absent where there is no average
      optimizers.pt         by phase; read with `torch.load(weights_only=True)`
      state.json            position, best so far, record, ports, grid, codec and units, sha256 of the other files and of itself

A folder is written under a temporary name and flushed to the disk; the session renames it, so that a folder called step-... is whole.
Every random number of training follows from the position, so no state of a generator is kept.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, Literal

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from wxexp.experiment import Experiment
from wxexp.interfaces import Learner
from wxexp.training.build import rebuild, trained_alike

FORMAT = 1
TEMPORARY = ".part"
_STATE, _LEARNER, _EMA, _OPTIMIZERS = "state.json", "learner.safetensors", "ema.safetensors", "optimizers.pt"


@dataclasses.dataclass(frozen=True)
class State:
    """What a checkpoint says beside tensors.

    Attributes:
        step: optimiser steps done.
        samples: samples seen.
        finished: training is over.
        metrics: of the validation at this step; empty where there was none. "criterion" is what decides which checkpoint is best.
        best: the lowest criterion so far; None before the first validation.
        stale: validations since then.
        window: sums of training scalars that have not been tracked yet.
        made_from: what the learner is rebuilt from.
    """

    step: int
    samples: int
    finished: bool
    metrics: Mapping[str, float]
    best: float | None
    stale: int
    window: Mapping[str, Any]
    made_from: Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """A checkpoint in memory, its checksums verified."""

    path: Path
    state: State
    learner: Mapping[str, Tensor]
    ema: Mapping[str, Tensor] | None
    optimizers: Mapping[str, Any]

    def restore(self, learner: nn.Module) -> None:
        """Loads parameters and buffers.

        Raises:
            ValueError: they are not those of `learner`.
        """
        try:
            learner.load_state_dict(self.learner)
        except RuntimeError as error:
            reason = " ".join(str(error).split())
            raise ValueError(f"{self.path / _LEARNER} does not fit this experiment: {reason}") from error


def folder_name(step: int) -> str:
    return f"step-{step:09d}"


def folders(directory: Path) -> list[Path]:
    """Complete checkpoints in a directory, the latest last."""
    return sorted(path for path in directory.glob("step-*") if re.fullmatch(r"step-\d{9}", path.name))


def last_checkpoint(directory: Path) -> Path | None:
    """The latest, or None."""
    return next(reversed(folders(directory)), None)


def best_checkpoint(directory: Path) -> Path | None:
    """The one with the lowest criterion, the earlier of equal ones; None where none was validated."""
    found = {path: read_state(path).metrics.get("criterion") for path in folders(directory)}
    judged = {path: criterion for path, criterion in found.items() if criterion is not None}
    return min(judged, key=lambda path: judged[path]) if judged else None


def write(
    folder: Path,
    *,
    learner: nn.Module,
    ema: Mapping[str, Tensor] | None,
    optimizers: Mapping[str, torch.optim.Optimizer],
    state: State,
) -> None:
    """Writes a checkpoint into a new folder with a temporary name, and flushes it to the disk.

    Raises:
        OSError: it could not be written, in one line; nothing is left behind.
    """
    try:
        folder.mkdir(parents=True)
        _save_tensors(folder / _LEARNER, learner.state_dict())
        if ema is not None:
            _save_tensors(folder / _EMA, ema)
        with (folder / _OPTIMIZERS).open("wb") as file:
            torch.save({name: optimizer.state_dict() for name, optimizer in optimizers.items()}, file)
        files = {path.name: _sha256(path) for path in sorted(folder.iterdir())}
        record = {"format": FORMAT, **dataclasses.asdict(state), "files": files}
        record["sha256"] = _own_sha256(record)
        (folder / _STATE).write_text(_json(record), encoding="utf-8")
        for path in (*folder.iterdir(), folder):
            flush(path)
    except (OSError, RuntimeError, SafetensorError) as error:  # torch and safetensors have their own errors for a full disk
        shutil.rmtree(folder, ignore_errors=True)
        reason = _reason(error)
        raise OSError(f"cannot write the checkpoint {folder.name.removesuffix(TEMPORARY)} in {folder.parent}: {reason}") from error


def read(path: Path) -> Checkpoint:
    """Reads a checkpoint and verifies it.

    Raises:
        ValueError: a file is missing or corrupted; one line that names it.
    """
    state, files = _state(path)
    for name, checksum in files.items():
        if not (path / name).is_file():
            raise ValueError(f"{path / name} is missing; the checkpoint cannot be used")
        if (found := _sha256(path / name)) != checksum:
            raise ValueError(f"{path / name} is corrupted: its sha256 is {found[:12]}..., and {checksum[:12]}... was written")
    return Checkpoint(
        path=path,
        state=state,
        learner=_tensors(path / _LEARNER),
        ema=_tensors(path / _EMA) if _EMA in files else None,
        optimizers=_optimizers(path / _OPTIMIZERS),
    )


def read_state(path: Path) -> State:
    """What a checkpoint says of itself, without its tensors.

    Raises:
        ValueError: state.json is missing or corrupted, or of a later format.
    """
    return _state(path)[0]


def load(path: Path, *, weights: Literal["ema", "last"] = "ema", like: Mapping[str, Any] | None = None) -> tuple[Experiment, Learner]:
    """The experiment and its trained learner, in evaluation mode, from the path of a checkpoint alone: no data are opened.

    Held parents are rebuilt from their records; their weights are in this checkpoint.

    Args:
        path: the folder step-...
        weights: "ema" gives the averages, which are the last weights where the experiment keeps no average.
        like: the tree of an experiment with the same training, of which the rest is taken: whoever trained it may have had a sampler or
            a metric of a package that is not imported now.

    Raises:
        ValueError: a file is missing or corrupted.
    """
    checkpoint = read(path)
    made_from = checkpoint.state.made_from
    if like is not None:
        made_from = {**made_from, "experiment": trained_alike(made_from["experiment"], like)}
    experiment, learner = rebuild(made_from)
    checkpoint.restore(learner)
    if weights == "ema" and checkpoint.ema is not None:
        parameters = dict(learner.named_parameters())
        with torch.no_grad():
            for name, average in checkpoint.ema.items():
                parameters[name].copy_(average)
    return experiment, learner.eval()


def _state(path: Path) -> tuple[State, Mapping[str, str]]:
    where = path / _STATE
    try:
        record = json.loads(where.read_bytes())
    except FileNotFoundError as error:
        raise ValueError(
            f"{where} is missing; {'the checkpoint cannot be used' if path.is_dir() else 'there is no such checkpoint'}"
        ) from error
    except ValueError as error:
        raise ValueError(f"{where} is corrupted: {error}") from error
    if not isinstance(record, dict) or record.pop("sha256", None) != _own_sha256(record):
        raise ValueError(f"{where} is corrupted: its content does not have the sha256 it names")
    if record.pop("format") != FORMAT:
        raise ValueError(f"{where} has a format that this wxexp, which reads {FORMAT}, does not know; a newer one wrote it")
    files = record.pop("files")
    return State(**record), files


def _json(record: Mapping[str, Any]) -> str:
    return json.dumps(record, allow_nan=False, ensure_ascii=False, separators=(",", ":"))


def _own_sha256(record: Mapping[str, Any]) -> str:
    return hashlib.sha256(_json(record).encode()).hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _tensors(path: Path) -> dict[str, Tensor]:
    try:
        return safetensors.torch.load_file(path)
    except SafetensorError as error:
        raise ValueError(f"{path} is corrupted: {_reason(error)}") from error


def _optimizers(path: Path) -> dict[str, Any]:
    """Whatever there is beside tensors and plain values is refused, and not executed."""
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except (UnpicklingError, EOFError, RuntimeError) as error:
        raise ValueError(f"{path} is corrupted: {_reason(error)[:300]}") from error
    if not isinstance(found, dict):
        raise ValueError(f"{path} is corrupted: it is no dict")
    return found


def _save_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Each tensor on its own: safetensors refuses those that share memory, as tied weights do, and gaps between elements."""
    own = {name: x.detach().to("cpu", copy=True).contiguous() for name, x in tensors.items()}
    safetensors.torch.save_file(own, path)


def _reason(error: BaseException) -> str:
    """What the operating system said, where torch says that a position is unexpected."""
    inner = error.__context__
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return _reason(inner) if isinstance(inner, OSError) else " ".join(str(error).split())


def flush(path: Path) -> None:
    """What was written of a file, or renamed in a folder, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
