"""Climatologies by day of year, and hour, as WeatherBench 2 has them (Rasp et al. 2024), as fields of the times that are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import xarray as xr

from wxexp.scoring.matching import after

DAY, HOUR = "dayofyear", "hour"


def dated(data: xr.Dataset, times: Iterable[object], leads: Sequence[float | None], what: str) -> xr.Dataset:
    """`data` with a dimension `time` of all valid times instead of `dayofyear` and, where there is one, `hour`; others as they are.

    Raises:
        ValueError: naming `what`, for a day or an hour that it lacks.
    """
    if DAY not in data.dims or "time" in data.dims:
        return data
    found = {str(time): time for start in times for time in (after(start, lead or 0.0) for lead in leads)}
    every = np.array([*found.values()])
    valid = xr.DataArray(every.astype("datetime64[ns]") if every.dtype.kind == "M" else every, dims="time")
    places = {DAY: _places(data, DAY, valid.dt.dayofyear.values, what)}
    if HOUR in data.dims:
        places[HOUR] = _places(data, HOUR, valid.dt.hour.values, what)
    chosen = data.isel({name: xr.DataArray(place, dims="time") for name, place in places.items()}).drop_vars([*places], errors="ignore")
    return chosen.assign_coords(time=valid)


def _places(data: xr.Dataset, name: str, wanted: np.ndarray, what: str) -> np.ndarray:
    """Of each value; where there are none, days are counted from 1, hours evenly from 0."""
    size = data.sizes[name]
    there = data[name].values if name in data.coords else np.arange(size) + 1 if name == DAY else np.arange(size) * (24 / size)
    known = {float(value): place for place, value in enumerate(there)}
    if lacking := sorted({int(value) for value in wanted} - known.keys()):
        label = {DAY: "day", HOUR: "hour"}[name]
        raise ValueError(
            f"there is no {label} {', '.join(map(str, lacking[:3]))} in the {name} of {what}, but {there[0]:g} to {there[-1]:g}"
        )
    return np.array([known[float(value)] for value in wanted])
