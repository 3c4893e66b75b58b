"""The nouns of an experiment. One noun per stage, so that the stage of a field is the noun it is in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import ClassVar, Literal

import torch
from torch import nn

from wxexp.config import Spec, at_least
from wxexp.config.fingerprint import Staged
from wxexp.config.tree import suggest
from wxexp.interfaces import Baseline, Dataset, Metric, Model, Objective, Optimizer, Sampler, Scheduler, Subset

__all__ = [
    "AdamW",
    "Ensemble",
    "Experiment",
    "Resources",
    "Scoring",
    "Training",
    "Validation",
]


class AdamW(Optimizer):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019)."""

    registry: ClassVar[str] = __name__
    rate: float = 1e-3
    warmup: int = 2_000
    final: float = 0.0
    betas: tuple[float, float] = (0.9, 0.99)
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        at_least(self, 0, "rate", "warmup", "final", "weight_decay")

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        return torch.optim.AdamW(parameters, lr=self.rate, betas=self.betas, weight_decay=self.weight_decay)


class Validation(Spec):
    """What is measured while training: loss by noise level on fixed draws, and scores of sampled members.

    Part of the stage train, because it decides which checkpoint is best and when to stop.
    """

    registry: ClassVar[str] = __name__
    every: int = 20_000
    """Samples between validations."""
    items: int | None = None
    """Validation times used, evenly spread; None: all."""
    members: int = 4
    """Members drawn for fair CRPS, spread-skill and RMSE; 0: only the loss."""
    sampler: Sampler | None = None
    """How they are drawn; None where the objective needs none."""
    batch_size: int = 8

    def __post_init__(self) -> None:
        at_least(self, 1, "every", "items", "batch_size")
        if self.members < 0 or self.members == 1:
            raise ValueError(f"Validation.members must be 0 or at least 2, got {self.members}")


class Training(Spec):
    """How long and how to learn; all lengths in samples."""

    registry: ClassVar[str] = __name__
    samples: int = 100_000
    batch_size: int = 32
    """Distinct samples of one step over all workers."""
    micro_batch: int | None = None
    """Samples at a time on one worker: memory only. None: all of the worker's share."""
    optimizer: Optimizer = AdamW()
    clip: float | None = 1.0
    """Largest norm of the gradient of a phase. None: no limit."""
    ema: int | None = 20_000
    """Half-life in samples of the moving average of weights that members are drawn with. None: the last weights."""
    ema_rampup: float | None = 0.05
    """The half-life is at most this part of the samples seen so far (Karras et al. 2022, appendix F.2). None: no ramp-up."""
    checkpoint: int | None = None
    """Samples between checkpoints, besides the last. None: at validations and at the end only."""
    validation: Validation | None = None
    draw_from: Literal["last", "best"] = "last"
    """Which checkpoint members are drawn from; the best one has the lowest validation CRPS (or loss, where no members are drawn)."""
    patience: int | None = None
    """Validations without a better one after which training stops. None: never."""

    def __post_init__(self) -> None:
        at_least(self, 1, "samples", "batch_size", "micro_batch", "ema", "checkpoint", "patience")
        if self.clip is not None and self.clip <= 0:
            raise ValueError(f"Training.clip must be positive, got {self.clip}")
        if self.validation is None and (self.draw_from == "best" or self.patience is not None):
            raise ValueError("Training.draw_from='best' and Training.patience need a Training.validation")


class Ensemble(Spec):
    """Which members are drawn."""

    registry: ClassVar[str] = __name__
    members: int = 16
    seed: int = 0
    leads: int = 1
    """Autoregressive steps of a forecast."""
    rows: int = 8
    """Rows every network sees when drawing: the bits of float32 depend on it."""
    chunk: int = 8
    """Members in a chunk of members.zarr and in a work item; a multiple of `rows` is fastest."""
    split: Literal["valid", "test"] = "test"
    """Times that are drawn and scored. What is chosen, such as a sampler, is chosen by its scores on "valid"."""
    store: Literal["zarr"] | None = "zarr"
    """Where members are kept. None: nowhere; workers hand them to each other to be scored, and the scores are the same, bit for bit."""

    def __post_init__(self) -> None:
        at_least(self, 1, "members", "leads", "chunk")
        at_least(self, 4, "rows")


