"""members.zarr: an ensemble on disk, as xarray and any other reader of zarr v3 with CF metadata understands it.

    (time, member, *S)                       for downscaling and generation
    (init_time, member, lead_time, *S)       for forecasts

*S is `lat, lon`, or `y, x` with two-dimensional lat and lon, `cell`, or `x` on a ring. One array for each variable, float32 in physical
units, NaN where there is nothing to predict. A chunk holds all leads of several members of one initial time, so that a chunk is written
by one worker only, and scoring reads few files for a case.
"""

from __future__ import annotations

import dataclasses
import shutil
import warnings
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import zarr
from zarr.codecs import BloscCodec
from zarr.errors import ZarrUserWarning

from wxexp.fields.grid import Coordinate, Grid, coordinates

if TYPE_CHECKING:
    Array = zarr.Array[Any]

Attributes = Mapping[str, str]


@dataclasses.dataclass(frozen=True)
class Layout:
    """What a store is for; everything but the members.

    Attributes:
        variables: name -> units.
        grid: of the last dimensions.
        times: ISO strings of the initial times, in order.
        lead_hours: of forecasts; None: no lead dimension.
    """

    variables: Mapping[str, str]
    grid: Grid
    times: tuple[str, ...]
    lead_hours: tuple[float, ...] | None = None

    @property
    def time(self) -> str:
        """Name of the time dimension."""
        return "time" if self.lead_hours is None else "init_time"

    @property
    def dims(self) -> tuple[str, ...]:
        """Of a variable."""
        return (self.time, "member", *(() if self.lead_hours is None else ("lead_time",)), *self.grid.dims)

    def coordinates(self) -> dict[str, Coordinate]:
        """All but `member`: name -> dims, values, attributes."""
        kind = "time" if self.lead_hours is None else "forecast_reference_time"
        values, attributes = _times(self.times)
        out: dict[str, Coordinate] = {self.time: ((self.time,), values, {"standard_name": kind, **attributes})}
        if self.lead_hours is not None:
            lead = {"standard_name": "forecast_period", "units": "hours"}
            out["lead_time"] = (("lead_time",), np.asarray(self.lead_hours, dtype=np.float64), lead)
        return out | _places(self.grid)


def _times(times: tuple[str, ...]) -> tuple[np.ndarray, Attributes]:
    """Seconds since the first (as hours where they are whole); as they are written where numpy's calendar has no such date."""
    try:
        at = np.asarray(times, dtype="datetime64[s]")
    except ValueError:
        return np.asarray(times, dtype=np.dtypes.StringDType()), {"long_name": "ISO 8601 date of the model's calendar"}
    seconds = (at - at[0]).astype(np.int64)
    unit, size = ("hours", 3600) if not (seconds % 3600).any() else ("seconds", 1)
    return seconds // size, {"units": f"{unit} since {str(at[0]).replace('T', ' ')}", "calendar": "proleptic_gregorian"}


def _places(grid: Grid) -> dict[str, Coordinate]:
    """Of the cells, and along the axes of a projected grid whose spacing is known."""
    out = coordinates(grid)
    if grid.kind == "projected" and grid.dx_km and grid.dy_km:
        height, width = grid.shape
        for name, cells, spacing in (("y", height, grid.dy_km), ("x", width, grid.dx_km)):
            out[name] = ((name,), np.arange(cells) * spacing, {"standard_name": f"projection_{name}_coordinate", "units": "km"})
    return out


class Store:
    """An open members.zarr, as it was when it was opened; `create_or_extend` makes one, or one that has more members."""

    def __init__(self, path: Path) -> None:
        """Raises FileNotFoundError where there is no store."""
        self.path = path
        self.group = zarr.open_group(path, mode="r+", use_consolidated=False, zarr_format=3)  # the consolidated copy is for readers

    def array(self, name: str) -> Array:
        """A variable or a coordinate."""
        found = self.group[name]
        assert isinstance(found, zarr.Array)
        return found

    @cached_property
    def variables(self) -> dict[str, Array]:
        """All that is no coordinate."""
        return {name: array for name, array in self.group.arrays() if array.ndim > 2}

    @cached_property
    def members(self) -> int:
        """How many there are, drawn or not."""
        return self.array("member").shape[0]

    @cached_property
    def chunk(self) -> int:
        """Members in a chunk, and so in a work item."""
        return int(next(iter(self.variables.values())).chunks[1])

    def chunks(self, members: int) -> list[range]:
        """The members of each chunk that has any of the first `members`: whole chunks, as far as the store goes."""
        return [range(first, min(first + self.chunk, self.members)) for first in range(0, members, self.chunk)]

    def write(self, time: int, members: range, values: Mapping[str, np.ndarray]) -> None:
        """All variables of one chunk, which must be a whole one.

        Args:
            time: place along the time dimension.
            members: one of `chunks`.
            values: variable -> [M, L, *S], physical; L is 1 where there is no lead dimension.
        """
        assert members in self.chunks(self.members), f"{members} is no chunk of {self.chunk} of {self.members} members"
        for name, array in self.variables.items():
            field = values[name]
            try:
                array[time, members.start : members.stop] = field if array.ndim == field.ndim + 1 else field[:, 0]
            except OSError as error:  # zarr's has no path
                what = f"cannot write members {members.start} to {members.stop - 1}: {error.strerror}"
                raise OSError(error.errno, what, str(self.path)) from error


