"""The nouns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import ClassVar

from toy.interfaces import Dataset, Metric, Model, Objective, Sampler
from wxexp.config import Spec, Staged

__all__ = ["Ensemble", "Experiment", "Scoring", "Training"]


class Training(Spec):
    registry: ClassVar[str] = __name__
    samples: int = 1_000
    rate: float = 1e-3
    clip: float | None = None
    compile: bool = False
    micro_batch: int = 8

    def __post_init__(self) -> None:
        if self.samples < 1:
            raise ValueError(f"Training.samples must be at least 1, got {self.samples}")


class Ensemble(Spec):
    registry: ClassVar[str] = __name__
    members: int = 16
    seed: int = 0


class Scoring(Spec):
    registry: ClassVar[str] = __name__
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)


class Experiment(Staged):
    registry: ClassVar[str] = __name__
    stages: ClassVar[Mapping[str, str | None]] = {
        "dataset": "train",
        "model": "train",
        "objective": "train",
        "training": "train",
        "seed": "train",
        "training.micro_batch": None,
        "sampler": "sample",
        "ensemble": "sample",
        "ensemble.members": "score",
        "scoring": "score",
    }
    name: str
    dataset: Dataset
    model: Model
    objective: Objective
    sampler: Sampler | None = None
    training: Training = Training()
    ensemble: Ensemble = Ensemble()
    scoring: Scoring = Scoring()
    seed: int = 0

    def __post_init__(self) -> None:
        self.objective.check(self)
