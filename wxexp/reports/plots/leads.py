"""Scores by lead time, forecast and baselines, with their intervals; and whether the spread grows as the error does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from wxexp.interfaces import Row
from wxexp.reports.style import BLACK, FORECAST, MEAN, OTHERS, Drawing, new_figure, panel_grid, styled, with_units

MOST_TICKS = 10
"""Lead times, of which each has a tick."""


@styled()
def score_by_lead(rows: Sequence[Row], *, metric: str, label: str, variables: Sequence[str], group: str = "all") -> Drawing:
    """One panel per variable, one line per source against lead time in days; bands are the rows' intervals. Sources keep their colours.

    Args:
        rows: of a table; those of other metrics, groups and without a lead are left out.
        metric: snake-case name, such as "crps".
        label: of the axis.
        variables: panels, in this order.
        group: region.

    Returns:
        The figure, and `value`, `low`, `high` [source, variable, lead_hours], NaN where there is no row.
    """
    colours = _colours(rows)
    rows = [r for r in rows if r.metric == metric and r.group == group and r.lead_hours is not None and r.variable in variables]
    sources = sorted({r.source: None for r in rows}, key=lambda s: s != "forecast")
    leads = sorted({float(r.lead_hours) for r in rows if r.lead_hours is not None})
    shape = (len(sources), len(variables), len(leads))
    value, low, high = np.full(shape, np.nan), np.full(shape, np.nan), np.full(shape, np.nan)
    units = {r.variable: r.units for r in rows}
    for r in rows:
        assert r.lead_hours is not None
        place = sources.index(r.source), list(variables).index(r.variable), leads.index(float(r.lead_hours))
        value[place] = r.value
        low[place], high[place] = (np.nan if bound is None else bound for bound in (r.low, r.high))
    dims = ("source", "variable", "lead_hours")
    data = xr.Dataset(
        {"value": (dims, value), "low": (dims, low), "high": (dims, high)},
        {"source": sources, "variable": list(variables), "lead_hours": leads},
        {"metric": metric},
    )
    columns = min(3, len(variables))
    figure = new_figure(-(-len(variables) // columns) * 2.3 + 0.3)
    axes = panel_grid(figure, len(variables), columns)
    days = np.asarray(leads) / 24
    for v, axis in enumerate(axes):
        for s, source in enumerate(sources):
            axis.fill_between(days, low[s, v], high[s, v], color=colours[source], alpha=0.2, lw=0)
            axis.plot(days, value[s, v], "o-", ms=3, color=colours[source], label=source.replace("_", " "))
        if metric == "spread_skill":
            axis.axhline(1.0, color=BLACK, lw=1.0, ls="--")
        if len(days) <= MOST_TICKS:
            axis.set_xticks(days, [f"{day:g}" for day in days.round(3)])
        axis.set_xlabel("lead time (days)")
        axis.set_ylabel(with_units(label, units.get(variables[v], "1")))
        axis.set_title(variables[v])
        axis.grid(True)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=min(len(labels), 5))
    return figure, data


@styled()
def spread_and_error(rows: Sequence[Row], *, variables: Sequence[str], group: str = "all") -> Drawing:
    """RMSE of the ensemble mean (solid, with its interval) and spread (dashed) against lead time in days; below, spread / RMSE, 1 at best.

    The spread is sqrt((M + 1) / M * mean s^2), equal to the RMSE for a reliable ensemble of any size M (Fortin et al. 2014, eq. 15), as
    the product of the rows `rmse` and `spread_skill`. Variables of the same units share a panel, and each keeps its colour.

    Args:
        rows: of a table; those of other metrics, sources, groups and without a lead are left out.
        variables: of which at least one has both rows at some lead.
        group: region.

    Returns:
        The figure, and `rmse`, `ratio`, each with `_low` and `_high`, and `spread` [variable, lead_hours], NaN where there is no row.
    """
    mine = [r for r in rows if r.source == "forecast" and r.group == group and r.lead_hours is not None and r.variable in variables]
    found = {metric: {(r.variable, r.lead_hours): r for r in mine if r.metric == metric} for metric in ("rmse", "spread_skill")}
    both = found["rmse"].keys() & found["spread_skill"].keys()
    names = [name for name in variables if any(name == variable for variable, _ in both)]
    leads = sorted({float(lead) for variable, lead in both if lead is not None})
    units = {name: next(r.units for r in mine if r.metric == "rmse" and r.variable == name) for name in names}
    data = xr.Dataset(coords={"variable": names, "lead_hours": leads})
    for metric, name in (("rmse", "rmse"), ("spread_skill", "ratio")):
        for suffix, field in (("", "value"), ("_low", "low"), ("_high", "high")):
            here = [[getattr(found[metric].get((variable, lead)), field, None) for lead in leads] for variable in names]
            data[name + suffix] = (("variable", "lead_hours"), np.array(here, dtype=np.float64))  # None becomes NaN
    data["spread"] = data["ratio"] * data["rmse"]
    kinds = list(dict.fromkeys(units.values()))
    columns = 2 if len(kinds) == 4 else min(3, len(kinds))
    lines = -(-len(kinds) // columns)
    figure = new_figure(lines * 3.3 + 0.4)
    grid = figure.subplots(2 * lines, columns, squeeze=False, height_ratios=[2.2, 1.0] * lines)
    colours = (FORECAST, MEAN, *OTHERS)
    palette = {name: colours[i % len(colours)] for i, name in enumerate(names)}
    days = np.asarray(leads) / 24
    for place in range(lines * columns):
        upper, lower = grid[place // columns * 2, place % columns], grid[place // columns * 2 + 1, place % columns]
        if place >= len(kinds):
            upper.remove()
            lower.remove()
            continue
        for name in (name for name in names if units[name] == kinds[place]):
            one, colour = data.sel(variable=name), palette[name]
            _banded(upper, days, one["rmse"].values, one["rmse_low"].values, one["rmse_high"].values, colour, name)
            upper.plot(days, one["spread"].values, "o--", ms=3, color=colour)
            _banded(lower, days, one["ratio"].values, one["ratio_low"].values, one["ratio_high"].values, colour, name)
        lower.axhline(1.0, color=BLACK, lw=1.0, ls=":")
        for axis in (upper, lower):
            axis.grid(True)
            if len(days) <= MOST_TICKS:
                axis.set_xticks(days, [f"{day:g}" for day in days.round(3)])
        upper.tick_params(labelbottom=False)
        upper.set_ylim(bottom=0.0)
        upper.set_ylabel(with_units("RMSE and spread", kinds[place]))
        upper.legend(loc="best")
        lower.set_xlabel("lead time (days)")
        lower.set_ylabel("spread / RMSE")
    marks = [Line2D([], [], color="#404040", ls=style) for style in ("-", "--")]
    figure.legend(marks, ["RMSE of the ensemble mean", "spread · √((M + 1) / M)"], loc="outside upper center", ncols=2)
    return figure, data


def _banded(axis: Axes, x: np.ndarray, value: np.ndarray, low: np.ndarray, high: np.ndarray, colour: str, label: str) -> None:
    axis.fill_between(x, low, high, color=colour, alpha=0.18, lw=0)
    axis.plot(x, value, "o-", ms=3, color=colour, label=label)


def _colours(rows: Sequence[Row]) -> dict[str, str]:
    """Of all sources of a table, whichever of them have the metric."""
    others = [source for source in dict.fromkeys(r.source for r in rows) if source != "forecast"]
    return {"forecast": FORECAST} | {source: OTHERS[i % len(OTHERS)] for i, source in enumerate(others)}
