"""Maps of scores: where the forecast is biased, poor, or unsure of itself."""

from __future__ import annotations

import numpy as np
import xarray as xr

from wxexp.fields.grid import Grid
from wxexp.reports.panels import area_mean, colour_bar, draw_field, is_line, map_size, outer_labels
from wxexp.reports.style import (
    FORECAST,
    NO_DATA,
    Drawing,
    Limits,
    around_one,
    diverging,
    lead_text,
    new_figure,
    number,
    panel_grid,
    sequential,
    styled,
    unit_text,
    with_units,
)

_WORDS = {"bias": "bias", "crps": "CRPS", "mae": "MAE", "rmse": "RMSE", "spread": "spread", "spread_skill": "spread / skill"}


@styled()
def maps(
    scores: xr.Dataset, *, grid: Grid, variable: str, units: str, lead_hours: float | None = None, deterministic: bool = False
) -> Drawing:
    """One map per score of one variable; on a ring, one line.

    `bias` is centred on 0, `spread_skill` on 1 (in the logarithm), every other score runs from its 2nd to its 98th percentile, those that
    can be compared (`crps`, `mae_bicubic`) on the same norm. Titles give the area mean over cells with data, of a ratio the median
    cell. Cells without data (NaN) are grey.

    Args:
        scores: data variables [*S], in the order of the panels; physical units, `spread_skill` without.
        grid: of *S.
        variable: name in titles.
        units: CF units of the variable.
        lead_hours: of the forecasts, where they have one.
        deterministic: the CRPS is that of a single forecast, and called MAE.

    Returns:
        The figure, and `scores` with the attribute `summary` (the number in the title) on each.
    """
    data = xr.Dataset(scores.data_vars, scores.coords)
    names = [str(name) for name in scores.data_vars]
    for name in names:
        values = scores[name].values
        middle = float(np.nanmedian(values)) if name == "spread_skill" and np.isfinite(values).any() else area_mean(grid, values)
        data[name].attrs = {"summary": middle, "units": "1" if name == "spread_skill" else units}
    columns = 2 if len(names) == 4 else min(3, len(names))
    rows = -(-len(names) // columns)
    height = 1.7 if is_line(grid) else map_size(grid, columns, bar=0.62) + 0.35
    figure = new_figure(rows * height + 0.4)
    axes = panel_grid(figure, len(names), columns)
    for axis, name in zip(axes, names, strict=True):
        values = scores[name].values
        word = score_word(name, deterministic)
        like = [scores[other].values for other in names if _kind(other) == _kind(name)]
        (norm, extend), colours = _limits(name, like)
        summary = number(float(data[name].attrs["summary"]))
        if is_line(grid):
            axis.plot(grid.lon, values, color=FORECAST)
            axis.set_ylim(*_span(like))
            axis.axhline({"bias": 0.0, "spread_skill": 1.0}.get(name, float(data[name].attrs["summary"])), color=NO_DATA, lw=1.0)
            axis.set_xlabel("place on the ring")
            axis.set_ylabel(word if name == "spread_skill" else with_units(word, units))
            axis.grid(True)
        else:
            drawn = draw_field(axis, grid, values, norm, colours)
            colour_bar(figure, axis, drawn, label="" if name == "spread_skill" else unit_text(units), extend=extend)
        axis.set_title(f"{word}: median {summary}" if name == "spread_skill" else f"{word}: mean {summary} {unit_text(units)}".rstrip())
    if not is_line(grid):
        outer_labels(axes, columns)
    figure.suptitle(" ".join(part for part in (variable, lead_text(lead_hours)) if part))
    return figure, data


def _limits(name: str, like: list[np.ndarray]) -> tuple[Limits, str]:
    if name == "bias":
        return diverging(*like), "RdBu_r"
    if name == "spread_skill":
        return around_one(*like), "PuOr"
    return sequential(*like, cut=2.0), "viridis"


def _span(like: list[np.ndarray]) -> tuple[float, float]:
    """From the lowest to the highest value, and a little more."""
    low, high = (float(f(np.concatenate(like))) for f in (np.nanmin, np.nanmax))
    margin = 0.06 * (high - low) or 0.5
    return low - margin, high + margin


def _kind(name: str) -> str:
    """Scores of one kind share a norm: the CRPS of a single forecast is its MAE, and the spread should be the RMSE."""
    first = name.split("_")[0]
    return "rmse" if name == "spread" else "crps" if first == "mae" else name if name == "spread_skill" else first


def score_word(name: str, deterministic: bool = False) -> str:
    """What a score is called: `mae_bicubic` is "MAE of bicubic"."""
    if name in _WORDS:
        return "MAE" if name == "crps" and deterministic else _WORDS[name]
    first, _, rest = name.partition("_")
    return f"{_WORDS[first]} of {rest.replace('_', ' ')}" if first in _WORDS else name.replace("_", " ")
