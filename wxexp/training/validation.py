"""What is measured while training: loss by noise level on fixed draws, and scores of sampled members.

With M members x_m of truth y, averaged over validation times and valid cells with area weights:

    fair CRPS     mean |x_m - y| - sum_{m,n} |x_m - x_n| / (2 M (M - 1))                      Ferro 2014
    spread-skill  sqrt((M + 1) / M * mean var_m(x)) / RMSE, var with M - 1                    Fortin et al. 2014, equation 15
    RMSE          of the mean of the members

in physical units per variable. "crps" without a variable, the criterion by which checkpoints are compared, is the mean over variables of
the fair CRPS divided by the standard deviation of the truth over the same times and cells (by 1 where that is zero), so that units do not
weigh.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from wxexp.experiment import Validation
from wxexp.fields.seeds import Draws
from wxexp.interfaces import Batch, Group, Item, Learner, Loss, Opened, Step
from wxexp.schedulers.adaptive import AdaptiveSchedule

LEVELS = 64
"""Noise levels that the loss is measured at, at least: with fewer validation times, each is used several times."""
BIN = 2.0
"""Width in log-SNR of a bin of noise levels."""


@dataclasses.dataclass(frozen=True)
class Scores:
    """What a validation found.

    Attributes:
        metrics: "loss"; "crps" where members were drawn; "criterion", the one of them that decides: lower is better.
        rows: (values, context) for a tracker.
    """

    metrics: Mapping[str, float]
    rows: Sequence[tuple[Mapping[str, float], Mapping[str, Any]]]


@torch.no_grad()
def validate(learner: Learner, opened: Opened, validation: Validation, *, seed: int, number: int, device: torch.device) -> Scores:
    """Scores of a learner in evaluation mode; the same draws every time, so that two validations differ by the weights only.

    Args:
        learner: with the weights that members are drawn with.
        opened: its dataset, with truth at validation times.
        validation: what to measure.
        seed: of the experiment.
        number: optimiser steps done.
        device: of the learner.

    Raises:
        ValueError: there are no validation times.
        FloatingPointError: a loss, or a member in a valid cell, is not finite.
    """
    items = _spread(opened.items("valid"), validation.items)
    loss, rows = _losses(learner, opened, items, validation, seed=seed, number=number, device=device)
    metrics = {"loss": loss, "criterion": loss}
    if validation.members:
        scores = _members(learner, opened, items, validation, seed=seed, number=number, device=device)
        crps = sum(score["crps"] / (score.pop("std") or 1.0) for score in scores.values()) / len(scores)
        metrics |= {"crps": crps, "criterion": crps}
        rows += [(score, {"subset": "valid", "variable": name}) for name, score in scores.items()]
    head = {name: value for name, value in metrics.items() if name != "criterion"}
    return Scores(metrics, [(head, {"subset": "valid"}), *rows])


def densities(learner: Learner) -> list[tuple[Mapping[str, float], Mapping[str, Any]]]:
    """What density in log-SNR a schedule that adapts draws noise levels with now, by bins half as wide as those of losses.

    A bin that the range ends in has the density of the part inside, and the middle of that.
    """
    rows: list[tuple[Mapping[str, float], Mapping[str, Any]]] = []
    for schedule in (module for module in learner.modules() if isinstance(module, AdaptiveSchedule)):
        edges, density = (x.numpy() for x in schedule.density())
        below = np.concatenate([[0.0], np.cumsum(density * np.diff(edges))])
        between = np.arange(math.floor(edges[0] * 2 / BIN) + 1, math.ceil(edges[-1] * 2 / BIN)) * BIN / 2
        for low, high in itertools.pairwise([edges[0], *between, edges[-1]]):
            inside = np.diff(np.interp([low, high], edges, below))[0]
            rows.append(({"density": float(inside / (high - low))}, {"subset": "train", "gamma": float((low + high) / 2)}))
    return rows


def _spread(items: Sequence[Item], number: int | None) -> list[Item]:
    if not items:
        raise ValueError("the dataset has no validation times, which Training.validation needs")
    number = min(number or len(items), len(items))
    return [items[i * len(items) // number] for i in range(number)]


def _batches(opened: Opened, items: Sequence[Item], size: int, device: torch.device) -> Iterator[tuple[range, Batch]]:
    for first in range(0, len(items), size):
        places = range(first, min(first + size, len(items)))
        yield places, opened.read([items[i] for i in places]).to(device)


def _losses(
    learner: Learner, opened: Opened, items: Sequence[Item], validation: Validation, *, seed: int, number: int, device: torch.device
) -> tuple[float, list[tuple[Mapping[str, float], Mapping[str, Any]]]]:
    """Mean loss, and rows by bin of log-SNR; the phase is the last one, that of the network which draws members."""
    phase = learner.phases()[-1].name
    passes = math.ceil(LEVELS / len(items))
    found: list[Loss] = []
    for index in range(passes):
        for places, batch in _batches(opened, items, validation.batch_size, device):
            keys = [index * len(items) + place for place in places]
            draws = Draws(tuple((seed, "valid", key) for key in keys), batch_size=passes * len(items)).of(phase)
            found.append(learner.validate(batch, Step(number=number, phase=phase, group=Group(), world=Group(), draws=draws)))
        if found[-1].gamma is None:
            break  # without a noise level there is one loss per time
    loss = Loss.concatenate(found)
    mean = float(loss.per_sample.double().mean())
    if not math.isfinite(mean):
        raise FloatingPointError(f"the validation loss is not finite at step {number}")
    rows: list[tuple[Mapping[str, float], Mapping[str, Any]]] = []
    if loss.gamma is not None:
        bins = torch.floor(loss.gamma.double() / BIN)
        for low in sorted(set(bins.tolist())):
            inside = bins == low
            values = {"loss": float(loss.per_sample[inside].double().mean())}
            if loss.error is not None:
                values["error"] = float(loss.error[inside].double().mean())
            rows.append((values, {"subset": "valid", "gamma": (low + 0.5) * BIN}))
    return mean, rows


def _members(
    learner: Learner, opened: Opened, items: Sequence[Item], validation: Validation, *, seed: int, number: int, device: torch.device
) -> dict[str, dict[str, float]]:
    """crps, spread_skill (absent where the error is zero), rmse, and std of the truth, by variable."""
    codec, m = learner.codec, validation.members
    assert codec is not None, "training.build gives a learner its codec"
    total: Tensor | float = 0.0
    for _, batch in _batches(opened, items, validation.batch_size, device):
        draws = Draws.drawing(seed, list(batch.time)).members(range(m)).of("lead", 0)
        drawn = learner.members(batch, draws, validation.sampler).flatten(0, 1)
        physical = codec.decode(drawn, batch.repeat(m)).double()
        members = physical.reshape(len(batch), m, *physical.shape[1:])
        assert batch.target is not None, "validation times have truth"
        truth = codec.decode(batch.target, batch).double()
        mask = batch.mask.expand_as(truth)
        if bool((~torch.isfinite(members) & mask[:, None]).any()):
            raise FloatingPointError(f"members drawn in the validation at step {number} are not finite")
        weights = mask * batch.area.double()[:, None]
        total = total + _sums(torch.where(mask, truth, 0.0), torch.where(mask[:, None], members, 0.0), weights)
    assert isinstance(total, Tensor)
    weight, crps, variance, square, first, second = (total / total[0]).cpu()
    scores = {}
    for i, name in enumerate(codec.targets):
        score = {"crps": float(crps[i]), "rmse": math.sqrt(square[i]), "std": math.sqrt(max(second[i] - first[i] ** 2, 0.0))}
        if square[i] > 0:
            score["spread_skill"] = math.sqrt((m + 1) / m * variance[i] / square[i])
        scores[name] = score
    return scores


def _sums(truth: Tensor, members: Tensor, weights: Tensor) -> Tensor:
    """[B, C, *S], [B, M, C, *S], [B, C, *S] -> float64 [6, C]: weight, fair CRPS, variance, squared error of the mean, y, y^2."""
    m = members.shape[1]
    ordered = members.sort(dim=1).values
    rank = torch.arange(1, m + 1, dtype=torch.float64, device=members.device).view(1, m, *[1] * (truth.ndim - 1))
    spread = ((2 * rank - m - 1) * ordered).sum(1) / (m * (m - 1))  # sum_{m,n} |x_m - x_n| / (2 M (M - 1)), from order statistics
    crps = (members - truth[:, None]).abs().mean(1) - spread
    error = members.mean(1) - truth
    quantities = (torch.ones_like(truth), crps, members.var(1), error**2, truth, truth**2)
    return torch.stack([(weights * q).transpose(0, 1).flatten(1).sum(1) for q in quantities])
