"""One pass over some cases: which to show, and spread and error cell by cell."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from wxexp.reports.material import Material

MOST_CASES = 64
MOST_CELLS = 4_000
"""Cells per case and variable that are kept for the spread-skill plot; memory is bounded by both."""


@dataclasses.dataclass(frozen=True)
class Survey:
    """What a pass found.

    Attributes:
        picks: places of the cases of median and of largest spread (one where there is one case or one member).
        pairs: variable -> ensemble variance, squared error of the mean, area weight, each [case, cell]; empty without truth or for one
            member.
        cases: number of cases read.
        widest: variable -> flat place of the cell, among those kept, with the largest mean ensemble variance over cases; without those
            variables of which no cell always has data, and empty for one member.
    """

    picks: tuple[int, ...]
    pairs: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]]
    cases: int
    widest: Mapping[str, int] = dataclasses.field(default_factory=dict)


def survey(material: Material, *, lead: float | None, most_cases: int = MOST_CASES, most_cells: int = MOST_CELLS) -> Survey:
    """Reads at most `most_cases` evenly spread cases at one lead time, one after the other.

    The spread of a case is the area mean of the variance, divided by its mean over cases and averaged over variables. Of more than
    `most_cells` cells every n-th is kept, in the flattened field, with n having no factor in common with the width, so that no column is
    preferred.
    """
    places = np.unique(np.linspace(0, len(material.items) - 1, min(most_cases, len(material.items))).round().astype(int))
    area = material.grid.area().ravel()
    step = _stride(area.size, most_cells, material.grid.shape[-1])
    variance: dict[str, list[np.ndarray]] = {name: [] for name in material.units}
    error: dict[str, list[np.ndarray]] = {name: [] for name in material.units}
    size = np.zeros((len(material.units), len(places)))
    total = {name: np.zeros(len(area[::step])) for name in material.units}
    for c, place in enumerate(places):
        for v, name in enumerate(material.units):
            members = material.ensemble(int(place), name, lead).reshape(material.size, -1).astype(np.float64)
            truth = material.field(material.truth, int(place), name, lead)
            if material.size == 1:
                if truth is not None:
                    size[v, c] = np.nanmean((members[0] - truth.ravel()) ** 2 * area)
                continue
            spread = members.var(axis=0, ddof=1)
            size[v, c] = np.nanmean(spread * area)
            total[name] += spread[::step]
            if truth is not None:
                variance[name].append(spread[::step])
                error[name].append(((members.mean(axis=0) - truth.ravel()) ** 2)[::step])
    scale = size.mean(axis=1, keepdims=True)
    overall = np.divide(size, scale, out=np.zeros_like(size), where=scale > 0).mean(axis=0)
    order = np.argsort(overall, kind="stable")
    picks = tuple(dict.fromkeys(int(places[i]) for i in (order[(len(order) - 1) // 2], order[-1])))
    pairs = {
        name: (np.stack(variance[name]), np.stack(error[name]), np.broadcast_to(area[::step], (len(error[name]), len(area[::step]))))
        for name in material.units
        if error[name]
    }
    widest = {name: int(np.nanargmax(x)) * step for name, x in total.items() if material.size > 1 and np.isfinite(x).any()}
    return Survey(picks, pairs, len(places), widest)


def _stride(cells: int, most: int, width: int) -> int:
    step = max(1, -(-cells // most))
    while step > 1 and np.gcd(step, width) > 1:
        step += 1
    return step
