"""Scores by lead time, forecast and baselines, with their intervals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from wxexp.interfaces import Row
from wxexp.reports.style import BLACK, FORECAST, OTHERS, Drawing, new_figure, panel_grid, styled, with_units

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


def _colours(rows: Sequence[Row]) -> dict[str, str]:
    """Of all sources of a table, whichever of them have the metric."""
    others = [source for source in dict.fromkeys(r.source for r in rows) if source != "forecast"]
    return {"forecast": FORECAST} | {source: OTHERS[i % len(OTHERS)] for i, source in enumerate(others)}
