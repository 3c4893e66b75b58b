"""Fractions skill score: from which scale on is a forecast of events useful? Roberts and Lean (2008)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator

from wxexp.reports.style import FORECAST, MEAN, OTHERS, Drawing, lead_text, new_figure, number, panel_grid, styled, unit_text


@styled()
def fss_by_scale(scores: xr.Dataset, *, units: Mapping[str, str], cell_km: float | None = None, lead_hours: float | None = None) -> Drawing:
    """FSS over the side of squares, one panel per variable and one line with its band per threshold that is exceeded at all.

    Dotted in the same colour, ½ + f/2, above which a forecast is useful, half way between the score f of one that is random with the
    observed frequency f of the event, dashed at the left, and 1.

    Args:
        scores: `fss`, and where known `low`, `high` (variable, threshold, scale), and `frequency` (variable, threshold), scales in cells.
        units: of each variable, and so of its thresholds.
        cell_km: side of a cell; None: scales are in cells.
        lead_hours: of the forecasts, where they have one.

    Returns:
        The figure, and `scores` with `useful` and `random` (variable, threshold), and `least` (variable, threshold), the smallest scale in
        cells from which on the forecast is useful at all larger ones; NaN where there is none.
    """
    data = scores.transpose("variable", "threshold", "scale", ...).sortby("scale")
    data["random"], data["useful"] = data["frequency"], 0.5 + data["frequency"] / 2
    data["least"] = (("variable", "threshold"), _least(data["fss"].values, data["useful"].values, data["scale"].values))
    names = [str(name) for name in data["variable"].values if np.isfinite(data["fss"].sel(variable=name)).any()]
    columns = min(3, len(names))
    figure = new_figure(-(-len(names) // columns) * 2.7 + 0.2)
    size, text = (1.0, "cells") if cell_km is None else (cell_km, "km")
    side, palette = data["scale"].values * size, (FORECAST, MEAN, *OTHERS)
    for axis, name in zip(panel_grid(figure, len(names), columns), names, strict=True):
        mine = data.sel(variable=name)
        present = [t for t in range(mine.sizes["threshold"]) if np.isfinite(mine["fss"].values[t]).any()]
        for place, t in enumerate(present):
            line, colour = mine.isel(threshold=t), palette[place % len(palette)]
            known = np.isfinite(line["fss"].values)
            least = float(line["least"])
            when = f"useful from {number(least * size)} {text}" if np.isfinite(least) else "not useful"
            label = f"> {float(line['threshold']):g}" + (f": {when}" if np.isfinite(line["useful"]) else "")
            if "low" in line:
                axis.fill_between(side[known], line["low"].values[known], line["high"].values[known], color=colour, alpha=0.18, lw=0)
            axis.plot(side[known], line["fss"].values[known], "o-", ms=3, color=colour, label=label)
            axis.axhline(float(line["useful"]), color=colour, lw=0.9, ls=":")
            axis.plot([0.0, 0.08], [float(line["random"])] * 2, color=colour, lw=0.9, ls="--", transform=axis.get_yaxis_transform())
        axis.set_xscale("log")
        axis.set_ylim(0.0, 1.02)
        axis.set_xlim(side[0] / 1.15, side[-1] * 1.15)
        axis.xaxis.set_major_locator(FixedLocator(side.tolist()))
        axis.xaxis.set_minor_locator(NullLocator())
        axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
        axis.xaxis.set_minor_formatter(NullFormatter())
        axis.set_xlabel(f"side of the square ({text})")
        axis.set_ylabel("fractions skill score" if name == names[0] else "")
        axis.set_title(f"{name} ({unit_text(units[name])})".replace(" ()", ""))
        axis.legend(loc="lower right", fontsize=6.5)
    if lead_hours is not None:
        figure.suptitle(lead_text(lead_hours))
    return figure, data


def _least(fss: np.ndarray, useful: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """The first scale from which on all known scores [..., scale] are at least `useful` [...]."""
    good = np.where(np.isnan(fss), True, fss >= useful[..., None])
    onward = np.flip(np.logical_and.accumulate(np.flip(good, -1), axis=-1), -1) & np.isfinite(fss) & np.isfinite(useful)[..., None]
    return np.where(onward.any(axis=-1), scales[onward.argmax(axis=-1)].astype(np.float64), np.nan)
