"""A field on its grid in one panel: a map where space has two dimensions, a line on a ring, points where cells are scattered."""

from __future__ import annotations

from collections.abc import Sequence
from types import EllipsisType

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, Normalize, PowerNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from wxexp.fields.grid import Grid, coordinates
from wxexp.reports.style import NO_DATA, WIDTH


def is_line(grid: Grid) -> bool:
    """Fields on this grid are drawn as lines."""
    return grid.kind == "ring"


def dataset(grid: Grid, fields: dict[str, tuple[tuple[str, ...], np.ndarray]]) -> xr.Dataset:
    """Fields `name: (leading dims, [..., *S])` with the grid's coordinates."""
    places = {name: (dims, values) for name, (dims, values, _) in coordinates(grid).items()}
    return xr.Dataset({name: ((*lead, *grid.dims), values) for name, (lead, values) in fields.items()}, places)


def blocks(coarse: np.ndarray, factor: int, shape: Sequence[int]) -> np.ndarray:
    """A coarse field [*s] as constant blocks of `factor` cells on the fine grid `shape`; blocks at the far edges may be partial."""
    out = np.asarray(coarse)
    for axis in range(-len(shape), 0):
        out = np.repeat(out, factor, axis)
    index: tuple[EllipsisType | slice, ...] = (..., *(slice(0, n) for n in shape))
    return out[index]


def proportion(grid: Grid) -> float:
    """Height over width of a map of this grid."""
    x, y = _extent(grid)
    return float(np.clip(np.ptp(y) * _stretch(grid) / np.ptp(x), 0.25, 1.6))


def map_size(grid: Grid, columns: int, *, bar: float = 0.0) -> float:
    """Height in inches of one row of `columns` maps across the page, where every map gives `bar` inches to its colour bar."""
    return float((WIDTH - 0.5) / columns - bar) * proportion(grid)


def draw_field(axis: Axes, grid: Grid, values: np.ndarray, norm: Normalize, colours: str) -> ScalarMappable:
    """A map; cells without data (NaN) are grey."""
    axis.set_facecolor(NO_DATA)
    shown = np.ma.masked_invalid(values)
    if grid.kind == "cells":
        assert grid.lat is not None
        valid = np.isfinite(values)
        size = float(np.clip(8_000 / max(values.size, 1), 0.5, 40.0))
        axis.scatter(grid.lon[~valid], grid.lat[~valid], color="#A0A0A0", s=size, linewidths=0)
        axis.set_facecolor("white")
        drawn: ScalarMappable = axis.scatter(
            grid.lon[valid], grid.lat[valid], c=values[valid], norm=norm, cmap=colours, s=size, linewidths=0
        )
    else:
        x, y = _axes(grid)
        drawn = axis.pcolormesh(x, y, shown, norm=norm, cmap=colours, shading="nearest", rasterized=True)
    axis.set_aspect(_stretch(grid))
    for side, extent in zip((axis.xaxis, axis.yaxis), _extent(grid), strict=True):
        degrees = grid.kind != "projected" and np.ptp(extent) > 90
        side.set_major_locator(MaxNLocator(4, steps=[1, 3, 6, 9, 10] if degrees else [1, 2, 5, 10]))
    if grid.kind == "projected":
        axis.set_xlabel("x (km)" if grid.dx_km else "x (cell)")
        axis.set_ylabel("y (km)" if grid.dy_km else "y (cell)")
    else:
        axis.xaxis.set_major_formatter(FuncFormatter(lambda v, _: _degrees((v + 180) % 360 - 180, "E", "W")))
        axis.yaxis.set_major_formatter(FuncFormatter(lambda v, _: _degrees(v, "N", "S")))
    return drawn


def colour_bar(figure: Figure, axis: Axes, drawn: ScalarMappable, *, label: str, extend: str) -> None:
    """A colour bar as high as the panel, at its right; (√) after the label says that its scale is that of the square root."""
    place = axis.inset_axes((1.03, 0.0, 0.045, 1.0))
    root = " (√)" if isinstance(drawn.norm, PowerNorm) else ""
    bar = figure.colorbar(drawn, cax=place, extend=extend, label=label + root)
    bar.outline.set_linewidth(0.5)
    if isinstance(drawn.norm, LogNorm):
        low, high = drawn.norm.vmin or 0.0, drawn.norm.vmax or 0.0
        steps = (0.1, 0.2, 0.33, 0.5, 0.67, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0) if high < 3 else (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
        bar.set_ticks([s for s in steps if low * 0.999 <= s <= high * 1.001])
        bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
        bar.ax.yaxis.set_minor_formatter(NullFormatter())
    else:
        bar.ax.yaxis.set_major_locator(MaxNLocator(5))
    bar.ax.tick_params(labelsize=7)


def outer_labels(axes: Sequence[Axes], columns: int) -> None:
    """Ticks at the left and bottom edge of a grid of equal maps only."""
    for i, axis in enumerate(axes):
        if i % columns:
            axis.tick_params(labelleft=False)
            axis.set_ylabel("")
        if i + columns < len(axes):
            axis.tick_params(labelbottom=False)
            axis.set_xlabel("")


def area_mean(grid: Grid, values: np.ndarray) -> float:
    """Area-weighted mean over the cells that have data; NaN where none has."""
    valid = np.isfinite(values)
    weight = grid.area()[valid]
    return float((values[valid] * weight).sum() / weight.sum()) if valid.any() else float("nan")


def _degrees(value: float, positive: str, negative: str) -> str:
    return f"{abs(value):g}°{positive if value > 0 else negative if value < 0 else ''}"


def _axes(grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    if grid.kind == "latlon":
        assert grid.lat is not None
        return grid.lon, grid.lat
    height, width = grid.shape
    return np.arange(width) * (grid.dx_km or 1.0), np.arange(height) * (grid.dy_km or 1.0)


def _extent(grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    if grid.kind == "cells":
        assert grid.lat is not None
        return grid.lon, grid.lat
    return _axes(grid)


def _stretch(grid: Grid) -> float:
    """How much longer a unit of y is drawn than one of x: 1 / cos(latitude) in degrees."""
    if grid.kind == "projected" or grid.lat is None:
        return 1.0
    return float(1 / max(np.cos(np.deg2rad(np.mean(grid.lat))), 0.3))
