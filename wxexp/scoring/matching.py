"""Names, places and times of datasets written by others, and which cell of one is which of the other.

Names are those of CF, WeatherBench 2 (Rasp et al. 2024) and ECMWF. Coordinates are matched by value, so that latitude may run either way
and longitude from 0 or from -180; values that differ by more than rounding are an error that shows the first.
"""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from wxexp.fields.grid import Grid
from wxexp.scoring.cases import instant

NAMES: Mapping[str, tuple[str, ...]] = {
    "lat": ("lat", "latitude"),
    "lon": ("lon", "longitude"),
    "member": ("member", "number", "realization", "ensemble"),
    "time": ("time", "init_time", "forecast_reference_time"),
    "lead_time": ("lead_time", "prediction_timedelta", "step", "forecast_period"),
}
"""Our names, and what others write."""
DEGREES = 1e-4
"""Latitudes and longitudes that differ by less are the same: float32 rounds 360 to 3e-5."""
RELATIVE = 1e-5
"""The same for other coordinates, of the largest."""
_SECONDS = {"hour": 3600.0, "h": 3600.0, "day": 86400.0, "d": 86400.0, "minute": 60.0, "min": 60.0, "second": 1.0, "s": 1.0}


def renamed(data: xr.Dataset, what: str) -> xr.Dataset:
    """`data` with our names of dimensions and coordinates; a scalar time, lead or member becomes a dimension of size 1.

    Raises:
        ValueError: naming `what`, where two dimensions could be one of ours.
    """
    for role, names in NAMES.items():
        found = [name for name in names if name in data.dims]
        if len(found) > 1:
            raise ValueError(f"{what} has dimensions {' and '.join(found)}, which both are a {role}")
        place = role in ("lat", "lon")
        others = [name for name in names if name in data.variables and (place or data[name].ndim == 0)]
        if not found and not others:
            continue
        name = (found or others)[0]
        if name != role:
            data = data.drop_vars(role, errors="ignore").rename({name: role})
        if not place and role not in data.dims:
            data = data.expand_dims(role)
        if role in data.variables:
            data = data.set_coords(role)
    return data


def labels(data: xr.Dataset, what: str) -> list[str]:
    """Its times in one spelling; ValueError where there are none, or one is there twice."""
    if "time" not in data.dims or "time" not in data.coords:
        raise ValueError(f"{what} has no time coordinate among its dimensions {', '.join(map(str, data.sizes))}")
    found = [instant(time) for time in data["time"].values]
    if twice := [time for time, after in itertools.pairwise(sorted(found)) if time == after]:
        raise ValueError(f"{what} has {twice[0]} twice")
    return found


def lead_hours(data: xr.Dataset, what: str) -> list[float]:
    """Its lead times: timedeltas, or numbers in their `units`, hours where they have none."""
    if "lead_time" not in data.coords:
        raise ValueError(f"{what} has a dimension lead_time without values")
    values = data["lead_time"].values
    if values.dtype.kind == "m":
        return [float(v) for v in values / np.timedelta64(1, "s") / 3600.0]
    units = str(data["lead_time"].attrs.get("units", "hours"))
    seconds = {**_SECONDS, "hr": 3600.0, "nanosecond": 1e-9}.get(units if len(units) == 1 else units.rstrip("s"))
    if seconds is None:
        raise ValueError(f"the lead times of {what} must be timedeltas or in hours, days, minutes or seconds, got units {units!r}")
    return [float(v) * seconds / 3600.0 for v in values]


def valid(time: object, hours: float) -> str:
    """The time `hours` after another, spelt as by `instant`."""
    if isinstance(time, np.datetime64):
        return str(time.astype("datetime64[s]") + np.timedelta64(round(hours * 3600), "s"))
    return instant(time + datetime.timedelta(hours=hours))  # type: ignore[operator]


def grid(data: xr.Dataset, dims: Sequence[str]) -> Grid:
    """Of the last dimensions: by latitude and longitude, where they are those; of equal areas otherwise."""
    if tuple(dims) == ("lat", "lon"):
        return Grid("latlon", np.asarray(data["lat"].values, np.float64), np.asarray(data["lon"].values, np.float64))
    return Grid("projected" if len(dims) == 2 else "cells", None, np.zeros([data.sizes[dim] for dim in dims]))


