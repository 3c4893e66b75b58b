"""Spread and skill: is the ensemble unsure where it is wrong? Fortin et al. (2014); bins by spread as in Leutbecher and Palmer (2008)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import LogFormatter, NullFormatter

from wxexp.reports.style import BLACK, FORECAST, Drawing, lead_text, new_figure, panel_grid, styled, with_units


@styled()
def spread_skill(
    pairs: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]],
    *,
    units: Mapping[str, str],
    members: int,
    lead_hours: float | None = None,
    bins: int = 12,
) -> Drawing:
    """Cells sorted by the ensemble's spread into bins of equal count: RMSE of the mean against spread, beside the 1:1 line.

    In each bin, with unbiased ensemble variance s^2, error e of the ensemble mean and weights w,

        spread = sqrt((M + 1) / M * sum w s^2 / sum w),    skill = sqrt(sum w e^2 / sum w),

    equal for a reliable ensemble of any size (Fortin et al. 2014, eq. 15). Means of squares are taken before the root.

    Args:
        pairs: variable -> (s^2, e^2, w), of the same shape; cells where one is not finite or w is 0 are left out.
        units: of each variable.
        members: M, at least 2.
        lead_hours: of the forecasts, where they have one.
        bins: at most; fewer where there are fewer cells.

    Returns:
        The figure, and `spread`, `skill` [variable, bin] and `ratio` [variable], spread over skill of all cells together.
    """
    names = list(pairs)
    found = [_binned(*pairs[name], (members + 1) / members, bins) for name in names]
    spread, skill, ratio = (np.array(values) for values in zip(*found, strict=True))
    data = xr.Dataset(
        {"spread": (("variable", "bin"), spread), "skill": (("variable", "bin"), skill), "ratio": (("variable",), ratio)},
        {"variable": names, "bin": np.arange(bins)},
        {"members": members},
    )
    columns = min(3, len(names))
    figure = new_figure(-(-len(names) // columns) * 2.6 + (0.2 if lead_hours is None else 0.4))
    for v, axis in enumerate(panel_grid(figure, len(names), columns)):
        _panel(axis, spread[v], skill[v])
        axis.set_xlabel(with_units("spread", units[names[v]]))
        axis.set_ylabel(with_units("RMSE", units[names[v]]))
        axis.set_title(f"{names[v]}: spread / skill {ratio[v]:.2f}")
    if lead_hours is not None:
        figure.suptitle(lead_text(lead_hours))
    return figure, data


def _binned(variance: np.ndarray, error: np.ndarray, weight: np.ndarray, factor: float, bins: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Spread and skill [bin] of one variable, and their ratio over all cells; `factor` is (M + 1) / M. NaN where there are no cells."""
    spread, skill = np.full(bins, np.nan), np.full(bins, np.nan)
    variance, error, weight = (np.asarray(x, dtype=np.float64).ravel() for x in (variance, error, weight))
    used = np.isfinite(variance) & np.isfinite(error) & (weight > 0)
    variance, error, weight = variance[used], error[used], weight[used]
    if not variance.size:
        return spread, skill, float("nan")
    order = np.argsort(variance, kind="stable")
    for b, part in enumerate(np.array_split(order, min(bins, len(order)))):
        spread[b] = np.sqrt(factor * np.average(variance[part], weights=weight[part]))
        skill[b] = np.sqrt(np.average(error[part], weights=weight[part]))
    mean_error = np.average(error, weights=weight)
    return spread, skill, float(np.sqrt(factor * np.average(variance, weights=weight) / mean_error)) if mean_error > 0 else float("nan")


def _panel(axis: Axes, spread: np.ndarray, skill: np.ndarray) -> None:
    """Logarithmic where the bins span more than a factor of 20."""
    both = np.concatenate([spread, skill])
    both = both[np.isfinite(both)]
    bottom, top = 0.0, float(both.max(initial=0.0)) * 1.1 or 1.0
    if both.size and both.min() > 0 and both.max() / both.min() > 20:
        bottom, top = float(both.min()) / 1.5, float(both.max()) * 1.5
        axis.set_xscale("log")
        axis.set_yscale("log")
        for side in (axis.xaxis, axis.yaxis):
            side.set_major_formatter(LogFormatter(labelOnlyBase=True))
            side.set_minor_formatter(NullFormatter())
    axis.plot([bottom, top], [bottom, top], color=BLACK, lw=1.0, ls="--")
    axis.plot(spread, skill, "o-", color=FORECAST, ms=3.5)
    axis.set_xlim(bottom, top)
    axis.set_ylim(bottom, top)
    axis.set_aspect("equal")
    axis.grid(True)
