"""Regression: one field, the conditional mean or median, with no distribution around it."""

from __future__ import annotations

import dataclasses
from typing import Literal

import torch
from torch import Tensor

from wxexp.experiment import Experiment
from wxexp.fields.seeds import Draws
from wxexp.interfaces import Batch, Inputs, Learner, Loss, Parts, Sampler, Step
from wxexp.objectives.weighted import WeightedObjective, refuse_sampling


class Regression(WeightedObjective):
    """A deterministic model of the target given the condition; its members are all equal. Needs neither scheduler nor sampler."""

    loss: Literal["mse", "mae"] = "mse"
    """Squared errors learn the conditional mean, absolute ones the median."""

    def check(self, experiment: Experiment) -> None:
        refuse_sampling(experiment)

    def build(self, parts: Parts) -> RegressionLearner:
        return RegressionLearner(self, parts)


class RegressionLearner(Learner):
    """A network that sees the condition only."""

    def __init__(self, spec: Regression, parts: Parts) -> None:
        super().__init__()
        self.loss = spec.loss
        self.mean = spec.mean(parts)
        self.network = parts.model.build(dataclasses.replace(parts.ports, target=0, level=0), parts.parent)

    def forward(self, batch: Batch, step: Step) -> Loss:
        """NaN in masked cells of the target is harmless."""
        assert batch.target is not None, "training needs truth"
        difference = self.network(None, Inputs.of(batch)) - torch.where(batch.mask, batch.target, 0.0)
        error = self.mean(difference.square() if self.loss == "mse" else difference.abs(), batch)
        return Loss(error, error=error)

    def members(self, batch: Batch, draws: Draws, sampler: Sampler | None) -> Tensor:
        """[B, M, C, *S] float32, the same field M times; masked cells 0."""
        field = torch.where(batch.mask, self.network(None, Inputs.of(batch)), 0.0)
        return field[:, None].expand(-1, len(draws.rows) // len(batch), *field.shape[1:])