def order(truth: xr.Dataset, members: xr.Dataset, dims: Sequence[str]) -> tuple[np.ndarray, ...]:
    """Where along each dimension of the members each place of the truth is.

    Args:
        truth: renamed.
        members: renamed.
        dims: of *S.

    Raises:
        ValueError: for a dimension of another size, and for places that are not the same.
    """
    for dim in dims:
        if truth.sizes[dim] != members.sizes[dim]:
            raise ValueError(f"{dim} has {truth.sizes[dim]} places in the truth and {members.sizes[dim]} in the members")
    both = {dim: dim in truth.coords and dim in members.coords for dim in dims}
    found = tuple(_places(dim, truth[dim].values, members[dim].values) if both[dim] else np.arange(truth.sizes[dim]) for dim in dims)
    maps = [name for name in ("lat", "lon") if name not in dims and name in truth.coords and name in members.coords]
    if maps:  # latitude and longitude of every cell
        free = [(index,) if both[dim] else (index, index[::-1]) for dim, index in zip(dims, found, strict=True)]
        return _turned(truth, members, dims, maps, list(itertools.product(*free)))
    if not all(both.values()):
        dim = next(dim for dim in dims if not both[dim])
        raise ValueError(
            f"truth and members cannot be matched along {dim}: not both have the coordinate {dim}, or lat and lon of every cell"
        )
    return found


def _places(dim: str, truth: np.ndarray, members: np.ndarray) -> np.ndarray:
    """By nearest value; each is used once where all agree, because places of the truth differ by more than rounding."""
    y, x = np.asarray(truth, np.float64), np.asarray(members, np.float64)
    if dim == "lon":  # a little below 0 is 0 and not 360
        y, x = (y + 10 * DEGREES) % 360.0, (x + 10 * DEGREES) % 360.0
    ranks = np.argsort(x, kind="stable")
    right = np.searchsorted(x[ranks], y).clip(1, max(len(x) - 1, 1)) if len(x) > 1 else np.zeros(len(y), dtype=np.int64)
    left = np.maximum(right - 1, 0)
    nearest = ranks[np.where(np.abs(x[ranks[left]] - y) <= np.abs(x[ranks[right]] - y), left, right)]
    differs = ~(np.abs(x[nearest] - y) <= _tolerance(dim, y))
    if differs.any():
        i = int(differs.argmax())
        raise ValueError(f"{dim} of the truth and of the members differ: {truth[i]:.10g} at place {i}, nearest {members[nearest[i]]:.10g}")
    if len(set(nearest.tolist())) < len(nearest):
        raise ValueError(f"{dim} of the truth has the same value twice")
    return np.asarray(nearest)


def _tolerance(dim: str, values: np.ndarray) -> float:
    return DEGREES if dim in ("lat", "lon") else RELATIVE * float(np.abs(values).max(initial=0.0))


def _turned(
    truth: xr.Dataset, members: xr.Dataset, dims: Sequence[str], maps: Sequence[str], orders: Sequence[tuple[np.ndarray, ...]]
) -> tuple[np.ndarray, ...]:
    """The first order in which every cell is where it is in the truth."""
    first = ""
    for chosen in orders:
        wrong = ""
        for name in maps:
            y = np.asarray(truth[name].transpose(*dims).values, np.float64)
            x = np.asarray(members[name].transpose(*dims).values, np.float64)[np.ix_(*chosen)]
            gap = np.abs((x - y + 180.0) % 360.0 - 180.0) if name == "lon" else np.abs(x - y)
            differs = ~((gap <= DEGREES) | (np.isnan(x) & np.isnan(y)))
            if differs.any() and not wrong:
                at = tuple(int(i) for i in np.unravel_index(int(differs.argmax()), y.shape))
                wrong = f"{name} of the truth and of the members differ: {y[at]:.10g} and {x[at]:.10g} at cell {at}"
        if not wrong:
            return chosen
        first = first or wrong
    raise ValueError(first)
