"""Plumes: the quantiles of an ensemble at one place, as time goes on. Ribbons as in the meteograms of the ECMWF (Owens and Hewson 2018)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from wxexp.reports.plots.leads import MOST_TICKS
from wxexp.reports.style import FORECAST, TRUTH, Drawing, date_text, new_figure, panel_grid, styled, with_units

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
MOST_DATES = 6
"""That are printed below a panel."""


@styled()
def plume(
    members: Mapping[str, np.ndarray],
    *,
    truth: Mapping[str, np.ndarray],
    units: Mapping[str, str],
    places: Mapping[str, str],
    lead_hours: np.ndarray | None = None,
    times: Sequence[str] = (),
    title: str = "",
) -> Drawing:
    """One panel per variable: ribbons from the 5 to the 95 and from the 25 to the 75 % quantile, their median, and truth.

    Quantiles are linear between the sorted members, the k-th of M at (k - 1) / (M - 1) (type 7 of Hyndman and Fan 1996). So of a reliable
    ensemble about 0.9 (M - 1) / (M + 1) of the truth is inside the wide ribbon.

    Args:
        members: variable -> [M, point]; where one is NaN, the ribbons have a gap.
        truth: variable -> [point], for those variables that have any.
        units: of each variable.
        places: where that is, for the titles.
        lead_hours: of the points [point]; None: they are `times`.
        times: ISO times of the points, drawn as far apart as they are in number, so that any calendar will do.
        title: of the picture.

    Returns:
        The figure, and `value` (variable, quantile, point) and `truth` (variable, point), with `place` (variable); points are `time`, as
        text, or `lead_hours`.
    """
    names, point = list(members), "time" if lead_hours is None else "lead_hours"
    value = np.stack([np.quantile(np.asarray(members[name], dtype=np.float64), QUANTILES, axis=0) for name in names])
    real = np.stack([np.asarray(truth.get(name, np.full(value.shape[-1], np.nan)), dtype=np.float64) for name in names])
    data = xr.Dataset(
        {"value": (("variable", "quantile", point), value), "truth": (("variable", point), real)},
        {
            "variable": names,
            "quantile": list(QUANTILES),
            point: list(times) if lead_hours is None else lead_hours,
            "place": ("variable", [places[name] for name in names]),
        },
        {"members": len(members[names[0]])},
    )
    long = lead_hours is None and len(times) > MOST_TICKS
    columns = min(2 if long else 3, len(names)) if not long or len(names) > 3 else 1
    figure = new_figure(-(-len(names) // columns) * (1.9 if long else 2.4) + 0.5)
    axes = panel_grid(figure, len(names), columns)
    x = np.arange(len(times)) if lead_hours is None else lead_hours / 24
    for v, axis in enumerate(axes):
        axis.fill_between(x, value[v, 0], value[v, 4], color=FORECAST, alpha=0.18, lw=0, label="5–95 % of the members")
        axis.fill_between(x, value[v, 1], value[v, 3], color=FORECAST, alpha=0.32, lw=0, label="25–75 %")
        axis.plot(x, value[v, 2], color=FORECAST, label="median")
        if np.isfinite(real).any():
            axis.plot(x, real[v], "o-", ms=2.5, lw=1.0, color=TRUTH, label="truth")
        if lead_hours is None:
            chosen = x[:: -(-len(x) // (MOST_DATES // columns))]
            axis.set_xticks(chosen, [date_text(times[i]) for i in chosen])
        else:
            axis.set_xlabel("lead time (days)")
            if len(x) <= MOST_TICKS:
                axis.set_xticks(x, [f"{day:g}" for day in x.round(3)])
        axis.set_xlim(x[0] - 0.015 * np.ptp(x), x[-1] + 0.015 * np.ptp(x))
        axis.set_ylabel(with_units(names[v], units[names[v]]))
        axis.set_title(places[names[v]])
        axis.grid(True)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    if title:
        figure.suptitle(title)
    return figure, data
