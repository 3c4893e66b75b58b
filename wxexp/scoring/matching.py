"""Times and places of datasets written by others, and which cell of one is which of the other.

Coordinates are matched by value, so that latitude may run either way and longitude from 0 or from -180; values that differ by more than
rounding are an error that shows the first.
"""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Sequence

import numpy as np
import xarray as xr

from wxexp.fields.grid import Grid
from wxexp.scoring.cases import instant

DEGREES = 1e-4
"""Latitudes and longitudes that differ by less are the same: float32 rounds 360 to 3e-5."""
RELATIVE = 1e-5
"""The same for other coordinates, of the largest."""
_SECONDS = {
    **dict.fromkeys(("hour", "hr", "h"), 3600.0),
    **dict.fromkeys(("day", "d"), 86400.0),
    **dict.fromkeys(("minute", "min"), 60.0),
    **dict.fromkeys(("second", "sec", "s"), 1.0),
    **{"millisecond": 1e-3, "microsecond": 1e-6, "nanosecond": 1e-9},
}


def labels(data: xr.Dataset, what: str) -> list[str]:
    """Its times in one spelling; ValueError where there are none, or one is there twice."""
    if "time" not in data.dims or "time" not in data.coords:
        raise ValueError(f"there is no time coordinate in {what}, whose dimensions are {', '.join(map(str, data.sizes))}")
    found = [instant(time) for time in data["time"].values]
    if twice := [time for time, after in itertools.pairwise(sorted(found)) if time == after]:
        raise ValueError(f"there is {twice[0]} twice in {what}")
    return found


def lead_hours(data: xr.Dataset, what: str) -> list[float]:
    """Its lead times: timedeltas, or numbers in their `units`, hours where they have none."""
    if "lead_time" not in data.coords:
        raise ValueError(f"there is a dimension lead_time without values in {what}")
    values = data["lead_time"].values
    if values.dtype.kind == "m":
        found = [float(v) for v in values / np.timedelta64(1, "h")]
    else:
        units = str(data["lead_time"].attrs.get("units", "hours")).lower()
        seconds = _SECONDS.get(units if len(units) == 1 else units.rstrip("s"))
        if seconds is None or values.dtype.kind not in "iuf":
            given = f"got units {units!r}" if seconds is None else f"got {str(values[0])!r}"
            raise ValueError(f"the lead times of {what} must be timedeltas or in hours, days, minutes or seconds, {given}")
        found = [round(float(v) * seconds / 3600.0, 9) for v in values]
    if not np.isfinite(found).all():
        raise ValueError(f"the lead time at place {int(np.isnan(found).argmax())} of {what} is missing")
    if len(set(found)) < len(found):
        raise ValueError(f"there is the lead of {next(lead for lead in found if found.count(lead) > 1):g} hours twice in {what}")
    return found


def after(time: object, hours: float) -> object:
    """The time `hours` after another, of the same calendar."""
    if isinstance(time, np.datetime64):
        return time.astype("datetime64[s]") + np.timedelta64(round(hours * 3600), "s")
    return time + datetime.timedelta(hours=hours)  # type: ignore[operator]


def valid(time: object, hours: float) -> str:
    """The same, spelt as by `instant`."""
    return instant(after(time, hours))


def grid(data: xr.Dataset, dims: Sequence[str], what: str) -> Grid:
    """Of the last dimensions: by latitude and longitude, where they are those; with latitudes where every cell has its own.

    Raises:
        ValueError: for latitudes that do not rise or fall, or are not in degrees.
    """
    shape = tuple(data.sizes[dim] for dim in dims)
    maps = [data[name].transpose(*dims) for name in ("lat", "lon") if name in data.coords and set(data[name].dims) == set(dims)]
    lat, lon = (np.asarray(x.values, np.float64) for x in maps) if len(maps) == 2 else (None, np.zeros(shape))
    if tuple(dims) != ("lat", "lon") and tuple(dims) != ("lat",):
        return Grid("projected" if len(dims) == 2 else "cells", lat, lon)
    if "lat" not in data.coords:
        raise ValueError(f"{what} has a dimension lat without values, by which cells are weighted")
    lat = np.asarray(data["lat"].values, np.float64)
    steps = np.diff(lat)
    if len(lat) > 1 and not ((steps > 0).all() or (steps < 0).all()):
        at = int((np.sign(steps) != np.sign(steps[0])).argmax()) if steps[0] else 0
        raise ValueError(f"the latitudes of {what} must rise or fall, got {lat[at]:.10g} and then {lat[at + 1]:.10g} at place {at + 1}")
    units = str(data["lat"].attrs.get("units", "degrees"))
    if (np.abs(lat) > 90.0 + DEGREES).any() or units.lower().startswith("rad"):
        raise ValueError(f"the latitudes of {what} must be degrees from -90 to 90, got {lat[0]:.10g} to {lat[-1]:.10g} {units}")
    lon = np.asarray(data["lon"].values, np.float64) if "lon" in dims and "lon" in data.coords else np.zeros(data.sizes.get("lon", 1))
    return Grid("latlon", lat, lon)


