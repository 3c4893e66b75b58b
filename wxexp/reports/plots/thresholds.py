"""Probabilities that a threshold is exceeded: are they reliable, and do they tell events from others?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from wxexp.reports.style import BLACK, FORECAST, MEAN, OTHERS, Drawing, lead_text, new_figure, number, panel_grid, styled, unit_text
from wxexp.statistics.reliability import calibrated, corp, roc, shares

_GREY = "#7F7F7F"


def events(tables: xr.DataArray) -> list[tuple[int, int]]:
    """(variable, threshold) by place, where there are both events and others, so that there is something to tell apart."""
    sums = tables.transpose("variable", "threshold", "exceeding", "event").values.sum(axis=2)
    return [(int(v), int(t)) for v, t in np.argwhere((sums > 0).all(axis=-1))]


@styled()
def reliability(
    tables: xr.DataArray, *, bounds: xr.Dataset | None = None, units: Mapping[str, str], lead_hours: float | None = None
) -> Drawing:
    """How often the truth exceeds a threshold where a part p = k/M of the members does, one panel per variable and threshold.

    Dots are as large as p is frequent; the line is the isotonic calibration of CORP (Dimitriadis, Gneiting and Jordan 2021), with its
    band. On the diagonal probabilities are frequencies. In the shaded region a forecast is better than the mean frequency (dotted) in the
    Brier score: beyond the line halfway between it and the diagonal. Below, how often each p is forecast.

    Args:
        tables: totals, dims (variable, threshold, exceeding, event), as those of `wxexp.statistics.Exceedances`, at least one with events
            and others.
        bounds: `low` and `high` (variable, threshold, exceeding) of the calibration.
        units: of each variable.
        lead_hours: of the forecasts, where they have one.

    Returns:
        The figure, and by `panel` and `probability`: `frequency`, `calibrated`, `low`, `high`, `weight`; by panel `base` (the mean
        frequency) and the parts of the Brier score, `miscalibration`, `discrimination`, `uncertainty`.
    """
    data = _calibration(tables.transpose("variable", "threshold", "exceeding", "event"), bounds)
    count = data.sizes["panel"]
    columns = min(3, count)
    rows = -(-count // columns)
    figure = new_figure(rows * 3.35 + 0.2)
    grid = figure.subplots(2 * rows, columns, squeeze=False, height_ratios=[3.0, 1.0] * rows)
    for i in range(rows * columns):
        upper, lower = grid[i // columns * 2, i % columns], grid[i // columns * 2 + 1, i % columns]
        if i >= count:
            upper.remove()
            lower.remove()
            continue
        panel = data.isel(panel=i)
        _diagram(upper, panel)
        _sharpness(lower, panel["probability"].values, panel["weight"].values)
        name = str(panel["variable"].item())
        upper.set_title(f"{name} > {panel['threshold'].item():g} {unit_text(units[name])}".rstrip())
        upper.set_ylabel("frequency of the event" if i % columns == 0 else "")
        lower.set_ylabel("share" if i % columns == 0 else "")
    if lead_hours is not None:
        figure.suptitle(lead_text(lead_hours))
    return figure, data


def _calibration(tables: xr.DataArray, bounds: xr.Dataset | None) -> xr.Dataset:
    """What `reliability` returns, of tables (variable, threshold, exceeding, event)."""
    chosen = events(tables)
    names, thresholds = [str(v) for v in tables["variable"].values], tables["threshold"].values
    p = np.arange(tables.sizes["exceeding"]) / (tables.sizes["exceeding"] - 1)
    found = np.stack([tables.values[place] for place in chosen])
    parts = corp(found)
    weight = found.sum(axis=-1)
    dims = ("panel", "probability")
    data = xr.Dataset(
        {
            "frequency": (dims, shares(found)),
            "calibrated": (dims, calibrated(found)),
            "weight": (dims, weight / weight.sum(axis=-1, keepdims=True)),
            "base": ("panel", found[..., 1].sum(axis=-1) / weight.sum(axis=-1)),
            **{name: ("panel", getattr(parts, name)) for name in ("miscalibration", "discrimination", "uncertainty")},
        },
        {
            "probability": p,
            "variable": ("panel", [names[v] for v, _ in chosen]),
            "threshold": ("panel", [float(thresholds[t]) for _, t in chosen]),
        },
    )
    if bounds is not None:
        for name in ("low", "high"):
            values = bounds[name].transpose("variable", "threshold", "exceeding").values
            data[name] = (dims, np.stack([values[place] for place in chosen]))
    return data


def _diagram(axis: Axes, panel: xr.Dataset) -> None:
    p, base = panel["probability"].values, float(panel["base"])
    x = np.array([0.0, base, 1.0])
    axis.fill_between(x, (x + base) / 2, np.where(x < base, 0.0, 1.0), where=x >= base, color="#EDEDED", lw=0)
    axis.fill_between(x, (x + base) / 2, 0.0, where=x <= base, color="#EDEDED", lw=0)
    axis.axhline(base, color=_GREY, lw=0.8, ls=":")
    axis.plot([0, 1], [0, 1], color=BLACK, lw=0.8, ls="--")
    known = np.isfinite(panel["calibrated"].values)
    if "low" in panel:
        axis.fill_between(p[known], panel["low"].values[known], panel["high"].values[known], color=FORECAST, alpha=0.2, lw=0)
    axis.plot(p[known], panel["calibrated"].values[known], color=FORECAST, lw=1.4)
    axis.scatter(p, panel["frequency"].values, s=4 + 110 * np.sqrt(panel["weight"].values), color=MEAN, alpha=0.7, lw=0)
    lines = (("MCB", "miscalibration"), ("DSC", "discrimination"), ("UNC", "uncertainty"))
    text = "\n".join(f"{short} {number(float(panel[name]), 2)}" for short, name in lines)
    axis.text(0.04, 0.96, text, transform=axis.transAxes, va="top", fontsize=7)
    axis.set_xlim(-0.03, 1.03)
    axis.set_ylim(-0.03, 1.03)
    axis.set_aspect("equal")
    axis.set_xticks([0, 0.5, 1])
    axis.set_yticks([0, 0.5, 1])
    axis.tick_params(labelbottom=False)


def _sharpness(axis: Axes, p: np.ndarray, weight: np.ndarray) -> None:
    axis.bar(p, weight, width=0.8 * p[1], color=MEAN, alpha=0.7)
    axis.set_yscale("log")
    axis.set_ylim(max(1e-5, 0.5 * float(weight[weight > 0].min(initial=1.0))), 1.6)
    axis.set_xlim(-0.03 - 0.4 * p[1], 1.03 + 0.4 * p[1])
    axis.set_xticks([0, 0.5, 1])
    axis.set_xlabel("part of members that exceed")


@styled()
def roc_curves(
    tables: xr.DataArray, *, bounds: xr.Dataset | None = None, units: Mapping[str, str], lead_hours: float | None = None
) -> Drawing:
    """Hit rate over false alarm rate of "at least k members exceed", one panel per variable, one curve of M + 2 points per threshold.

    Args:
        tables: as those of `reliability`.
        bounds: `area_low` and `area_high` (variable, threshold), for the legend.
        units: of each variable.
        lead_hours: of the forecasts, where they have one.

    Returns:
        The figure, and `false_alarms`, `hits` (curve, point) and `area` (curve), the area below, straight between points: the chance that
        an event has more members that exceed than another case (Mason and Graham 2002).
    """
    tables = tables.transpose("variable", "threshold", "exceeding", "event")
    chosen = events(tables)
    names, thresholds = [str(v) for v in tables["variable"].values], tables["threshold"].values
    false, hits = roc(np.stack([tables.values[place] for place in chosen]))
    area = (np.diff(false, axis=-1) * (hits[..., 1:] + hits[..., :-1]) / 2).sum(axis=-1)
    data = xr.Dataset(
        {"false_alarms": (("curve", "point"), false), "hits": (("curve", "point"), hits), "area": ("curve", area)},
        {"variable": ("curve", [names[v] for v, _ in chosen]), "threshold": ("curve", [float(thresholds[t]) for _, t in chosen])},
    )
    panels = list(dict.fromkeys(v for v, _ in chosen))
    columns = min(3, len(panels))
    figure = new_figure(-(-len(panels) // columns) * 2.9 + 0.2)
    palette = (FORECAST, MEAN, *OTHERS)
    for axis, v in zip(panel_grid(figure, len(panels), columns), panels, strict=True):
        curves = [(i, t) for i, (variable, t) in enumerate(chosen) if variable == v]
        axis.plot([0, 1], [0, 1], color=BLACK, lw=0.8, ls="--")
        for place, (i, t) in enumerate(curves):
            label = f"> {thresholds[t]:g}: area {area[i]:.3f}"
            if bounds is not None and np.isfinite(low := float(bounds["area_low"].values[v, t])):
                label += f" ({low:.3f}–{float(bounds['area_high'].values[v, t]):.3f})"
            axis.plot(false[i], hits[i], "o-", ms=2.5, lw=1.2, color=palette[place % len(palette)], label=label)
        axis.set_aspect("equal")
        axis.set_xlim(-0.02, 1.02)
        axis.set_ylim(-0.02, 1.02)
        axis.set_xlabel("false alarm rate")
        axis.set_ylabel("hit rate" if v == panels[0] else "")
        axis.set_title(f"{names[v]} ({unit_text(units[names[v]])})".replace(" ()", ""))
        axis.legend(loc="lower right", fontsize=6.5)
    if lead_hours is not None:
        figure.suptitle(lead_text(lead_hours))
    return figure, data
