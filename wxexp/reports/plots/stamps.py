"""Postage stamps: one case as truth, input, ensemble mean, spread and single members."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm

from wxexp.fields.grid import Grid
from wxexp.reports.panels import colour_bar, dataset, draw_field, is_line, map_size, outer_labels
from wxexp.reports.style import (
    FORECAST,
    MEAN,
    ORANGE,
    TRUTH,
    Drawing,
    date_text,
    diverging,
    lead_text,
    new_figure,
    sequential,
    styled,
    unit_text,
    with_units,
)


@styled()
def postage_stamps(
    members: np.ndarray,
    *,
    grid: Grid,
    variable: str,
    units: str,
    time: str,
    truth: np.ndarray | None = None,
    coarse: np.ndarray | None = None,
    lead_hours: float | None = None,
    shown: int = 4,
) -> Drawing:
    """One case of one variable; maps share one norm, masked cells (NaN) are grey. On a ring, lines.

    Args:
        members: [M, *S], physical units. With M = 1 the error of the forecast stands in the place of the spread.
        grid: of *S.
        variable: name in titles.
        units: CF units of the variable.
        time: ISO (initial) time.
        truth: [*S]; None where there is none.
        coarse: [*S], the coarse input as blocks on the fine grid; None where there is none.
        lead_hours: of the members, where they are forecasts.
        shown: members drawn one by one: the first ones.

    Returns:
        The figure, and a dataset with `truth`, `coarse`, `mean`, `spread` (unbiased standard deviation over all M), `error` (mean - truth)
        and `members` (those shown), each where it exists; for maps the attribute `scale` of the colours, linear or square root.
    """
    mean = members.mean(axis=0)
    single = len(members) == 1
    fields: dict[str, tuple[tuple[str, ...], np.ndarray]] = {}
    if truth is not None:
        fields["truth"] = ((), truth)
        fields["error"] = ((), mean - truth)
    if coarse is not None:
        fields["coarse"] = ((), np.where(np.isfinite(mean), coarse, np.nan))
    fields["mean"] = ((), mean)
    if not single:
        fields["spread"] = ((), members.std(axis=0, ddof=1))
        fields["members"] = (("member",), members[:shown])
    data = dataset(grid, fields)
    data.attrs = {"variable": variable, "units": units, "time": time, "members": len(members)}
    heading = " ".join(part for part in (variable, date_text(time), lead_text(lead_hours)) if part)
    draw = _lines if is_line(grid) else _maps
    return draw(data, grid, variable, units, heading)


def _maps(data: xr.Dataset, grid: Grid, variable: str, units: str, heading: str) -> Drawing:
    stamps = [(name, data[name].values) for name in ("truth", "coarse", "mean") if name in data]
    norm, extend = sequential(*(v for _, v in stamps), *(data["members"].values if "members" in data else ()))
    data.attrs["scale"] = "square root" if isinstance(norm, PowerNorm) else "linear"
    single = "spread" not in data
    titles = {"truth": "truth", "coarse": "coarse input", "mean": "forecast" if single else f"mean of {data.attrs['members']} members"}
    columns = len(stamps) + (1 if not single or "error" in data else 0)
    members = [] if single else list(data["members"].values)[:columns]
    rows = 1 + bool(members)
    figure = new_figure(rows * (map_size(grid, columns, bar=0.3) + 0.3) + 0.42)
    axes: list[Axes] = figure.subplots(rows, columns, squeeze=False).ravel().tolist()
    for axis, (name, values) in zip(axes, stamps, strict=False):
        drawn = draw_field(axis, grid, values, norm, "viridis")
        axis.set_title(titles[name])
    last = axes[columns - 1]
    if single:
        colour_bar(figure, axes[len(stamps) - 1], drawn, label=unit_text(units), extend=extend)
        if "error" in data:
            around, beyond = diverging(data["error"].values)
            error = draw_field(last, grid, data["error"].values, around, "RdBu_r")
            last.set_title("forecast − truth")
            colour_bar(figure, last, error, label=unit_text(units), extend=beyond)
    else:
        width, beyond = sequential(data["spread"].values)
        spread = draw_field(last, grid, data["spread"].values, width, "cividis")
        last.set_title("spread")
        colour_bar(figure, last, spread, label=unit_text(units), extend=beyond)
        for i, (axis, values) in enumerate(zip(axes[columns:], members, strict=False)):
            draw_field(axis, grid, values, norm, "viridis")
            axis.set_title(f"member {i + 1}")
        for axis in axes[columns + len(members) :]:
            axis.remove()
        colour_bar(figure, axes[columns + len(members) - 1], drawn, label=unit_text(units), extend=extend)
    outer_labels(axes[: columns + len(members)], columns)
    figure.suptitle(heading)
    return figure, data


def _lines(data: xr.Dataset, grid: Grid, variable: str, units: str, heading: str) -> Drawing:
    figure = new_figure(3.6)
    axes: list[Axes] = figure.subplots(2, 1, sharex=True, height_ratios=(2.2, 1.0)).ravel().tolist()
    upper, lower = axes
    x = grid.lon
    single = "spread" not in data
    if not single:
        for i, values in enumerate(data["members"].values):
            upper.plot(x, values, color=FORECAST, alpha=0.45, lw=0.9, label="members" if i == 0 else None)
    if "coarse" in data:
        upper.step(x, data["coarse"].values, color=ORANGE, lw=1.1, where="mid", label="coarse input")
    upper.plot(x, data["mean"].values, color=MEAN, ls="--", label="forecast" if single else f"mean of {data.attrs['members']} members")
    if "truth" in data:
        upper.plot(x, data["truth"].values, color=TRUTH, label="truth")
        lower.plot(
            x, np.abs(data["error"].values), color=MEAN, ls="--", lw=1.1, label="|mean − truth|" if not single else "|forecast − truth|"
        )
    if not single:
        lower.plot(x, data["spread"].values, color=FORECAST, lw=1.1, label="spread")
    upper.set_ylabel(with_units(variable, units))
    lower.set_ylabel(with_units("error, spread", units))
    lower.set_ylim(bottom=0)
    lower.set_xlabel("place on the ring")
    for axis in axes:
        axis.grid(True)
        axis.margins(x=0.01)
        axis.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    figure.suptitle(heading)
    return figure, data
