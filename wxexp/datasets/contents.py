"""What a dataset takes from a source: arrays in memory, checked once, here."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from wxexp.config.tree import suggest
from wxexp.datasets.times import check_order, iso
from wxexp.fields.grid import Grid
from wxexp.interfaces import Fields


@dataclasses.dataclass(frozen=True)
class Contents:
    """Some variables of a source.

    Attributes:
        name: of the source, for messages.
        values: float32 [time, variable, *S], physical; NaN where there is none.
        valid: bool [variable, *S], True where there is a value at every present time.
        units: of each variable.
        present: bool [time].
        times: datetime64 or cftime [time].
        labels: the same as ISO strings.
        grid: of *S.
    """

    name: str
    values: np.ndarray
    valid: np.ndarray
    units: tuple[str, ...]
    present: np.ndarray
    times: np.ndarray
    labels: np.ndarray
    grid: Grid


def known(name: str, fields: Fields, wanted: Sequence[str], *, static: bool) -> None:
    """Refuses, with a ValueError, variables that `fields` of source `name` has not, of the other kind, or with its dims in disorder."""
    of_kind = [v.name for v in fields.variables.values() if (v.role == "static") == static]
    for variable in wanted:
        if variable not in of_kind:
            raise ValueError(f"{name} has no {'static field' if static else 'variable'} {variable!r}{suggest(variable, of_kind)}")
        dims, wanted_dims = fields.data[variable].dims, fields.grid.dims
        if sorted(own := [str(dim) for dim in dims if dim in wanted_dims]) == sorted(wanted_dims) and own != list(wanted_dims):
            raise ValueError(f"{variable} of {name} must have the dims ({', '.join(wanted_dims)}) in this order, got {dims}")


def read(name: str, fields: Fields, variables: Sequence[str], *, region: tuple[int, int, int, int] | None = None) -> Contents:
    """Reads `variables` of source `name` over `region` (first row, row past the last, first column, column past the last; None: all).

    Raises:
        ValueError: unknown variable; times not increasing; no valid value of a variable, in all or at a present time; a region
            outside the field.
    """
    known(name, fields, variables, static=False)
    times = fields.data["time"].values
    check_order(name, times)
    labels, cut = iso(times), window(name, fields.grid, region)
    values = np.empty((len(times), len(variables), *subgrid(fields.grid, region).shape), np.float32)
    for column, variable in enumerate(variables):
        values[:, column] = fields.data[variable].transpose("time", ...).values[(slice(None), *cut)]
        some = ~np.isnan(values[:, column]).reshape(len(times), -1).all(1) & fields.present
        if not some.any():
            raise ValueError(f"{variable} of {name} has no valid value (all are NaN)")
        if empty := labels[fields.present & ~some].tolist():
            raise ValueError(f"{variable} of {name} has no valid value at {empty[0]}; a missing time must be marked as not present")
    valid = ~np.isnan(values[fields.present]).any(0)
    for column, variable in enumerate(variables):
        if not valid[column].any():
            raise ValueError(f"{variable} of {name} has no cell that is valid at all times")
    units = tuple(fields.variables[variable].units for variable in variables)
    return Contents(name, values, valid, units, fields.present, times, labels, subgrid(fields.grid, region))


def statics(name: str, fields: Fields, variables: Sequence[str], *, region: tuple[int, int, int, int] | None = None) -> np.ndarray:
    """Static fields of source `name`, float32 [variable, *S]; NaN where there is none."""
    known(name, fields, variables, static=True)
    cut = window(name, fields.grid, region)
    shape = subgrid(fields.grid, region).shape
    return np.stack([fields.data[v].values[cut] for v in variables]).astype(np.float32) if variables else np.zeros((0, *shape), np.float32)


def window(name: str, grid: Grid, region: tuple[int, int, int, int] | None) -> tuple[slice, ...]:
    """The slices of *S that cut a region."""
    if region is None:
        return (slice(None),) * len(grid.shape)
    if len(grid.shape) != 2:
        raise ValueError(f"region must be None for {name}, whose fields have {len(grid.shape)} dimension, got {region}")
    rows, columns = grid.shape
    top, bottom, left, right = region
    if not (0 <= top < bottom <= rows and 0 <= left < right <= columns):
        raise ValueError(f"region must be (first row, end row, first column, end column) within {rows} x {columns}, got {region}")
    return (slice(top, bottom), slice(left, right))


def subgrid(grid: Grid, region: tuple[int, int, int, int] | None) -> Grid:
    """The grid of a region that `window` accepts."""
    if region is None:
        return grid
    rows, columns = slice(*region[:2]), slice(*region[2:])
    whole = columns == slice(0, grid.shape[1])
    cut = (rows, columns)
    if grid.kind == "projected":
        assert grid.lat is not None
        return dataclasses.replace(grid, lat=grid.lat[cut], lon=grid.lon[cut], periodic_x=grid.periodic_x and whole)
    assert grid.lat is not None
    return dataclasses.replace(grid, lat=grid.lat[rows], lon=grid.lon[columns], periodic_x=grid.periodic_x and whole)
