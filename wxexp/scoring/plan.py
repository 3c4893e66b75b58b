"""What is to be scored: sources, variables, leads, groups and cases, as plain values that travel to workers and stay in the results."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

import numpy as np

from wxexp.config import to_tree
from wxexp.config.tree import TYPE, defaults
from wxexp.experiment import Experiment
from wxexp.interfaces import Metric, Statistic
from wxexp.statistics.cells import label

FORECAST = "forecast"
BLOCK = 4
"""Cases in a block."""

WorkItem = tuple[int, int]
"""A source and a block of cases, by number."""

Coordinate = tuple[tuple[str, ...], np.ndarray, Mapping[str, str]]
"""Dims, values and attributes."""


class Case(TypedDict):
    """An initial time."""

    index: int
    time: str
    lead_hours: float


class Plan(TypedDict):
    """Everything that decides what the sums of a run mean.

    Keys:
        leads: in hours; [None] where there is no lead.
        groups: of cells; the first is all of them.
        selections: numbers of the cases of groups that have not all of them.
        cases: in time order.
        settings: what else of the experiment sums depend on, besides how members are drawn: their number, baselines and groups.
        maps: of the metrics that get maps beside those that every run has, their trees by name.
        block: consecutive cases in a work item, which is also the order maps are added up in, so it never depends on workers.
    """

    sources: list[str]
    variables: list[str]
    units: list[str]
    leads: list[float | None]
    groups: list[str]
    selections: NotRequired[dict[str, list[int]]]  # of scores of earlier versions there are none
    cases: list[Case]
    statistics: list[str]
    block: int
    settings: NotRequired[dict[str, Any]]
    maps: NotRequired[dict[str, Any]]


class Tree(TypedDict):
    """What a worker is told, in plain values.

    Keys:
        experiment: its tree.
        plan: what is scored.
        members: path of members.zarr; None: they are not stored.
        dims: names of those of space.
        coordinates: of the lead time and of space, as maps have them.
        fitted: folder of the baselines' fitted arrays.
        imports: packages to import first, whose components the experiment uses.
    """

    experiment: dict[str, Any]
    plan: Plan
    members: str | None
    dims: list[str]
    coordinates: dict[str, Coordinate]
    fitted: str
    imports: list[str]


def blocks(plan: Plan) -> list[range]:
    """The cases of each block."""
    cases, size = len(plan["cases"]), plan["block"]
    return [range(first, min(first + size, cases)) for first in range(0, cases, size)]


def work(plan: Plan) -> list[WorkItem]:
    """All work items: every source of a block before the next block."""
    return [(source, block) for block in range(len(blocks(plan))) for source in range(len(plan["sources"]))]


def settings(experiment: Experiment) -> dict[str, Any]:
    """As a plan has them."""
    tree = to_tree(experiment)
    return {"members": tree["ensemble"]["members"], **{name: tree["scoring"][name] for name in ("baselines", "groups")}}


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