def create_or_extend(path: Path, layout: Layout, *, members: int, chunk: int, attributes: Attributes | None = None) -> Store:
    """The store at `path`, with room for at least `members` members.

    A new one has chunks of `chunk` members. One that is there keeps its chunks and its members, gets a longer member dimension where it
    needs one, and must be of the same variables, times, leads and grid: else ValueError. No other process may write meanwhile.
    """
    if path.exists():
        return _extended(path, layout, members)
    part = path.with_name(path.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    _create(part, layout, members, chunk, attributes or {})
    part.rename(path)
    return Store(path)


def _create(path: Path, layout: Layout, members: int, chunk: int, attributes: Attributes) -> None:
    group = zarr.create_group(path, attributes={"Conventions": "CF-1.11", **attributes})
    member: Coordinate = (("member",), np.arange(members), {"standard_name": "realization"})
    for name, (dims, values, about) in {**layout.coordinates(), "member": member}.items():
        group.create_array(name, data=values, dimension_names=dims, attributes=dict(about))
    leads = () if layout.lead_hours is None else (len(layout.lead_hours),)
    places: dict[str, str] = {"coordinates": "lat lon"} if layout.grid.kind in ("projected", "cells") else {}
    for name, units in layout.variables.items():
        group.create_array(
            name,
            shape=(len(layout.times), members, *leads, *layout.grid.shape),
            chunks=(1, chunk, *leads, *layout.grid.shape),
            dtype="float32",
            fill_value=np.nan,
            compressors=BloscCodec(cname="lz4", clevel=5, shuffle="shuffle"),
            dimension_names=layout.dims,
            attributes={"units": units, **places},
        )
    _consolidate(path)


def _extended(path: Path, layout: Layout, members: int) -> Store:
    store = Store(path)
    _check(store, layout)
    for left in path.rglob("*.partial"):  # by a writer that was killed
        left.unlink(missing_ok=True)
    if members > store.members:
        for array in store.variables.values():
            array.resize((array.shape[0], members, *array.shape[2:]))
        member = store.array("member")  # after the variables: it says how many there are
        member.resize((members,))
        member[:] = np.arange(members)
        _consolidate(path)
    return Store(path)


def _check(store: Store, layout: Layout) -> None:
    variables = {name: str(array.attrs["units"]) for name, array in store.variables.items()}
    if variables != dict(layout.variables):
        raise ValueError(f"{store.path} has variables {_listed(variables)}, not {_listed(layout.variables)}")
    for name, (_, values, about) in layout.coordinates().items():
        there = store.array(name) if name in store.group else None
        if there is None or not np.array_equal(there[:], values) or there.attrs.asdict() != dict(about):
            had = _brief(there, there.attrs.asdict() if there is not None else None)
            raise ValueError(f"{store.path} has another {name} than the experiment: {had}, not {_brief(values, about)}")


def _listed(variables: Mapping[str, str]) -> str:
    return ", ".join(f"{name} ({units})" for name, units in sorted(variables.items()))


def _brief(values: Array | np.ndarray | None, about: Mapping[str, Any] | None) -> str:
    if values is None:
        return "none"
    unit, flat = (about or {}).get("units", ""), np.asarray(values[:]).ravel()
    return f"{len(flat)} from {flat[0]} to {flat[-1]} {unit}".strip()


def _consolidate(path: Path) -> None:
    """A copy of all metadata at the root, which xarray looks for first and warns of when absent."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ZarrUserWarning)  # that version 3 of the format does not specify it yet
        zarr.consolidate_metadata(path)
