"""Truth and forecasts that were written by others, matched: which times, leads and variables are scored, and where each has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from wxexp.scoring.cases import instant
from wxexp.scoring.day_of_year import dated
from wxexp.scoring.plan import FORECAST
from wxexp.scoring.sources import Fields, Forecasts, Place, Say, Truth


class Pair:
    """Truth, members and references, matched.

    Attributes:
        sources: members and references by name, with the places of every case.
        places: of every case in the truth.
        times: initial times, in order.
        index: number of each, in the shortest step between two.
    """

    def __init__(
        self,
        truth: xr.Dataset,
        members: xr.Dataset,
        variables: Sequence[str] | None,
        references: Mapping[str, xr.Dataset],
        common: bool,
        say: Say,
    ) -> None:
        if FORECAST in references:
            raise ValueError(f"references cannot have an entry {FORECAST!r}, which names the members")
        if isinstance(variables, str):
            raise ValueError(f"variables must be names, such as [{variables!r}], got the text {variables!r}")
        self.truth = Truth(truth)
        own = Forecasts(members, self.truth, variables, "the members")
        self.variables, self.units, self.dims, self.count = own.variables, own.units, own.dims, own.count
        self.leads: list[float | None] = [None] if own.hours is None else [*own.hours]
        others = {}
        for name, data in references.items():
            what = f"the reference {name!r}"
            others[name] = Forecasts(dated(data, own.times, self.leads, what), self.truth, self.variables, what)
        order = sorted(range(len(own.times)), key=[instant(time) for time in own.times].__getitem__)
        every: list[Fields] = [self.truth, *others.values()]
        for each in every:
            order = _there(own, each, order, self.leads, common, say)
        times = own.times[order]
        self.times, self.index = [instant(time) for time in times], _index(times)
        self.places = _places(self.truth, times, self.leads)
        self.sources = {name: (each, _places(each, times, self.leads)) for name, each in {FORECAST: own, **others}.items()}

    def truth_of(self, case: int, name: str) -> np.ndarray:
        """float32 [lead, *S]."""
        return self.truth.read(name, self.places[case], self.dims).astype(np.float32, copy=False)


def _places(source: Fields, times: np.ndarray, leads: Sequence[float | None]) -> list[list[Place]]:
    steps = source.steps(leads)
    return [source.places(wanted, steps) for wanted in source.wanted(times, leads)]


def _there(own: Forecasts, other: Fields, order: list[int], leads: Sequence[float | None], common: bool, say: Say) -> list[int]:
    """The places of the times of the members that the other has too; ValueError for what it lacks, unless `common`."""
    wanted = other.wanted(own.times[order], leads)
    kept = [place for place, times in zip(order, wanted, strict=True) if all(time in other.known for time in times)]
    lost = sorted({time for times in wanted for time in times if time not in other.known})
    if not lost:
        return order
    if not kept and (common or not any(time in other.known for times in wanted for time in times)):
        first, last = min(min(times) for times in wanted), max(max(times) for times in wanted)
        name = other.what.removeprefix("the ")
        raise ValueError(f"{name} and members do not overlap: {min(other.known)} to {max(other.known)} and {first} to {last}")
    named = ", ".join(lost[:3]) + (f" and {len(lost) - 3} more" if len(lost) > 3 else "")
    if not common:
        raise ValueError(f"{other.what} lacks {named}, which the members have; `common` leaves such initial times out")
    say(f"{len(order) - len(kept)} of {len(order)} initial times are left out, because {other.what} lacks {named}")
    return kept


def _index(times: np.ndarray) -> list[int]:
    """Number of each time, in the shortest step between two; as they come where they are no dates."""
    if times.dtype.kind not in "MO" or len(times) < 2:
        return list(range(len(times)))
    gaps = np.diff(times)
    steps = np.array([gap / gaps.min() for gap in gaps])
    return [0, *np.rint(np.cumsum(steps)).astype(np.int64).tolist()]
