"""Tomorrow is as today, only nearer to what is usual."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

import numpy as np

from wxexp.fields.seasons import annual_cycle, day_of_year
from wxexp.fields.seeds import Draws
from wxexp.interfaces import Baseline, Evolving, Item, Opened

BATCH = 32
"""States read at a time."""


class DampedPersistence(Baseline):
    """x̂(t + l) = m + r_l (x(t) − m) in every cell, M = 1. NaN where masked (Wilks 2019, section 10.3; Murphy 1992).

    m is the mean of the training times and r_l the correlation of states l steps apart, so that it has the least squared error of all
    forecasts that are linear in the cell's present state, for a stationary climate. With `harmonics` m is an annual cycle of so many
    waves, of the initial time and of the time that is forecast.
    """

    harmonics: int = 0

    def __post_init__(self) -> None:
        if self.harmonics < 0:
            raise ValueError(f"DampedPersistence.harmonics must be at least 0, got {self.harmonics}")

    def fit(self, opened: Opened) -> Mapping[str, np.ndarray]:
        """Of training times: "cycle" float64 [1 + 2 · harmonics, C, *S] and "correlation" float64 [lead, C, *S], 0 in constant cells."""
        items, found = opened.items("train"), _evolving(opened)
        waves = np.stack([annual_cycle(day_of_year(item.time), self.harmonics) for item in items])
        total = sum(np.einsum("nk,n...->k...", waves[at], x) for at, x in _states(found, items, range(len(items))))
        shape = np.asarray(total).shape
        cycle = (np.linalg.pinv(waves.T @ waves) @ np.asarray(total).reshape(shape[0], -1)).reshape(shape)
        place, step = {item.index: i for i, item in enumerate(items)}, _step(items)
        out = []
        for lead in range(1, _leads(opened) + 1):
            chains = ([place.get(item.index + n * step) for n in range(lead + 1)] for item in items)
            pairs = [(chain[0], chain[-1]) for chain in chains if None not in chain]
            if len(pairs) < 2:
                hours = lead * items[0].lead_hours
                raise ValueError(f"DampedPersistence needs at least 2 pairs of training times {hours:g} hours apart, got {len(pairs)}")
            out.append(_correlation(found, items, pairs, waves, cycle))
        return {"cycle": cycle, "correlation": np.stack(out)}

    def members(self, fitted: Mapping[str, np.ndarray], opened: Opened, item: Item, leads: int, draws: Draws) -> np.ndarray:
        if leads > len(fitted["correlation"]):
            raise ValueError(f"DampedPersistence is fitted for {len(fitted['correlation'])} leads, {leads} are forecast")
        state = _evolving(opened).state([item]).numpy()[0].astype(np.float64)
        usual = [self._usual(fitted, item, lead) for lead in range(leads + 1)]
        damped = [usual[l] + fitted["correlation"][l - 1] * (state - usual[0]) for l in range(1, leads + 1)]
        return np.stack(damped)[None].astype(np.float32)

    def _usual(self, fitted: Mapping[str, np.ndarray], item: Item, lead: int) -> np.ndarray:
        waves = annual_cycle(day_of_year(item.time, hours=lead * item.lead_hours), self.harmonics)
        return np.asarray(np.einsum("k,k...->...", waves, fitted["cycle"]))


def _evolving(opened: Opened) -> Evolving:
    if not isinstance(opened, Evolving):
        raise ValueError(
            f"baseline DampedPersistence needs an initial state, which {type(opened).__name__.removeprefix('Opened')} does not have"
        )
    return cast(Evolving, opened)


def _states(found: Evolving, items: Sequence[Item], places: Sequence[int | None]) -> Iterator[tuple[list[int], np.ndarray]]:
    """(places in `items`, states float64 [n, C, *S]), some at a time."""
    for start in range(0, len(places), BATCH):
        at = [int(place) for place in places[start : start + BATCH] if place is not None]
        yield at, found.state([items[i] for i in at]).numpy().astype(np.float64)


def _correlation(
    found: Evolving, items: Sequence[Item], pairs: Sequence[tuple[int | None, int | None]], waves: np.ndarray, cycle: np.ndarray
) -> np.ndarray:
    """Of anomalies of the first and the second of each pair, [C, *S]."""
    sums: np.ndarray | float = 0.0
    befores, afters = ([pair[side] for pair in pairs] for side in (0, 1))
    for (i, x), (j, y) in zip(_states(found, items, befores), _states(found, items, afters), strict=True):
        a, b = (field - np.einsum("nk,k...->n...", waves[at], cycle) for at, field in ((i, x), (j, y)))
        sums = sums + np.stack([part.sum(axis=0) for part in (a, b, a * a, b * b, a * b)])
    a, b, aa, bb, ab = np.asarray(sums) / len(pairs)
    with np.errstate(divide="ignore", invalid="ignore"):
        r = (ab - a * b) / np.sqrt((aa - a * a) * (bb - b * b))
    return np.where(np.isfinite(r), np.clip(r, -1.0, 1.0), 0.0)


def _leads(opened: Opened) -> int:
    """Steps that there is truth for."""
    for split in ("test", "valid", "train"):
        for item in opened.items(split)[:1]:
            truth = opened.truth(item)
            assert truth is not None, "items have truth"
            return int(truth.sizes.get("lead_time", 1))
    raise ValueError("there is no time to forecast")


def _step(items: Sequence[Item]) -> int:
    """A step of the forecast in times of the source, from the shortest time between two that follow each other."""
    hours = []
    for one, other in zip(items, items[1:], strict=False):
        if other.index == one.index + 1 and one.time[:7] == other.time[:7]:  # in one month any calendar counts the same
            hours.append(_hours(other.time) - _hours(one.time))
    if not hours:
        raise ValueError("DampedPersistence needs training times that follow each other")
    return max(1, round(items[0].lead_hours / min(hours)))


def _hours(time: str) -> float:
    """Since the beginning of the month."""
    day, *clock = (float(part) for part in re.findall(r"[\d.]+", time[8:]))
    return 24.0 * day + sum((part / 60**n for n, part in enumerate(clock)), start=0.0)
