"""The scorecard of two forecasts: where one is better than the other, and where that is more than chance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import ListedColormap, Normalize, SymLogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from wxexp.reports.style import BLACK, NO_DATA, WIDTH, Drawing, lead_text, new_figure, styled

_MARKS = {1.0: "▲", -1.0: "▼"}


@styled()
def scorecard(
    change: np.ndarray,
    verdict: np.ndarray,
    *,
    metrics: Sequence[str],
    variables: Sequence[str],
    leads: Sequence[float | None],
    names: tuple[str, str] = ("first", "second"),
    most: float | None = None,
) -> Drawing:
    """A cell for each variable, metric and lead time: blue where the second is better, red where it is worse, by how many per cent.

    ▲ the second is better by more than chance, ▼ it is worse; cells without a mark do not differ significantly and are pale. Without
    lead times metrics are the columns, otherwise each metric is a block of rows whose columns are lead times.

    Args:
        change: relative change of the distance from the best value, [metric, variable, lead], negative where the second is better; NaN
            (grey) where there is none.
        verdict: of the same shape: 1 better, −1 worse, 0 neither; NaN where there are no bounds.
        metrics: what rows or blocks are called.
        variables: rows.
        leads: in hours; (None,) where there are none.
        names: of the two forecasts.
        most: per cent at which colours end, which go with the logarithm beyond 2; None: the 90th percentile of what is drawn, 10 at least.

    Returns:
        The figure, and `change` (per cent) and `verdict` [metric, variable, lead].
    """
    percent = 100.0 * np.asarray(change, dtype=np.float64)
    hours = [np.nan if lead is None else lead for lead in leads]
    data = xr.Dataset(
        {"change": (("metric", "variable", "lead"), percent, {"units": "percent"}), "verdict": (("metric", "variable", "lead"), verdict)},
        {"metric": list(metrics), "variable": list(variables), "lead_hours": ("lead", np.array(hours))},
        {"first": names[0], "second": names[1]},
    )
    if len(leads) == 1:
        grid, marks = percent[:, :, 0].T, np.asarray(verdict)[:, :, 0].T
        rows, columns = list(variables), list(metrics)
    else:
        grid, marks = (np.asarray(x).reshape(-1, len(leads)) for x in (percent, verdict))
        rows = [f"{metric}   {variable}" for metric in metrics for variable in variables]
        columns = [lead_text(lead).removeprefix("+") for lead in leads]
    longest = max((len(c) for c in columns), default=1)
    slanted = longest * len(columns) > 80
    width, height = 0.9 + 0.06 * max(map(len, rows)), 0.27 * len(rows)
    figure = new_figure(height + 1.25 + (0.055 * longest if slanted else 0.0), width=min(WIDTH, max(4.6, width + 0.85 * len(columns))))
    axis = figure.subplots()
    finite = np.abs(grid[np.isfinite(grid)])
    limit = most or max(10.0, float(np.percentile(finite, 90)) if finite.size else 1.0)
    drawn = _cells(axis, grid, marks, SymLogNorm(2.0, vmin=-limit, vmax=limit))
    axis.set_xticks(np.arange(len(columns)) + 0.5, columns, rotation=35 if slanted else 0, ha="left" if slanted else "center")
    axis.set_yticks(np.arange(len(rows)) + 0.5, rows)
    axis.xaxis.tick_top()
    axis.tick_params(length=0)
    axis.set_ylim(len(rows), 0)
    for block in range(1, len(metrics) if len(leads) > 1 else 0):
        axis.axhline(block * len(variables), color=BLACK, lw=0.8)
    for spine in axis.spines.values():
        spine.set_visible(False)
    _scale(figure, drawn, axis, limit, f"{names[1]} against {names[0]}: change of the score (%), below 0 is better")
    return figure, data


def _cells(axis: Axes, grid: np.ndarray, marks: np.ndarray, norm: Normalize) -> QuadMesh:
    """Colours, pale where there is no mark, and numbers where there is room; all [row, column]."""
    strength = np.where(np.isin(marks, (1.0, -1.0)), 1.0, 0.35)
    axis.pcolormesh(np.ma.masked_where(np.isfinite(grid), np.zeros(grid.shape)), cmap=ListedColormap([NO_DATA]), edgecolors="white", lw=1.5)
    drawn = axis.pcolormesh(np.ma.masked_invalid(grid), norm=norm, cmap="RdBu_r", edgecolors="white", lw=1.5)
    drawn.set_alpha(strength)  # type: ignore[arg-type]  # of an array, as matplotlib documents it
    columns = grid.shape[1]
    roomy = columns <= 10
    for (row, column), value in np.ndenumerate(grid):
        mark = _MARKS.get(float(marks[row, column]), "")
        if not np.isfinite(value) or not (mark or roomy):
            continue
        dark = bool(mark) and abs(float(norm(value)) - 0.5) > 0.33
        text = f"{value:+.1f}".replace("-", "−") if abs(value) < 99.5 else f"{value:+.0f}".replace("-", "−")
        axis.text(
            column + 0.5,
            row + 0.5,
            f"{mark} {text}".strip() if roomy else mark,
            ha="center",
            va="center",
            color="white" if dark else BLACK,
            fontsize=7.5 if columns < 8 else 6.5,
        )
    return drawn


def _scale(figure: Figure, drawn: QuadMesh, axis: Axes, limit: float, label: str) -> None:
    """The colour bar, at full strength."""
    bar = figure.colorbar(drawn, ax=axis, orientation="horizontal", shrink=0.6, aspect=40, extend="both", pad=0.03)
    if bar.solids is not None:
        bar.solids.set_alpha(1.0)
    bar.set_label(label)
    ticks = [t for t in (1, 3, 10, 30, 100) if t <= limit]
    bar.set_ticks([-t for t in reversed(ticks)] + [0, *ticks])
    bar.ax.xaxis.set_minor_locator(NullLocator())
    bar.ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}".replace("-", "−")))
    bar.outline.set_linewidth(0.5)
