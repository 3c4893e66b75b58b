"""What the tests of this folder run in other processes.

python children.py fates DIRECTORY | rank DIRECTORY RANK | chaos DIRECTORY SEED
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import doubles
import torch
import torch._dynamo  # optimisers import it when they are first used: once here, not once in every child
import torch.distributed as dist

from wxexp.experiment import Experiment
from wxexp.fields.seeds import stream
from wxexp.training import JsonlTracker, LocalSession, train
from wxexp.training.checkpoint import folder_name, read_state


class DyingTracker(JsonlTracker):
    def __init__(self, path: Path, *, step: int, batch_size: int) -> None:
        super().__init__(path, batch_size=batch_size)
        self.step = step

    def scalars(self, step: int, values: Mapping[str, float], context: Mapping[str, Any] = {}) -> None:
        super().scalars(step, values, context)
        if step == self.step:
            doubles.die()


class DyingSession(LocalSession):
    """Dies with the second checkpoint written, before or after it has its name."""

    renamed = False

    def report(self, metrics: Mapping[str, float], checkpoint: Path | None = None) -> None:
        assert checkpoint is not None
        if any(self.directory.glob("step-*")):
            if self.renamed:
                checkpoint.replace(self.directory / folder_name(read_state(checkpoint).step))
            doubles.die()
        super().report(metrics, checkpoint)


def run(experiment: Experiment, directory: Path, *, die_at: int | None = None, session: type[LocalSession] = LocalSession) -> None:
    tracker = DyingTracker(directory / "metrics.jsonl", step=die_at or -1, batch_size=experiment.training.batch_size)
    with session(directory / "train") as here:
        learner = doubles.build(experiment)
        train(experiment, opened=experiment.dataset.open(), learner=learner, session=here, tracker=tracker)


def in_child(work: Callable[[], None], *, seconds: float | None = None) -> int:
    """The exit status of `work` in a process of its own; -9 is SIGKILL, which it gets after `seconds` if it is not done."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)  # the child of a parent that has not waited is there, if only as its exit status
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def windowed() -> Experiment:
    """400 steps, two of them to a row and 21 to a checkpoint."""
    changes = {"training__validation": None, "training__samples": 400, "training__batch_size": 1, "training__checkpoint": 21}
    return doubles.experiment("regression", **changes)


def fates(directory: Path) -> None:
    """Every double undisturbed, and killed and resumed; the statuses of all processes go to statuses.json."""
    statuses: dict[str, list[int]] = {}
    renamed = type("Renamed", (DyingSession,), {"renamed": True})
    killed: dict[str, tuple[Experiment, dict[str, Any]]] = {
        **{name: (doubles.experiment(name), {"die_at": 8}) for name in doubles.NAMES},
        "early": (doubles.experiment("adaptive"), {"die_at": 1}),
        "writing": (doubles.experiment("adaptive"), {"session": DyingSession}),
        "renamed": (doubles.experiment("adaptive"), {"session": renamed}),
        "windowed": (windowed(), {"die_at": 202}),
    }
    for name, (experiment, how) in killed.items():
        places = [directory / name / fate for fate in ("undisturbed", "killed")]
        for place in places:
            place.mkdir(parents=True)
        if experiment.name != name and experiment.name == "adaptive":  # what it is compared with has been run
            places[0].rmdir()
            places[0].symlink_to(directory / "adaptive" / "undisturbed")
            statuses[name] = [0]
        else:
            statuses[name] = [in_child(lambda e=experiment, at=places[0]: run(e, at))]
        statuses[name].append(in_child(lambda e=experiment, at=places[1], how=how: run(e, at, **how)))
        statuses[name].append(in_child(lambda e=experiment, at=places[1]: run(e, at)))
    statuses["full"] = full(directory / "full")
    (directory / "statuses.json").write_text(json.dumps(statuses))


def full(directory: Path) -> list[int]:
    """A disk that has no space for the third checkpoint, then has it again."""
    directory.mkdir()
    experiment = doubles.experiment("adaptive")

    class Filling(LocalSession):
        def report(self, metrics: Mapping[str, float], checkpoint: Path | None = None) -> None:
            super().report(metrics, checkpoint)
            if (self.directory / folder_name(6)).exists():
                resource.setrlimit(resource.RLIMIT_FSIZE, (8192, resource.RLIM_INFINITY))

    def limited() -> None:
        try:
            run(experiment, directory, session=Filling)
        except OSError as error:
            (directory / "error.txt").write_text(str(error))
            (directory / "left.json").write_text(json.dumps(sorted(p.name for p in (directory / "train").rglob("*"))))

    return [in_child(limited), in_child(lambda: run(experiment, directory))]


def chaos(directory: Path, seed: int) -> None:
    """One run undisturbed, and one killed at random moments until it is done; the statuses go to statuses.json."""
    experiment, random = doubles.experiment("adaptive"), stream("chaos", seed)
    places = [directory / fate for fate in ("undisturbed", "killed")]
    for place in places:
        place.mkdir()
    began = time.monotonic()
    statuses = [in_child(lambda: run(experiment, places[0]))]
    whole = time.monotonic() - began
    while statuses == statuses[:1] or statuses[-1] != 0:
        assert len(statuses) < 200, statuses
        statuses.append(in_child(lambda: run(experiment, places[1]), seconds=whole * random.uniform(0.1, 0.5)))
    (directory / "statuses.json").write_text(json.dumps(statuses))


RANKED = ("crps", "adversarial", "adaptive", "idle")


def ranked(name: str, *, ranks: int) -> Experiment:
    """In float64 and without dropout, so that ranks and one process can be compared; a batch that two ranks cannot share evenly."""
    changes: dict[str, Any] = {
        "dataset__double": True,
        "model__dropout": 0.0,
        "training__optimizer": doubles.Descent(rate=0.01, final=0.01),
        "training__batch_size": 1 if name == "idle" else 3,
        "training__micro_batch": 1 if name == "adaptive" else None,
        "training__samples": {"crps": 3, "adversarial": 18, "adaptive": 9, "idle": 4}[name],
        "training__clip": None,
        "training__validation": None,
        "training__checkpoint": None,
    }
    if name == "crps":
        changes |= {"objective__members": 4 // ranks, "objective__ranks": ranks}
    if name == "adversarial":
        changes |= {"objective__critic_optimizer": None}
    return doubles.experiment("adaptive" if name == "idle" else name, **changes)


def ranked_learner(experiment: Experiment, session: LocalSession) -> tuple[dict[str, torch.Tensor], list[Any]]:
    learner, tracker = doubles.build(experiment).double(), doubles.Recorder()
    train(experiment, opened=experiment.dataset.open(), learner=learner, session=session, tracker=tracker)
    return learner.state_dict(), [row for row in tracker.rows if row[2] != {"subset": "clock"}]


def rank(directory: Path, number: int) -> None:
    dist.init_process_group("gloo", init_method=f"file://{directory / 'meeting'}", rank=number, world_size=2)
    for name in RANKED:
        session = LocalSession(directory / name, rank=number, world_size=2)
        state, rows = ranked_learner(ranked(name, ranks=2), session)
        torch.save({"state": state, "rows": rows}, directory / f"{name}-{number}.pt")
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    torch.set_num_threads(1)
    if sys.argv[1] == "fates":
        fates(Path(sys.argv[2]))
    elif sys.argv[1] == "chaos":
        chaos(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        rank(Path(sys.argv[2]), int(sys.argv[3]))
