"""What objectives that compare fields share: weights of variables and of cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Literal

import torch
from torch import Tensor, nn

from wxexp.config.tree import suggest
from wxexp.experiment import Experiment
from wxexp.fields.means import masked_mean
from wxexp.interfaces import Batch, Objective, Parts


class WeightedObjective(Objective):
    """Errors are averaged over valid cells by area and by variable."""

    variable_weights: Mapping[str, float] = field(default_factory=dict)
    """Relative weights of target variables by name; 1 where not given."""
    area: Literal["area", "uniform"] = "area"
    """Whether a cell counts by its area or every cell the same."""

    def __post_init__(self) -> None:
        for name, weight in self.variable_weights.items():
            if weight < 0:
                raise ValueError(f"{type(self).__name__}.variable_weights.{name} must be at least 0, got {weight}")

    def mean(self, parts: Parts) -> FieldMean:
        """The mean over a sample, for the dataset of `parts`."""
        targets = parts.opened.codec.targets
        for name in self.variable_weights:
            if name not in targets:
                raise ValueError(f"{type(self).__name__}.variable_weights has no target variable {name!r}{suggest(name, targets)}")
        if self.variable_weights and parts.ports.out != len(targets):
            raise ValueError(
                f"{type(self).__name__}.variable_weights cannot weight {parts.ports.out} channels that are not target variables"
            )
        weights = [self.variable_weights.get(name, 1.0) for name in targets] if self.variable_weights else [1.0] * parts.ports.out
        if not sum(weights):
            raise ValueError(f"{type(self).__name__}.variable_weights must leave a target variable with a weight above 0")
        return FieldMean(weights, by_area=self.area == "area")


class FieldMean(nn.Module):
    """The masked, weighted mean of a field of errors over each sample of a batch."""

    weights: Tensor

    def __init__(self, weights: list[float], *, by_area: bool) -> None:
        super().__init__()
        self.register_buffer("weights", torch.tensor(weights), persistent=False)
        self.by_area = by_area

    def forward(self, x: Tensor, batch: Batch) -> Tensor:
        """[B, C, *S] -> [B]."""
        return masked_mean(x, mask=batch.mask, area=batch.area if self.by_area else None, weights=self.weights)


def refuse_sampling(experiment: Experiment) -> None:
    """Refuses a scheduler and samplers, for objectives that draw nothing from noise; a ValueError names the first that is given."""
    validation = experiment.training.validation
    given = {
        "scheduler": experiment.scheduler,
        "sampler": experiment.sampler,
        "training.validation.sampler": validation and validation.sampler,
    }
    for name, value in given.items():
        if value is not None:
            objective = type(experiment.objective).__name__
            raise ValueError(f"{objective} has no use for a {name}: it must be None, got {type(value).__name__}")
