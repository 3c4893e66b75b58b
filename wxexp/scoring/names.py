"""Names in datasets written by others: dimensions under our names, levels as variables of their own, times as dates.

Names are those of CF, WeatherBench 2 (Rasp et al. 2024) and ECMWF.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping

import numpy as np
import xarray as xr

from wxexp.scoring.units import conversion

NAMES: Mapping[str, tuple[str, ...]] = {
    "lat": ("lat", "latitude"),
    "lon": ("lon", "longitude"),
    "member": ("member", "number", "realization", "ensemble", "sample", "ensemble_member", "ens"),
    "time": ("time", "init_time", "forecast_reference_time", "initial_time", "valid_time"),
    "lead_time": ("lead_time", "prediction_timedelta", "step", "forecast_period", "lead", "leadtime"),
}
"""Our names, and what others write."""
_UNITS = {
    "lat": ("degrees_north", "degree_north", "degrees_n", "degreesn"),
    "lon": ("degrees_east", "degree_east", "degrees_e", "degreese"),
}
"""Of coordinates that are a latitude or longitude whatever they are called (CF conventions, 4.1 and 4.2)."""
LEVELS = ("level", "pressure_level", "isobaricInhPa", "plev", "lev", "pressure", "isobaric")
"""Dimensions of height, by pressure as a rule."""


def renamed(data: xr.Dataset, what: str) -> xr.Dataset:
    """`data` with our names of dimensions and coordinates; a scalar time, lead or member becomes a dimension of size 1.

    Raises:
        ValueError: naming `what`, where two dimensions could be one of ours, and for times that are no dates.
    """
    for role, names in NAMES.items():
        found = [str(dim) for dim in data.dims if str(dim).lower() in names or _by_units(data, str(dim), role)]
        if len(found) > 1:
            raise ValueError(f"there are dimensions {' and '.join(found)} in {what}, which both are a {role}")
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
    lines = {role: data[role].dims for role in ("lat", "lon") if role in data.coords and data[role].ndim == 1}
    if len(set(lines.values())) == 2:  # of rows and of columns
        data = data.swap_dims({str(dim): role for role, (dim,) in lines.items() if dim != role})
    if "time" in data.dims and "time" in data.coords:
        data = data.assign_coords(time=("time", _dates(data["time"].values, what), data["time"].attrs))
    return data


def _by_units(data: xr.Dataset, dim: str, role: str) -> bool:
    return dim in data.coords and str(data[dim].attrs.get("units", "")).lower() in _UNITS.get(role, ())


def _dates(values: np.ndarray, what: str) -> np.ndarray:
    """Text and dates with a time zone as datetime64 in UTC; others as they are."""
    if values.dtype.kind in "iuf":
        raise ValueError(f"the times of {what} are numbers without units, such as 'hours since 2020-01-01', from {values.min()}")
    if values.dtype.kind == "M":
        if np.isnat(values).any():
            raise ValueError(f"the time at place {int(np.isnat(values).argmax())} of {what} is missing")
        return values
    if values.dtype.kind == "O" and not any(isinstance(v, str | datetime.datetime) for v in values):
        return values  # of other calendars
    out = []
    for place, value in enumerate(values):
        try:
            date = value if isinstance(value, datetime.datetime) else datetime.datetime.fromisoformat(str(value))
        except ValueError:
            raise ValueError(f"the time at place {place} of {what} must be a date such as 2020-01-31T06:00, got {str(value)!r}") from None
        out.append(date.astimezone(datetime.UTC).replace(tzinfo=None) if date.tzinfo else date)
    return np.array(out, dtype="datetime64[ns]")


def flattened(data: xr.Dataset) -> tuple[xr.Dataset, dict[str, list[str]]]:
    """Renamed `data` with a variable for each level, such as `geopotential_500` in hPa, and the names of the levels of each.

    Dimensions of size 1 that are no place are dropped; others that are neither level nor place are left.
    """
    new: dict[str, xr.DataArray] = {}
    levels: dict[str, list[str]] = {}
    for key, x in data.data_vars.items():
        name, dims = str(key), [dim for dim in x.dims if dim not in ("time", "lead_time", "member")]
        horizontal = {"lat", "lon"} <= set(dims)
        single = [
            dim for dim in dims if dim not in LEVELS and x.sizes[dim] == 1 and (dim not in ("lat", "lon") if horizontal else len(dims) > 2)
        ]
        flat = x.isel(dict.fromkeys(single, 0), drop=True)
        found = [str(dim) for dim in dims if dim in LEVELS and dim in x.coords]
        parts = {name: flat}
        if found:
            values = hectopascals(x[found[0]])
            parts = {f"{name}_{value:g}": flat.isel({found[0]: i}, drop=True) for i, value in enumerate(values)}
            levels[name] = list(parts)
        if found or single:
            new |= parts
    return data.drop_vars([name for name in levels if name not in new]).assign(new), levels


def hectopascals(level: xr.DataArray) -> np.ndarray:
    """Pressures in hPa where they are in other units of it; other heights as they are."""
    factor, _ = conversion(str(level.attrs.get("units", "")), "hPa") or (1.0, 0.0)
    return np.atleast_1d(np.asarray(level.values, dtype=np.float64) * factor)


def level_of(x: xr.DataArray) -> float | None:
    """Of a field at one level that says which, in hPa."""
    found = [hectopascals(x.coords[name])[0] for name in LEVELS if name in x.coords and x.coords[name].ndim == 0]
    return float(found[0]) if found else None


def fields(data: xr.Dataset) -> list[str]:
    """Variables that can be scored: numbers with a time and a place, by name, because a zarr lists them as its folder does."""
    bounds = {str(x.attrs.get("bounds", x.encoding.get("bounds"))) for x in data.variables.values()}
    return sorted(
        str(name)
        for name, x in data.data_vars.items()
        if "time" in x.dims and x.dtype.kind in "fiu" and set(x.dims) - {"time", "lead_time", "member"} and name not in bounds
    )