def order(truth: xr.Dataset, members: xr.Dataset, dims: Sequence[str], what: str = "the members") -> tuple[np.ndarray, ...]:
    """Where along each dimension of the members each place of the truth is.

    Args:
        truth: renamed.
        members: renamed.
        dims: of *S.
        what: the members are, in errors.

    Raises:
        ValueError: for a dimension of another size, and for places that are not the same.
    """
    for dim in dims:
        if truth.sizes[dim] != members.sizes[dim]:
            sizes = (f"{data.sizes[dim]} places{_range(data, dim)}" for data in (truth, members))
            raise ValueError("{} has {} in the truth and {} in {}".format(dim, *sizes, what))
    both = {dim: dim in truth.coords and dim in members.coords for dim in dims}
    found = tuple(_places(dim, truth[dim].values, members[dim].values, what) if both[dim] else np.arange(truth.sizes[dim]) for dim in dims)
    maps = [name for name in ("lat", "lon") if name not in dims and all(_of_cells(data, name, dims) for data in (truth, members))]
    if maps and (all(both.values()) or any(truth[name].ndim for name in maps)):  # latitude and longitude of every cell
        free = [(index,) if both[dim] else (index, index[::-1]) for dim, index in zip(dims, found, strict=True)]
        return _turned(truth, members, dims, maps, what, list(itertools.product(*free)))
    if not all(both.values()):
        dim = next(dim for dim in dims if not both[dim])
        raise ValueError(
            f"the truth and {what} cannot be matched along {dim}: not both have the coordinate {dim}, or lat and lon of every cell"
        )
    return found


def _of_cells(data: xr.Dataset, name: str, dims: Sequence[str]) -> bool:
    """Whether there is a coordinate by which cells are told apart, or that all share."""
    return name in data.coords and set(data[name].dims) in ({*dims}, set())


def _places(dim: str, truth: np.ndarray, members: np.ndarray, what: str) -> np.ndarray:
    """By nearest value; each is used once where all agree, because places of the truth differ by more than rounding.

    Whole numbers, such as those of stations, must be the same, and so must names.
    """
    if truth.dtype.kind not in "iuf" or members.dtype.kind not in "iuf":
        return _named(dim, [str(name) for name in truth], [str(name) for name in members], what)
    y, x = np.asarray(truth, np.float64), np.asarray(members, np.float64)
    if dim == "lon":  # a little below 0 is 0 and not 360
        y, x = (y + 10 * DEGREES) % 360.0, (x + 10 * DEGREES) % 360.0
    whole = dim != "lon" and truth.dtype.kind in "iu" and members.dtype.kind in "iu"
    tolerance = 0.0 if whole else _tolerance(dim, y)
    own = np.argsort(y, kind="stable")
    if (same := np.flatnonzero(np.diff(y[own]) <= tolerance)).size:
        first, second = sorted(int(i) for i in own[same[0] : same[0] + 2])
        raise ValueError(f"{dim} of the truth has one place twice: {truth[first]:.10g} at {first} and {truth[second]:.10g} at {second}")
    ranks = np.argsort(x, kind="stable")
    right = np.searchsorted(x[ranks], y).clip(1, max(len(x) - 1, 1)) if len(x) > 1 else np.zeros(len(y), dtype=np.int64)
    left = np.maximum(right - 1, 0)
    nearest = ranks[np.where(np.abs(x[ranks[left]] - y) <= np.abs(x[ranks[right]] - y), left, right)]
    differs = ~(np.abs(x[nearest] - y) <= tolerance)
    if differs.any():
        i = int(differs.argmax())
        raise ValueError(f"{dim} of the truth and of {what} differ: {truth[i]:.10g} at place {i}, nearest {members[nearest[i]]:.10g}")
    return np.asarray(nearest)


def _named(dim: str, truth: Sequence[str], members: Sequence[str], what: str) -> np.ndarray:
    """By name, which each place must have alone."""
    for names, of in ((truth, "the truth"), (members, what)):
        places: dict[str, int] = {}
        for place, name in enumerate(names):
            if places.setdefault(name, place) != place:
                raise ValueError(f"{dim} of {of} has one place twice: {name} at {places[name]} and {name} at {place}")
    # `places` are those of the members
    for place, name in enumerate(truth):
        if name not in places:
            raise ValueError(f"{dim} of the truth and of {what} differ: {name} at place {place} is not there")
    return np.array([places[name] for name in truth], dtype=np.int64)


def _range(data: xr.Dataset, dim: str) -> str:
    """The first and the last, where they have values."""
    if dim not in data.coords or data[dim].dtype.kind not in "iuf":
        return ""
    return " ({:.10g} to {:.10g})".format(*data[dim].values[[0, -1]])


def _tolerance(dim: str, values: np.ndarray) -> float:
    return DEGREES if dim in ("lat", "lon") else RELATIVE * float(np.abs(values).max(initial=0.0))


def _turned(
    truth: xr.Dataset, members: xr.Dataset, dims: Sequence[str], maps: Sequence[str], what: str, orders: Sequence[tuple[np.ndarray, ...]]
) -> tuple[np.ndarray, ...]:
    """The first order in which every cell is where it is in the truth."""
    first = ""
    for chosen in orders:
        wrong = ""
        for name in maps:
            places = [data[name].transpose(*dims) if data[name].ndim else data[name] for data in (truth, members)]
            y, x = (np.broadcast_to(np.asarray(place.values, np.float64), [truth.sizes[dim] for dim in dims]) for place in places)
            x = x[np.ix_(*chosen)]
            gap = np.abs((x - y + 180.0) % 360.0 - 180.0) if name == "lon" else np.abs(x - y)
            differs = ~((gap <= DEGREES) | (np.isnan(x) & np.isnan(y)))
            if differs.any() and not wrong:
                at = tuple(int(i) for i in np.unravel_index(int(differs.argmax()), y.shape))
                wrong = f"{name} of the truth and of {what} differ: {y[at]:.10g} and {x[at]:.10g} at cell {at}"
        if not wrong:
            return chosen
        first = first or wrong
    raise ValueError(first)
