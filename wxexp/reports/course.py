"""How an ensemble goes on at one place: over the lead times of one case, or over cases in a row where there is one lead time at most."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from wxexp.fields.grid import Grid
from wxexp.interfaces import Item
from wxexp.reports.material import Material, at_lead, lead_hours
from wxexp.reports.survey import Survey
from wxexp.statistics.spacing import Spacing, instants

MOST_TIMES = 92
"""Of a run, the first, a season of days; of each, one cell is kept."""


@dataclasses.dataclass(frozen=True)
class Course:
    """Ensemble and truth at a place of each variable.

    Attributes:
        members: variable -> [M, point].
        truth: variable -> [point], NaN or left out where there is none.
        places: variable -> where its cell is, in words.
        items: the one case, or the case of each point.
        lead_hours: of each point of the one case; None for several.
    """

    members: Mapping[str, np.ndarray]
    truth: Mapping[str, np.ndarray]
    places: Mapping[str, str]
    items: Sequence[Item]
    lead_hours: np.ndarray | None = None


def over_leads(material: Material, place: int, names: Sequence[str]) -> Course:
    """Of the case at `place` of the items, at the cell in the middle of those with data."""
    assert material.members is not None
    hours = np.asarray(lead_hours(material.members["lead_time"].values), dtype=np.float64)
    members: dict[str, np.ndarray] = {}
    truth: dict[str, np.ndarray] = {}
    cells: dict[str, int] = {}
    real = material.truth(material.items[place]) if material.truth is not None else None
    for name in names:
        one = material.members[name].isel({material.time_axis: place, "member": 0}).transpose("lead_time", ...).values
        valid = np.isfinite(one).reshape(len(hours), -1).all(axis=0)
        if not valid.any():
            continue
        cells[name] = middle(material.grid, valid)
        members[name] = _cell(material, place, name, cells[name])
        if real is not None and name in real:
            fields = [np.asarray(at_lead(real[name], lead).values).reshape(-1) for lead in hours]
            truth[name] = np.array([field[cells[name]] for field in fields])
    return Course(members, truth, _places(material.grid, cells), (material.items[place],), lead_hours=hours)


def over_times(material: Material, found: Survey, names: Sequence[str]) -> Course:
    """Of a run of cases, see `longest_run`, at the cell where the spread is largest in the survey; read case by case."""
    times = instants([item.time for item in material.items], [item.index for item in material.items])
    chosen = longest_run(times, found.picks[-1])[:MOST_TIMES]
    cells = {name: found.widest[name] for name in names if name in found.widest}
    members = {name: np.stack([_cell(material, i, name, cell)[:, 0] for i in chosen], axis=1) for name, cell in cells.items()}
    truth = {name: np.full(len(chosen), np.nan) for name in cells}
    for point, i in enumerate(chosen if material.truth is not None else ()):
        assert material.truth is not None
        real = material.truth(material.items[i])
        for name, cell in cells.items():
            if real is not None and name in real:
                truth[name][point] = np.asarray(at_lead(real[name], material.leads[-1]).values).reshape(-1)[cell]
    return Course(members, truth, _places(material.grid, cells), [material.items[i] for i in chosen])


def longest_run(times: np.ndarray, favourite: int) -> np.ndarray:
    """Places of the longest run, cases whose times rise by their usual step (see `Spacing`).

    Of equally long ones it is that of the `favourite` place, else the first.
    """
    run = Spacing(times).runs()
    size = np.bincount(run)
    chosen = run[favourite] if size[run[favourite]] == size.max() else size.argmax()
    return np.flatnonzero(run == chosen)


def middle(grid: Grid, valid: np.ndarray) -> int:
    """Flat place of the valid cell nearest to the mean place of all of them, in cells, or in degrees where cells are scattered.

    On a ring it is the middle one of those that are valid.
    """
    at = np.flatnonzero(valid)
    if grid.kind == "ring":
        return int(at[len(at) // 2])
    if grid.kind == "cells":
        assert grid.lat is not None
        east = np.deg2rad(grid.lon[at])
        north = np.deg2rad(grid.lat[at])
        place = np.stack([np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)])
    else:
        place = np.stack(np.unravel_index(at, grid.shape)).astype(np.float64)
    return int(at[((place - place.mean(axis=1, keepdims=True)) ** 2).sum(axis=0).argmin()])


def _cell(material: Material, place: int, name: str, cell: int) -> np.ndarray:
    """[M, lead] of one case, one lead where it has none."""
    assert material.members is not None
    case = material.members[name].isel({material.time_axis: place})
    where = np.unravel_index(cell, material.grid.shape)
    found = case.isel(dict(zip(case.dims[-len(where) :], (int(i) for i in where), strict=True))).transpose("member", ...)
    return np.asarray(found.values).reshape(material.size, -1)


def _places(grid: Grid, cells: Mapping[str, int]) -> dict[str, str]:
    """Each variable and its place: "tasmax at 45.25° N, 79.5° W"."""
    return {name: f"{name} at {_place(grid, cell)}" for name, cell in cells.items()}


def _place(grid: Grid, cell: int) -> str:
    if grid.kind == "ring":
        return f"place {grid.lon[cell]:g}"
    assert grid.lat is not None
    if grid.kind == "latlon":
        row, column = np.unravel_index(cell, grid.shape)
        north, east = float(grid.lat[row]), float(grid.lon[column])
    else:
        north, east = float(grid.lat.ravel()[cell]), float(grid.lon.ravel()[cell])
    east = (east + 180) % 360 - 180
    return f"{abs(north):.2f}° {'N' if north >= 0 else 'S'}, {abs(east):.2f}° {'E' if east >= 0 else 'W'}"