class Scoring(Spec):
    """What is measured, against what."""

    registry: ClassVar[str] = __name__
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    baselines: Mapping[str, Baseline] = field(default_factory=dict)
    draws: int = 1000
    """Bootstrap draws of the intervals; blocks are runs of times, or moving blocks of few or unlike ones, by how far apart times are."""
    seed: int = 0
    groups: Mapping[str, Subset] = field(default_factory=dict)
    """Parts of the grid and of the test times that get rows of their own, beside "all"."""
    maps: tuple[str, ...] = ()
    """Metrics, by their names above, that get maps beside those that every run has (bias, MAE, RMSE, CRPS, spread, spread-skill).

    Only those made from cells alone can. A cell has 8 bytes for each number of a statistic, lead and source: Brier scores at T thresholds
    take 2 T (members + 1) numbers, rank histograms members + 2, quantile scores 4 for each level.
    """

    def __post_init__(self) -> None:
        at_least(self, 1, "draws")
        self._check_maps()
        if "all" in self.groups:
            raise ValueError("Scoring.groups cannot have an entry 'all', which names everything")
        if "forecast" in self.baselines:
            raise ValueError("Scoring.baselines cannot have an entry 'forecast', which names the members")

    def _check_maps(self) -> None:
        possible = [name for name, metric in self.metrics.items() if all(each.scope == "point" for each in metric.needs())]
        for name in self.maps:
            if name not in possible:
                why = (
                    f"there is no metric {name!r}{suggest(name, possible)}" if name not in self.metrics else f"{name!r} needs whole fields"
                )
                raise ValueError(f"Scoring.maps: {why}; metrics that can have one: {', '.join(possible) or 'none'}")


class Resources(Spec):
    """With what; never decides a result."""

    registry: ClassVar[str] = __name__
    workers: int = 1
    """Ray workers, which train together, and draw and score item by item. 0: this process, without Ray."""
    threads: int | None = None
    """Threads of a training worker. None: as many CPUs as there are for each. Drawing has one thread a worker."""
    gpus: float = 1.0
    """GPUs of a worker that draws, where networks run on one; a part where several share it. Training has one each."""
    device: Literal["cpu", "cuda"] | None = None
    """Where networks run. None: a GPU where there is one."""

    def __post_init__(self) -> None:
        at_least(self, 0, "workers")
        at_least(self, 1, "threads")
        if not (0 < self.gpus <= 1 or self.gpus == int(self.gpus) > 0):
            raise ValueError(f"Resources.gpus must be a part of one, or a whole number, got {self.gpus}")


class Experiment(Staged):
    """A question asked of data: everything that decides its answer, and nothing else."""

    registry: ClassVar[str] = __name__
    stages: ClassVar[Mapping[str, str | None]] = {
        "dataset": "train",
        "model": "train",
        "objective": "train",
        "scheduler": "train",
        "training": "train",
        "seed": "train",
        "training.micro_batch": None,
        "sampler": "sample",
        "ensemble": "sample",
        "ensemble.chunk": None,
        "ensemble.store": None,
        "ensemble.members": "score",
        "scoring": "score",
    }
    name: str
    dataset: Dataset
    model: Model
    objective: Objective
    scheduler: Scheduler | None = None
    sampler: Sampler | None = None
    training: Training = Training()
    ensemble: Ensemble = Ensemble()
    scoring: Scoring = Scoring()
    resources: Resources = Resources()
    seed: int = 0
    aim: Literal["runs"] | None = "runs"
    """Where the run is shown in Aim: in the repository of all runs, beside them. None: nowhere."""

    def __post_init__(self) -> None:
        if not self.name or set(self.name) - set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"):
            raise ValueError(f"Experiment.name must be letters, digits, '_', '.' or '-', got {self.name!r}")
        self.objective.check(self)
