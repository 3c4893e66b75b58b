"""What is in a source or a file, in words: `wxexp data info`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from wxexp.datasets.times import iso
from wxexp.fields.grid import Grid
from wxexp.interfaces import Source


def describe(source: Source | Path) -> str:
    """Dimensions, times, grid, and the range of every variable, one to a line.

    Args:
        source: a source, or the path of anything that xarray reads without being told how: zarr, netCDF.

    Raises:
        ValueError: the file cannot be read.
    """
    if isinstance(source, Path):
        with _open(source) as data:
            return "\n".join([str(source), *_times(data, None), *_coordinates(data), *_table(data)])
    fields = source.open()
    lines = [f"{type(source).__name__}: {source.identity()}", *_times(fields.data, fields.present), _grid(fields.grid)]
    return "\n".join([*lines, *_table(fields.data[list(fields.variables)])])


def _open(path: Path) -> xr.Dataset:
    if not path.exists():
        raise ValueError(f"there is no file {path}")
    try:
        if path.is_dir():
            return xr.open_dataset(path, engine="zarr", consolidated=False)
        return xr.open_dataset(path)
    except (OSError, ValueError, KeyError) as error:
        words = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        reason = words.partition(". Consider")[0]  # which other engines there are
        raise ValueError(f"{path} is neither zarr nor netCDF that can be read ({reason})") from error


def _times(data: xr.Dataset, present: np.ndarray | None) -> list[str]:
    name = next((name for name in ("time", "init_time") if name in data.dims and name in data.coords), None)
    if name is None:
        return []
    times = data[name].values
    missing = f", {int((~present).sum())} missing" if present is not None and not present.all() else ""
    labels = iso(times[[0, -1]]) if times.dtype.kind in "MO" else times[[0, -1]]
    return [f"times: {len(times)}, {labels[0]} to {labels[1]}{missing}"]


def _grid(grid: Grid) -> str:
    size = " x ".join(map(str, grid.shape))
    if grid.lat is None:
        return f"grid: {grid.kind}, {size} cells"
    return f"grid: {grid.kind}, {size} cells, {_span(grid.lat)} degrees north, {_span(grid.lon)} degrees east"


def _coordinates(data: xr.Dataset) -> list[str]:
    sizes = ", ".join(f"{name} {size}" for name, size in data.sizes.items())
    numbers = [c for c in data.coords.values() if c.dtype.kind in "fiu" and c.size]
    return [f"dims: {sizes}", *(f"{c.name}: {_span(c.values)} {c.attrs.get('units', '')}".rstrip() for c in numbers)]


def _span(x: np.ndarray) -> str:
    return f"{np.nanmin(x):g} to {np.nanmax(x):g}"


def _table(data: xr.Dataset) -> list[str]:
    rows = [("variable", "dims", "units", "min", "mean", "max", "valid")]
    for name, field in data.data_vars.items():
        dims, units = " x ".join(map(str, field.dims)) or "-", str(field.attrs.get("units", "-"))
        if field.dtype.kind not in "fiub" or not field.size:
            rows.append((str(name), dims, units, "-", "-", "-", "-"))
            continue
        least, mean, most, valid = _range(field)
        rows.append((str(name), dims, units, f"{least:.4g}", f"{mean:.4g}", f"{most:.4g}", f"{100 * valid:.1f} %"))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["", *("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)]


def _range(field: xr.DataArray) -> tuple[float, float, float, float]:
    """Min, mean, max and fraction of values that are not NaN, read one step of the first axis at a time."""
    least, most, total, count = np.inf, -np.inf, 0.0, 0
    for part in (field[i] for i in range(len(field))) if field.ndim > 1 else (field,):
        x = part.values.astype(np.float64)
        x = x[~np.isnan(x)]
        if x.size:
            least, most, total, count = min(least, x.min()), max(most, x.max()), total + float(x.sum()), count + x.size
    if not count:
        return (np.nan,) * 3 + (0.0,)
    return float(least), total / count, float(most), count / field.size
