"""Q–Q: do the members have as many large and small values as the truth?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from wxexp.reports.style import BLACK, FORECAST, MEAN, Drawing, lead_text, new_figure, panel_grid, styled, with_units
from wxexp.statistics.distributions import quantiles

LEVELS = np.concatenate([[1e-4, 1e-3], np.linspace(0.01, 0.99, 99), [0.999, 0.9999]])
_MARKED = (0.01, 0.5, 0.9, 0.99, 0.999, 0.9999)


@styled()
def quantile_quantile(
    histograms: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]],
    *,
    units: Mapping[str, str],
    logarithmic: bool = False,
    lead_hours: float | None = None,
) -> Drawing:
    """Quantiles of the members over those of the truth, from 0.01 % to 99.99 %, one panel per variable; on the line they are the same.

    Args:
        histograms: variable -> edges [n + 1], counts of truth and of members [n + 2], as those of `wxexp.statistics.Bins`.
        units: of each variable.
        logarithmic: both axes.
        lead_hours: of the forecasts, where they have one.

    Returns:
        The figure, and `truth` and `members` (variable, level); NaN beyond the outermost edges.
    """
    names = list(histograms)
    found = {
        name: np.stack([quantiles(histograms[name][1 + side], histograms[name][0], LEVELS) for name in names])
        for side, name in enumerate(("truth", "members"))
    }
    dims = ("variable", "level")
    data = xr.Dataset({name: (dims, values) for name, values in found.items()}, {"variable": names, "level": LEVELS})
    columns = min(3, len(names))
    figure = new_figure(-(-len(names) // columns) * 2.75 + 0.2)
    for axis, name in zip(panel_grid(figure, len(names), columns), names, strict=True):
        y, x = (data[side].sel(variable=name).values for side in ("truth", "members"))
        if not _panel(axis, y, x, logarithmic=logarithmic):
            axis.set_title(f"{name}: outside the bins")
            continue
        axis.set_title(name)
        axis.set_xlabel(with_units("truth", units[name]))
        axis.set_ylabel(with_units("members", units[name]))
        axis.grid(True)
    if lead_hours is not None:
        figure.suptitle(lead_text(lead_hours))
    return figure, data


def _panel(axis: Axes, y: np.ndarray, x: np.ndarray, *, logarithmic: bool) -> bool:
    """Draws quantiles of truth and members; False where none is within the bins."""
    both = np.concatenate([y[np.isfinite(y)], x[np.isfinite(x)]])
    both = both[both > 0] if logarithmic else both
    if not both.size:
        return False
    least, most = float(both.min()), float(both.max())
    axis.plot([least, most], [least, most], color=BLACK, lw=0.8, ls="--")
    axis.plot(y, x, "o-", ms=1.8, lw=1.0, color=FORECAST)
    scale = np.log if logarithmic else np.asarray
    last = -np.inf
    for level in _MARKED:
        at = int(np.abs(LEVELS - level).argmin())
        if np.isfinite(y[at]) and np.isfinite(x[at]) and (not logarithmic or min(x[at], y[at]) > 0):
            axis.plot(y[at], x[at], "o", ms=4, color=MEAN)
            if scale(y[at]) - last < 0.07 * (scale(most) - scale(least)):
                continue  # it would lie on the label before
            last = float(scale(y[at]))
            axis.annotate(f"{100 * level:g} %", (y[at], x[at]), (5, -2), textcoords="offset points", fontsize=6.5, va="top")
    if logarithmic:
        axis.set_xscale("log")
        axis.set_yscale("log")
    margin = 0.08 * (most - least) or 0.5
    limits = (least / 1.3, most * (most / least) ** 0.28) if logarithmic else (least - margin, most + 4 * margin)
    axis.set_xlim(*limits)
    axis.set_ylim(*limits)
    axis.set_aspect("equal")
    return True
