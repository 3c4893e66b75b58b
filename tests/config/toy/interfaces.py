"""Base class of every kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from wxexp.config import Spec

if TYPE_CHECKING:  # fine for methods; types of fields are imported at run time
    from toy.experiment import Experiment


class Dataset(Spec):
    registry: ClassVar[str] = "toy.datasets"


class Model(Spec):
    registry: ClassVar[str] = "toy.models"


class Objective(Spec):
    registry: ClassVar[str] = "toy.objectives"

    def check(self, experiment: Experiment) -> None:
        """Refuse an experiment this objective cannot learn."""


class Levels(Spec):
    registry: ClassVar[str] = "toy.levels"


class Sampler(Spec):
    registry: ClassVar[str] = "toy.samplers"
    steps: int
    levels: Levels
    terminal: Literal["denoise", "keep"] = "denoise"

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ValueError(f"{type(self).__name__}.steps must be at least 1, got {self.steps}")


class Metric(Spec):
    registry: ClassVar[str] = "toy.metrics"
