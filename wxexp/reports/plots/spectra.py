"""Power spectra: at which scales has the forecast too little or too much variance?"""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from wxexp.reports.style import FORECAST, MEAN, OTHERS, TRUTH, Drawing, lead_text, new_figure, styled, unit_text, with_units

_DRAWN = {
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
        upper = axes[v // columns * panels, v % columns]
        for s, (colour, line, width, label) in looks.items():
            values = data["power"].sel(source=s, variable=name).values
            upper.plot(scale, np.where(values > 0, values, np.nan), color=colour, ls=line, lw=width, label=label)
        upper.set_xscale("log")
        upper.set_yscale("log")
        upper.yaxis.set_minor_locator(NullLocator())
        upper.set_title(name)
        upper.set_ylabel(with_units("power", _squared(unit_text(units[name]))))
        upper.grid(True)
        lowest = upper
        if panels == 2:
            lowest = axes[v // columns * panels + 1, v % columns]
            lowest.axhspan(0.8, 1.25, color="#E9E9E9", lw=0)
            lowest.axhline(1.0, color=TRUTH, lw=1.0)
            for s, (colour, line, width, _) in looks.items():
                if s != "truth":
                    values = data["ratio"].sel(source=s, variable=name).values
                    lowest.plot(scale, np.where(values > 0, values, np.nan), color=colour, ls=line, lw=width)
            _ratio_axis(lowest, data["ratio"].sel(variable=name).values)
            lowest.set_ylabel("ratio to truth" if v % columns == 0 else "")
            lowest.grid(True, axis="x")
        lowest.set_xlabel(axis_name)
        lowest.tick_params(labelbottom=True)
        _scale_axis(upper, scale, descending=axis_name.startswith("wavelength"))
        if lowest is not upper:
            _scale_axis(lowest, scale, descending=axis_name.startswith("wavelength"))
    for v in range(len(names), rows * columns):
        for p in range(panels):
            axes[v // columns * panels + p, v % columns].remove()
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=min(len(labels), 5))
    if lead_hours is not None:
        figure.suptitle(lead_text(lead_hours))
    return figure, data


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
