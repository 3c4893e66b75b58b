"""Indices of whole series, which are no sums of cases: of every member's daily values in every cell, against those of the truth.

Days are read once, in time order, some at a time; what is kept are the indices of each year.
"""

from __future__ import annotations

import datetime
import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np
import xarray as xr

from wxexp.scoring.cases import instant
from wxexp.scoring.sources import Forecasts, Truth
from wxexp.scoring.units import conversion
from wxexp.statistics.crps import crps
from wxexp.statistics.daily_indices import INDICES, DailyIndices
from wxexp.statistics.gev import gev_lmoments, return_levels

BLOCK = 1 << 23
"""Values of members read at a time: 32 MiB."""


def climate_indices(
    truth: xr.Dataset,
    members: xr.Dataset,
    *,
    variable: str,
    wet: float | None = None,
    return_periods: Sequence[float] = (),
) -> xr.Dataset:
    """Annual indices of daily precipitation and return levels of its annual maxima, of each member and of the truth.

    A member is a series: where members of different days are drawn independently of each other, as in downscaling day by day, spells are
    those of such series. Years are those of the calendar, with the days that the members have, and one of a few days is a year like
    others, so give whole ones; a gap ends a spell.

    Args:
        truth: dims (time, *S), as `wxexp.score` takes it; may have other times too.
        members: dims (time[, member], *S), daily, in any order of times.
        variable: a daily amount.
        wet: what a wet day has at least, in the truth's units. None: 1 mm, where the units are known.
        return_periods: in years, of maxima of one day; the GEV of each cell needs at least 3 years, and tells little from fewer than 20.

    Returns:
        `rx1day`, `cdd`, `cwd`, `wet_days` and `sdii` (see `DailyIndices`) [member, year, *S], those of the truth [year, *S] by
        `rx1day_truth`, and by `rx1day_crps` [*S] the mean over years of the fair CRPS, of one member its absolute error. With return
        periods also `return_level` [member, period, *S], `return_level_truth` and `return_level_crps` [period, *S]. NaN in cells with a
        missing day, and of `sdii` with a year without a wet day.

    Raises:
        ValueError: for what cannot be matched, members with leads, times that are not daily, units in which 1 mm is not known, and too few
            years.
    """
    source = Truth(truth)
    forecast = Forecasts(members, source, [variable], "the members")
    if forecast.variables != [variable]:
        raise ValueError(f"{variable} has levels, of which one has to be given: {', '.join(forecast.variables)}")
    if forecast.hours is not None or source.hours is not None:
        raise ValueError("indices are of series of days, and these have lead times: select one lead and give valid times")
    order = np.argsort(forecast.times)
    times = forecast.times[order]
    steps, wet = _steps(times), _millimetre(forecast.units[0]) if wet is None else wet
    labels = [instant(time) for time in times]
    if lost := [label for label in labels if label not in source.known]:
        raise ValueError(f"the truth lacks {', '.join(lost[:3])}{' and more' if len(lost) > 3 else ''}, which the members have")
    shape = tuple(source.data.sizes[dim] for dim in forecast.dims)
    places = [(source.known[label], int(place)) for label, place in zip(labels, order, strict=True)]
    days = zip(labels, [0.0, *steps], _days(source, forecast, places), strict=True)
    years, annual = [], []
    for year, of_year in itertools.groupby(days, key=lambda day: int(day[0][: day[0].index("-", 1)])):
        indices = DailyIndices(shape, wet=wet), DailyIndices((forecast.count, *shape), wet=wet)
        for _, step, fields in of_year:
            for each, field in zip(indices, fields, strict=True):
                each.add(field, follows=step == 1)
        years.append(year)
        annual.append([each.values() for each in indices])
    out = xr.Dataset(
        coords={
            **{name: x for name, x in source.data.coords.items() if x.dims and set(x.dims) <= set(forecast.dims)},
            **({"member": forecast.data["member"]} if "member" in forecast.data.coords else {}),
            "year": years,
        },
        attrs={"variable": variable, "wet": wet},
    )
    units = {name: forecast.units[0] if name in ("rx1day", "sdii") else "days" for name in INDICES}
    for name in INDICES:
        y, x = (np.stack([pair[i][name] for pair in annual], axis=i) for i in (0, 1))
        _put(out, name, "year", y, x, forecast.dims, units[name])
        out[f"{name}_crps"] = out[f"{name}_crps"].mean("year", skipna=False, keep_attrs=True)
    if return_periods:
        maxima = np.moveaxis(out["rx1day"].values, 1, 0)
        y, x = (return_levels(gev_lmoments(each), return_periods) for each in (out["rx1day_truth"].values, maxima))
        out.coords["period"] = ("period", [float(period) for period in return_periods], {"units": "years"})
        _put(out, "return_level", "period", y, np.moveaxis(x, 1, 0), forecast.dims, units["rx1day"])
    return out


def _days(truth: Truth, members: Forecasts, places: Sequence[tuple[int, int]]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Truth [*S] and members [member, *S] of each day, from their places in both."""
    (variable,), shape = members.variables, [truth.data.sizes[dim] for dim in members.dims]
    block = max(1, BLOCK // (members.count * math.prod(shape)))
    for start in range(0, len(places), block):
        few = places[start : start + block]
        y = truth.read(variable, [(place, None) for place, _ in few], members.dims).astype(np.float32)
        x = members.members(variable, [(place, None) for _, place in few])
        yield from zip(y, x.swapaxes(0, 1), strict=True)


def _put(out: xr.Dataset, name: str, dim: str, truth: np.ndarray, members: np.ndarray, dims: Sequence[str], units: str) -> None:
    """An index of truth [dim, *S] and members [member, dim, *S], with its CRPS."""
    score = crps(truth, members, estimator="fair" if len(members) > 1 else "biased")
    for key, values, own in (
        (name, members, ("member", dim, *dims)),
        (f"{name}_truth", truth, (dim, *dims)),
        (f"{name}_crps", score, (dim, *dims)),
    ):
        out[key] = (own, values.astype(np.float32), {"units": units})


def _millimetre(units: str) -> float:
    """1 mm of a day, in these units."""
    found = conversion("mm d-1", units) or conversion("mm", units)
    if found is None:
        raise ValueError(f"what a wet day has is 1 mm, which is not known in {units or 'no units'}: give wet")
    return found[0]


def _steps(times: np.ndarray) -> np.ndarray:
    """Days from each time to the next; ValueError unless they are whole, and mostly one."""
    if times.dtype.kind not in "MO":
        raise ValueError(f"times must be dates, got values of type {times.dtype}")
    day = np.timedelta64(1, "D") if times.dtype.kind == "M" else datetime.timedelta(days=1)
    steps = np.array([float(step / day) for step in np.diff(times)])
    if len(steps) and not ((steps % 1 == 0).all() and np.median(steps) == 1):
        raise ValueError(
            f"indices are of daily values, got times {', '.join(f'{24 * step:g}' for step in np.unique(steps)[:3])} hours apart"
        )
    return steps
