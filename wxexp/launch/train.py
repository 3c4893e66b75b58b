"""Training on Ray Train: any number of workers; what is lost of them costs a restart from the last checkpoint, no more.

Checkpoints are those of `LocalSession`, in the run directory that all workers see: a run that was begun in one process goes on on a
cluster, and the other way round. Ray's own checkpoints are not used, so nothing is unpickled when a run resumes.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import ray
import ray.train.torch
import torch
import torch.distributed as dist
from ray.exceptions import RayError
from ray.train import RunConfig, ScalingConfig, TrainingFailedError, WorkerGroupError
from ray.train.torch import TorchTrainer
from ray.train.v2._internal.exceptions import RayTrainError
from ray.train.v2.api.data_parallel_trainer import DataParallelTrainer

from wxexp.launch.cluster import nodes
from wxexp.launch.session import STOP, Preempted, RaySession
from wxexp.launch.worker import import_from, print_to
from wxexp.training import Interrupted, Plan, Progress, last_checkpoint, work

ATTEMPTS = 3
"""Times that workers may be lost without a checkpoint in between before training is given up."""
_PROGRESS = "progress.json"
log = logging.getLogger("wxexp")


def fit(plan: Plan, *, workers: int, threads: int, gpus: float, output: Path, progress: Callable[[Progress], None]) -> None:
    """Trains what the plan says, from its last checkpoint.

    Args:
        plan: see `wxexp.training.work`.
        workers: processes, which share every batch.
        threads: of each, and CPUs.
        gpus: of each.
        output: file that all they print goes to.
        progress: told a few times a second.

    Raises:
        Interrupted: Ctrl-C or SIGTERM; there is a checkpoint.
        ValueError, OSError, FloatingPointError: as training in this process does.
        RuntimeError: workers were lost again and again, or raised anything else.
    """
    directory, losses = Path(plan["directory"]), 0
    scaling = ScalingConfig(num_workers=workers, use_gpu=gpus > 0, resources_per_worker={"CPU": threads} | ({"GPU": gpus} if gpus else {}))
    # TorchTrainer joins the ranks by a store of torch's that listens on all networks of the machine; what is alone on it needs none
    alone = all(node["NodeManagerAddress"] == "127.0.0.1" for node in nodes())
    kind = DataParallelTrainer if alone else TorchTrainer
    told: dict[str, object] = {"plan": plan, "threads": threads, "output": str(output.absolute()), "path": sys.path}
    with _stop_file(directory / STOP) as asked, tempfile.TemporaryDirectory(prefix="wxexp-train-") as storage:
        while True:
            before = last_checkpoint(directory)
            where = RunConfig(storage_path=storage, name=uuid.uuid4().hex)
            told["meeting"] = f"file://{storage}/{where.name}.peers" if alone else None
            trainer = kind(_train, train_loop_config=told, scaling_config=scaling, run_config=where)
            error = _watched(trainer, directory / "scratch" / _PROGRESS, progress)
            if error is None:
                break
            losses = 1 if last_checkpoint(directory) != before else losses + 1
            if asked() or losses == ATTEMPTS or not _may_pass(error, workers):
                raise _plain(error)
            log.warning("training workers were lost (%s); going on from the last checkpoint", _kinds(error))
            log.info("they said: %s", error)
        if asked():
            raise Interrupted("training was asked to stop")


def _train(told: dict[str, object]) -> None:
    """In each worker."""
    print_to(str(told["output"]))
    import_from(told["path"])  # type: ignore[arg-type]
    torch.set_num_threads(int(told["threads"]))  # type: ignore[call-overload]
    plan: Plan = told["plan"]  # type: ignore[assignment]
    _meet(told["meeting"])  # type: ignore[arg-type]
    session = RaySession(Path(plan["directory"]))
    try:
        work(plan, session, progress=_Teller(session.scratch / _PROGRESS))
    except Interrupted as error:
        if session.preempted:
            raise Preempted(str(error)) from error


def _meet(where: str | None) -> None:
    """Joins the other ranks where Ray has not: on one machine they meet in a file and talk over loopback, so that nothing else listens."""
    context = ray.train.get_context()
    if where is None or context.get_world_size() == 1:
        return
    loopback = "lo0" if sys.platform == "darwin" else "lo"
    os.environ |= {"GLOO_SOCKET_IFNAME": loopback, "NCCL_SOCKET_IFNAME": loopback}
    backend = "nccl" if ray.train.torch.get_device().type == "cuda" else "gloo"
    dist.init_process_group(backend, init_method=where, rank=context.get_world_rank(), world_size=context.get_world_size())


class _Teller:
    """Writes how far training is to a file, which the driver reads."""

    def __init__(self, path: Path) -> None:
        self._path, self._part = path, path.with_name(path.name + ".part")

    def __call__(self, now: Progress) -> None:
        self._part.write_text(json.dumps([now.step, now.samples, now.total, now.loss]))
        self._part.replace(self._path)


def _watched(trainer: DataParallelTrainer | TorchTrainer, path: Path, progress: Callable[[Progress], None]) -> Exception | None:
    """How the training ended. It is waited for in a thread: on the main one Ray would answer Ctrl-C itself, and without a checkpoint."""
    path.unlink(missing_ok=True)
    ended: list[Exception | None] = []

    def fit() -> None:
        try:
            trainer.fit()
            ended.append(None)
        except Exception as error:
            ended.append(error)

    thread = threading.Thread(target=fit, daemon=True)
    thread.start()
    last = ""
    while thread.is_alive():
        thread.join(0.2)
        if path.exists() and (text := path.read_text()) != last:
            last = text
            progress(Progress(*json.loads(text)))
    return ended[0]


def _may_pass(error: Exception, workers: int) -> bool:
    """Whether it was the machine's doing: a worker was lost, or is said to be so by those that were talking to it."""
    if not isinstance(error, WorkerGroupError):
        return isinstance(error, TrainingFailedError)
    lost: tuple[type[Exception], ...] = (RayError, RayTrainError, Preempted)
    if workers > 1:
        lost += (RuntimeError,)  # what torch.distributed raises where a peer is gone
    return all(isinstance(one, lost) for one in error.worker_failures.values())


def _kinds(error: Exception) -> str:
    """What happened to which worker, in a few words."""
    if not isinstance(error, WorkerGroupError):
        return type(error).__name__
    return ", ".join(f"rank {rank}: {type(one).__name__}" for rank, one in sorted(error.worker_failures.items()))


def _plain(error: Exception) -> Exception:
    """What a worker raised, if that is told in one line."""
    failures: Sequence[Exception] = list(error.worker_failures.values()) if isinstance(error, WorkerGroupError) else []
    told = (one for one in failures if isinstance(one, (OSError, ValueError, FloatingPointError)))
    return next(told, None) or RuntimeError(f"training failed: {error}")


@contextmanager
def _stop_file(path: Path) -> Iterator[Callable[[], bool]]:
    """The first SIGINT (Ctrl-C) or SIGTERM makes the file, for which training stops; the second ends this process."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    main = threading.current_thread() is threading.main_thread()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)} if main else {}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def ask(number: int, frame: FrameType | None) -> None:
        restore()
        path.touch()

    for number in before:
        signal.signal(number, ask)
    try:
        yield path.exists
    finally:
        restore()
        path.unlink(missing_ok=True)
