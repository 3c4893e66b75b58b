"""Power spectra: at which scales has the forecast too little or too much variance?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from wxexp.reports.style import FORECAST, MEAN, OTHERS, TRUTH, Drawing, lead_text, new_figure, styled, unit_text, with_units

Look = tuple[str, str, float, str]
"""Colour, line style, width, label."""

_DRAWN: Mapping[str, Look] = {
    "truth": (TRUTH, "-", 1.8, "truth"),
    "members": (FORECAST, "-", 1.4, "members"),
    "mean": (MEAN, "--", 1.2, "ensemble mean"),
}


@styled()
def spectra(power: xr.DataArray, *, units: dict[str, str], lead_hours: float | None = None) -> Drawing:
    """Mean power by scale, double logarithmic; below, the ratio to truth, with a band between 0.8 and 1.25.

    Args:
        power: dims (source, variable, wavenumber), the mean over cases (and members); sources `truth`, `members`, `mean` (of the
            ensemble) and any baselines. A coordinate `wavelength_km` [wavenumber] becomes the axis, long waves at the left; otherwise the
            wavenumber. Wavenumber 0 and values that are not positive are not drawn.
        units: of each variable; power is in their square.
        lead_hours: of the forecasts, where they have one.

    Returns:
        The figure, and `power` and `ratio` (to truth, where there is truth).
    """
    power = power.transpose("source", "variable", "wavenumber")
    if "wavelength_km" in power.coords:
        axis_name, scale = "wavelength (km)", np.asarray(power["wavelength_km"].values, dtype=np.float64)
    else:
        axis_name, scale = "wavenumber", np.asarray(power["wavenumber"].values, dtype=np.float64)
    power = power.isel(wavenumber=np.flatnonzero(np.isfinite(scale) & (scale > 0)))
    scale = scale[np.isfinite(scale) & (scale > 0)]
    data = xr.Dataset({"power": power})
    sources = [str(s) for s in power["source"].values]
    if "truth" in sources:
        data["ratio"] = power / power.sel(source="truth", drop=True)
    names = [str(v) for v in power["variable"].values]
    columns = min(3, len(names))
    rows = -(-len(names) // columns)
    panels = 2 if "ratio" in data else 1
    figure = new_figure(rows * (3.6 if panels == 2 else 2.6) + 0.35)
    axes = figure.subplots(rows * panels, columns, squeeze=False, sharex=True, height_ratios=([2.0, 1.0][:panels]) * rows)
    others = iter(OTHERS * (1 + len(sources)))
    looks = {s: _DRAWN.get(s) or (next(others), ":", 1.3, s.replace("_", " ")) for s in sources}
    for v, name in enumerate(names):
        place = (v // columns * panels, v % columns)
        upper = lowest = axes[place]
        _power(upper, scale, data["power"].sel(variable=name), looks)
        upper.set_title(name)
        upper.set_ylabel(with_units("power", _squared(unit_text(units[name]))))
        if panels == 2:
            lowest = axes[place[0] + 1, place[1]]
            _ratio(lowest, scale, data["ratio"].sel(variable=name), looks)
            lowest.set_ylabel("ratio to truth" if v % columns == 0 else "")
        lowest.set_xlabel(axis_name)
        lowest.tick_params(labelbottom=True)
        for axis in dict.fromkeys((upper, lowest)):
            _scale_axis(axis, scale, descending=axis_name.startswith("wavelength"))
    for v in range(len(names), rows * columns):
        for p in range(panels):
            axes[v // columns * panels + p, v % columns].remove()
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=min(len(labels), 5))
    if lead_hours is not None:
        figure.suptitle(lead_text(lead_hours))
    return figure, data


def _power(axis: Axes, scale: np.ndarray, power: xr.DataArray, looks: Mapping[str, Look]) -> None:
    for source, (colour, line, width, label) in looks.items():
        values = power.sel(source=source).values
        axis.plot(scale, np.where(values > 0, values, np.nan), color=colour, ls=line, lw=width, label=label)
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.yaxis.set_minor_locator(NullLocator())
    axis.grid(True)


def _ratio(axis: Axes, scale: np.ndarray, ratio: xr.DataArray, looks: Mapping[str, Look]) -> None:
    axis.axhspan(0.8, 1.25, color="#E9E9E9", lw=0)
    axis.axhline(1.0, color=TRUTH, lw=1.0)
    for source, (colour, line, width, _) in looks.items():
        if source != "truth":
            values = ratio.sel(source=source).values
            axis.plot(scale, np.where(values > 0, values, np.nan), color=colour, ls=line, lw=width)
    _ratio_axis(axis, ratio.values)
    axis.grid(True, axis="x")


def _squared(units: str) -> str:
    return f"({units})²" if " " in units else f"{units}²" if units else "1"


def _scale_axis(axis: Axes, scale: np.ndarray, *, descending: bool) -> None:
    low, high = float(scale.min()), float(scale.max())
    axis.set_xlim((high * 1.05, low / 1.05) if descending else (low / 1.05, high * 1.05))
    ticks = [m * 10.0**e for e in range(-3, 6) for m in (1, 2, 5) if low <= m * 10.0**e <= high]
    axis.xaxis.set_major_locator(FixedLocator(ticks))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
    axis.xaxis.set_minor_locator(NullLocator())


def _ratio_axis(axis: Axes, ratio: np.ndarray) -> None:
    """A logarithmic axis with 0.5-2 at least and 0.03-30 at most."""
    inside = ratio[np.isfinite(ratio) & (ratio > 0)]
    low = max(0.03, min(0.5, float(inside.min(initial=1.0)) / 1.1))
    high = min(30.0, max(2.0, float(inside.max(initial=1.0)) * 1.1))
    axis.set_yscale("log")
    axis.set_ylim(low, high)
    ticks = [0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0]
    axis.yaxis.set_major_locator(FixedLocator([t for t in ticks if low <= t <= high]))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
    axis.yaxis.set_minor_locator(NullLocator())
