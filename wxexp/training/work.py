"""Training as workers are told to do it: from plain values to checkpoints, in this process or in one of several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, TypedDict

from wxexp.config import from_tree, to_tree
from wxexp.config.tree import normal
from wxexp.experiment import Experiment
from wxexp.interfaces import Learner, Opened, Session
from wxexp.training.build import build
from wxexp.training.checkpoint import load
from wxexp.training.loop import Progress, train
from wxexp.training.tracker import JsonlTracker, Nowhere


class Plan(TypedDict):
    """What a worker needs to know, in plain values.

    Keys:
        experiment: its tree.
        directory: where checkpoints go; all workers see it.
        metrics: metrics.jsonl.
        parents: (tree, checkpoint) of every experiment that this one holds.
        imports: packages to import first, whose components the experiment uses.
    """

    experiment: dict[str, Any]
    directory: str
    metrics: str
    parents: list[tuple[dict[str, Any], str]]
    imports: list[str]


def work(plan: Plan, session: Session, *, opened: Opened | None = None, progress: Callable[[Progress], None] | None = None) -> None:
    """Trains what the plan says; `opened` is its dataset where it is open already. Raises what `train` raises."""
    for package in plan["imports"]:
        import_module(package)
    experiment = from_tree(plan["experiment"], Experiment)
    opened = opened or experiment.dataset.open()
    learner = build(experiment, opened, lambda held: _parent(held, plan["parents"]))
    first = session.rank == 0
    tracker = JsonlTracker(Path(plan["metrics"]), batch_size=experiment.training.batch_size) if first else Nowhere()
    try:
        train(experiment, opened=opened, learner=learner, session=session, tracker=tracker, progress=progress)
    finally:
        tracker.close()


def _parent(held: Experiment, trained: Sequence[tuple[dict[str, Any], str]]) -> Learner:
    record = to_tree(normal(held))
    return load(Path(next(checkpoint for tree, checkpoint in trained if tree == record)), weights="ema", like=record)[1].freeze()
