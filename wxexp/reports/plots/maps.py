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
from wxexp.scoring.comparison import best

_WORDS = {"bias": "bias", "crps": "CRPS", "mae": "MAE", "rmse": "RMSE", "spread": "spread", "spread_skill": "spread / skill"}
_OTHERS = {
    "brier": "Brier score",
    "brier_biased": "biased Brier score",
    "corp": "CORP",
    "crps_almost_fair": "almost fair CRPS",
    "crps_biased": "biased CRPS",
    "crpss": "CRPS skill over",
    "member_rmse": "RMSE of members",
    "pit": "PIT",
    "rank_histogram": "ranks: distance from flat",
    "roc_area": "ROC area",
    "rps": "RPS",
    "spread_skill_debiased": "spread / skill, debiased",
    "twcrps": "CRPS above",
    "twcrps_below": "CRPS below",
    "weighted_interval_score": "weighted interval score",
}
"""Beginnings of names, the longest of which counts; what follows them is printed as it is."""


@styled()
def maps(
    scores: xr.Dataset, *, grid: Grid, variable: str, units: str, lead_hours: float | None = None, deterministic: bool = False
) -> Drawing:
    """One map per score of one variable; on a ring, one line.

    What is best at 0 (`bias`), and skill over a baseline, is centred on 0; what is best at 1 (`spread_skill`) on 1, in the logarithm.
    Every other score runs from its 2nd to its 98th percentile, those that can be compared (`crps`, `mae_bicubic`) on the same norm.
    Titles give the area mean over cells with data, of a ratio the median cell. Cells without data (NaN) are grey.

    Args:
        scores: data variables [*S], in the order of the panels, in the units of the variable or of their attribute `units`;
            `spread_skill` has none.
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
        middle = float(np.nanmedian(values)) if _middle(name) == 1 and np.isfinite(values).any() else area_mean(grid, values)
        data[name].attrs = {"summary": middle, "units": "1" if name == "spread_skill" else scores[name].attrs.get("units", units)}
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
        summary, own = number(float(data[name].attrs["summary"])), str(data[name].attrs["units"])
        if is_line(grid):
            axis.plot(grid.lon, values, color=FORECAST)
            axis.set_ylim(*_span(like))
            at = _middle(name)
            axis.axhline(float(data[name].attrs["summary"]) if at is None else at, color=NO_DATA, lw=1.0)
            axis.set_xlabel("place on the ring")
            axis.set_ylabel(with_units(word, own))
            axis.grid(True)
        else:
            drawn = draw_field(axis, grid, values, norm, colours)
            colour_bar(figure, axis, drawn, label=unit_text(own), extend=extend)
        axis.set_title(f"{word}: {'median' if _middle(name) == 1 else 'mean'} {summary}")
    if not is_line(grid):
        outer_labels(axes, columns)
    figure.suptitle(" ".join(part for part in (variable, lead_text(lead_hours)) if part))
    return figure, data


def _limits(name: str, like: list[np.ndarray]) -> tuple[Limits, str]:
    middle = _middle(name)
    if middle == 0:
        return diverging(*like), "RdBu" if name.startswith("crpss") else "RdBu_r"
    if middle == 1:
        return around_one(*like), "PuOr"
    return sequential(*like, cut=2.0), "viridis"


def _middle(name: str) -> float | None:
    """What colours are centred on: 0, or 1 for ratios; None where they run from low to high."""
    return 0.0 if name.startswith("crpss") else {"0": 0.0, "1": 1.0}.get(best(name) or "")


def _span(like: list[np.ndarray]) -> tuple[float, float]:
    """From the lowest to the highest value, and a little more."""
    low, high = (float(f(np.concatenate(like))) for f in (np.nanmin, np.nanmax))
    margin = 0.06 * (high - low) or 0.5
    return low - margin, high + margin


def _kind(name: str) -> str:
    """Scores of one kind share a norm: the CRPS of a single forecast is its MAE, and the spread should be the RMSE."""
    first = name.split("_")[0]
    if first not in _WORDS and not name.startswith("crpss"):
        return name
    return "rmse" if name == "spread" else "crps" if first == "mae" else name if name == "spread_skill" else first


def score_word(name: str, deterministic: bool = False) -> str:
    """What a score is called: `mae_bicubic` is "MAE of bicubic", `brier_5` is "Brier score 5"."""
    if name in _WORDS:
        return "MAE" if name == "crps" and deterministic else _WORDS[name]
    if known := [each for each in _OTHERS if name == each or name.startswith(f"{each}_")]:
        longest = max(known, key=len)
        return f"{_OTHERS[longest]} {name[len(longest) + 1 :].replace('_', ' ')}".rstrip()
    first, _, rest = name.partition("_")
    return f"{_WORDS[first]} of {rest.replace('_', ' ')}" if first in _WORDS else name.replace("_", " ")
