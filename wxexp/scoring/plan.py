"""What is to be scored: sources, variables, leads, groups and cases, as plain values that travel to workers and stay in the results."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypedDict

from wxexp.config import to_tree
from wxexp.config.tree import TYPE, defaults
from wxexp.experiment import Experiment
from wxexp.interfaces import Metric, Statistic
from wxexp.statistics.cells import label

FORECAST = "forecast"


class Case(TypedDict):
    """An initial time."""

    index: int
    time: str
    lead_hours: float


class Plan(TypedDict):
    """Everything that decides what the sums of a run mean; `leads` is [None] where there is no lead."""

    sources: list[str]
    variables: list[str]
    units: list[str]
    leads: list[float | None]
    groups: list[str]
    cases: list[Case]
    statistics: list[str]


class Tree(TypedDict):
    """What a worker is told, in plain values.

    Keys:
        experiment: its tree.
        plan: what is scored.
        members: path of members.zarr.
        fitted: folder of the baselines' fitted arrays.
        imports: packages to import first, whose components the experiment uses.
    """

    experiment: dict[str, Any]
    plan: Plan
    members: str
    fitted: str
    imports: list[str]


def statistics(experiment: Experiment) -> dict[str, Statistic]:
    """Every statistic that some metric needs, once, by its name in the results."""
    return needed(experiment.scoring.metrics)


def needed(metrics: Mapping[str, Metric]) -> dict[str, Statistic]:
    """The same, of any metrics."""
    return {name_of(statistic): statistic for metric in metrics.values() for statistic in metric.needs()}


def name_of(statistic: Statistic) -> str:
    """`errors`, or `spectrum_window_none` where a field is not its default; `exceedances_thresholds_1_5` with a field of several values."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(statistic).__name__).lower()
    default = {name: to_tree(value) for name, value in defaults(type(statistic)).items()}
    own = {name: value for name, value in to_tree(statistic).items() if name != TYPE and value != default.get(name)}
    return "_".join([snake, *(f"{name}_{_text(value)}" for name, value in own.items())])


def _text(value: object) -> str:
    if isinstance(value, list):
        return "_".join(_text(each) for each in value)
    return label(value) if isinstance(value, float) else str(value)
