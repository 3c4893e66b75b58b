"""What a forecast of an event is worth to those who can protect themselves, whatever protection costs them. Richardson (2000)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

from wxexp.reports.plots.thresholds import events
from wxexp.reports.style import BLACK, FORECAST, MEAN, OTHERS, Drawing, lead_text, new_figure, number, panel_grid, styled, unit_text
from wxexp.statistics.reliability import economic_value

_SMALL = np.logspace(-3.0, -1.0, 16, endpoint=False)
COSTS = np.concatenate([_SMALL, np.linspace(0.1, 0.9, 33), 1.0 - _SMALL[::-1]])
"""Ratios of cost to loss, 0.001 to 0.999, closer to each other towards both ends."""
RARE = 0.05
"""The maximum of an event rarer than this is where an axis of equal steps has no room."""


@styled()
def value_curves(
    tables: xr.DataArray, *, bounds: xr.Dataset | None = None, units: Mapping[str, str], lead_hours: float | None = None
) -> Drawing:
    """Relative economic value over the ratio of cost to loss, one panel per variable, one curve with its band per threshold.

    A user pays a cost α for protection from a loss of 1, and warns where at least k members exceed the threshold, with the k that is best
    for α. The value is the part saved of what a perfect forecast (dashed, 1) would save, beyond what knowing the frequency of the event
    does (0); it is largest, a dot, where α is that frequency, and there the largest difference of hit rate and false alarm rate.

    Args:
        tables: as those of `reliability`.
        bounds: `value_low` and `value_high` (variable, threshold, cost) at `COSTS`.
        units: of each variable.
        lead_hours: of the forecasts, where they have one.

    Returns:
        The figure, and by `curve` and `cost` the `value`, with its `low` and `high` where there are bounds; by curve `frequency` of the
        event and `largest`, the value of those whose ratio it is. The axis is logarithmic where an event is rare.
    """
    tables = tables.transpose("variable", "threshold", "exceeding", "event")
    chosen = events(tables)
    names, thresholds = [str(v) for v in tables["variable"].values], tables["threshold"].values
    found = np.stack([tables.values[place] for place in chosen])
    frequency = found[..., 1].sum(axis=-1) / found.sum(axis=(-2, -1))
    largest = np.array([economic_value(table, [s])[0] for table, s in zip(found, frequency, strict=True)])
    data = xr.Dataset(
        {"value": (("curve", "cost"), economic_value(found, COSTS)), "frequency": ("curve", frequency), "largest": ("curve", largest)},
        {
            "cost": COSTS,
            "variable": ("curve", [names[v] for v, _ in chosen]),
            "threshold": ("curve", [float(thresholds[t]) for _, t in chosen]),
        },
    )
    if bounds is not None and "value_low" in bounds:
        for name in ("low", "high"):
            values = bounds[f"value_{name}"].transpose("variable", "threshold", "cost").values
            data[name] = (("curve", "cost"), np.stack([values[place] for place in chosen]))
    panels = list(dict.fromkeys(v for v, _ in chosen))
    columns = min(3, len(panels))
    figure = new_figure(-(-len(panels) // columns) * 2.9 + 0.2)
    for axis, v in zip(panel_grid(figure, len(panels), columns), panels, strict=True):
        _curves(axis, data.isel(curve=[i for i, (variable, _) in enumerate(chosen) if variable == v]))
        _cost_axis(axis, logarithmic=bool(frequency.min() < RARE))
        axis.set_ylabel("relative economic value" if v == panels[0] else "")
        axis.set_title(f"{names[v]} ({unit_text(units[names[v]])})".replace(" ()", ""))
    if lead_hours is not None:
        figure.suptitle(lead_text(lead_hours))
    return figure, data


def _curves(axis: Axes, curves: xr.Dataset) -> None:
    palette, costs = (FORECAST, MEAN, *OTHERS), curves["cost"].values
    axis.axhline(1.0, color=BLACK, lw=0.8, ls="--")
    axis.axhline(0.0, color=BLACK, lw=0.8)
    for place in range(curves.sizes["curve"]):
        curve, colour = curves.isel(curve=place), palette[place % len(palette)]
        s, most = float(curve["frequency"]), float(curve["largest"])
        if "low" in curve:
            axis.fill_between(costs, curve["low"].values, curve["high"].values, color=colour, alpha=0.18, lw=0)
        x, y = np.append(costs, s), np.append(curve["value"].values, most)
        order = np.argsort(x, kind="stable")
        axis.plot(x[order], y[order], color=colour, label=f"> {float(curve['threshold']):g}: {number(most, 2)} at {number(s, 2)}")
        axis.plot([s], [most], "o", ms=4, color=colour)
    axis.set_ylim(-0.04, 1.06)
    axis.grid(True)
    axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.22), fontsize=6.5)


def _cost_axis(axis: Axes, *, logarithmic: bool) -> None:
    if logarithmic:
        axis.set_xscale("log")
        axis.set_xlim(COSTS[0], 1.0)
        axis.xaxis.set_major_locator(FixedLocator([0.001, 0.01, 0.1, 1.0]))
        axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
        axis.xaxis.set_minor_formatter(NullFormatter())
    else:
        axis.set_xlim(0.0, 1.0)
        axis.set_xticks([0, 0.5, 1])
    axis.set_xlabel("cost of protection / loss without it")
