"""How training went: loss, loss by noise level, scores of validation members."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from wxexp.reports.style import FORECAST, MEAN, OTHERS, Drawing, new_figure, panel_grid, styled, unit_text

Curve = tuple[np.ndarray, np.ndarray]
"""x and y of one line."""

NAMED = 6  # curves of one panel that all find room in its legend


def _smooth(values: np.ndarray, window: int) -> np.ndarray:
    """Running mean over `window` values around each, fewer at the ends."""
    ones = np.ones(window)
    return np.asarray(np.convolve(values, ones, "same") / np.convolve(np.ones(len(values)), ones, "same"))


def _log_if_positive(axis: Axes, data: xr.Dataset) -> None:
    values = np.concatenate([data[name].values for name in data.data_vars])
    values = values[np.isfinite(values)]
    if values.size and values.min() > 0:
        decades = np.log10(values.max() / values.min())
        subs = range(1, 10) if decades < 0.5 else (1, 2, 3, 5) if decades < 1.2 else (1, 2, 5) if decades < 2.5 else (1,)
        axis.set_yscale("log")
        axis.yaxis.set_major_locator(LogLocator(subs=list(subs)))
        axis.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
        axis.yaxis.set_minor_formatter(NullFormatter())


def _sample_axis(axis: Axes, unit: str) -> None:
    def thousands(value: float, _: object) -> str:
        return f"{value / 1e6:g}M" if abs(value) >= 1e6 else f"{value / 1e3:g}k" if abs(value) >= 1e3 else f"{value:g}"

    axis.xaxis.set_major_locator(MaxNLocator(6))
    axis.xaxis.set_major_formatter(FuncFormatter(thousands))
    axis.set_xlabel(f"{unit} seen" if unit == "samples" else unit)


def _curves(curves: Mapping[str, Curve], x: str) -> xr.Dataset:
    """Every curve with an x of its own, `<name>_<x>`."""
    return xr.Dataset(
        {name: ((f"{name}_{x}",), y) for name, (_, y) in curves.items()}, {f"{name}_{x}": at for name, (at, _) in curves.items()}
    )


@styled()
def loss_curves(curves: Mapping[str, Curve], *, unit: str = "samples", best: float | None = None) -> Drawing:
    """Loss against samples seen, the training loss also smoothed over 1/20 of its rows; logarithmic where all values are positive.

    Args:
        curves: "train", "validation", or the name of a phase -> (samples, loss).
        unit: of the x of curves, "samples" or "steps".
        best: samples at the checkpoint that members are drawn from, marked where given.

    Returns:
        The figure, and each curve (unsmoothed) over `<name>_samples` (or `_steps`).
    """
    data = _curves(curves, unit)
    figure = new_figure(2.7)
    axis = figure.subplots()
    colours = {"train": FORECAST, "validation": MEAN}
    others = iter(OTHERS * (1 + len(curves)))
    for name, (samples, loss) in curves.items():
        colour = colours.get(name) or next(others)
        window = max(1, len(loss) // 20)
        if name != "validation" and window > 1:
            axis.plot(samples, loss, color=colour, alpha=0.25, lw=0.7)
            axis.plot(samples, _smooth(loss, window), color=colour, label=f"{name} (mean over {window} rows)")
        else:
            axis.plot(samples, loss, "o-" if name == "validation" else "-", ms=3, color=colour, label=name)
    if best is not None:
        axis.axvline(best, color="#7F7F7F", lw=1.0, ls=":", label="drawn from")
    _log_if_positive(axis, data)
    _sample_axis(axis, unit)
    axis.set_ylabel("loss")
    axis.grid(True)
    axis.legend()
    return figure, data


@styled()
def loss_by_noise_level(curves: Mapping[str, Curve]) -> Drawing:
    """Loss of validation by noise level sigma (in units of the normalised data), both axes logarithmic where positive.

    Args:
        curves: name of a moment of training -> (sigma, loss), in the order of time; the last one is drawn strongest.

    Returns:
        The figure, and each curve over `<name>_sigma`.
    """
    data = _curves(curves, "sigma")
    figure = new_figure(2.7)
    axis = figure.subplots()
    strengths = np.linspace(0.3, 1.0, len(curves)) if len(curves) > 1 else [1.0]
    for strength, (name, (sigma, loss)) in zip(strengths, curves.items(), strict=True):
        axis.plot(sigma, loss, "o-", ms=3, color=FORECAST, alpha=float(strength), label=name)
    axis.set_xscale("log")
    _log_if_positive(axis, data)
    axis.set_xlabel("noise level σ (normalised data)")
    axis.set_ylabel("validation loss")
    axis.grid(True)
    axis.legend()
    return figure, data


@styled()
def noise_density(curves: Mapping[str, Curve]) -> Drawing:
    """Density of the noise levels that training draws, by sigma, as a schedule that adapts had it at each checkpoint.

    Args:
        curves: name of a moment of training -> (sigma, density with respect to ln sigma), in the order of time; the last one is drawn
            strongest, and of more than NAMED the legend has the first and the last.

    Returns:
        The figure, and each curve over `<name>_sigma`.
    """
    data = _curves(curves, "sigma")
    figure = new_figure(2.5)
    axis = figure.subplots()
    named = list(curves) if len(curves) <= NAMED else [*curves][:: len(curves) - 1]
    strengths = np.linspace(0.3, 1.0, len(curves)) if len(curves) > 1 else [1.0]
    for strength, (name, (sigma, density)) in zip(strengths, curves.items(), strict=True):
        label = name if name in named else None
        axis.plot(sigma, density, color=FORECAST, alpha=float(strength), drawstyle="steps-mid", label=label)
    axis.set_xscale("log")
    axis.set_ylim(0, 1.1 * max(float(np.max(density)) for _, density in curves.values()))
    axis.set_xlabel("noise level σ (normalised data)")
    axis.set_ylabel("density per unit of ln σ")
    axis.grid(True)
    axis.legend()
    return figure, data


@styled()
def validation_scores(curves: Mapping[str, Mapping[str, Curve]], *, units: Mapping[str, str], unit: str = "samples") -> Drawing:
    """Scores of validation members against samples seen, one panel per score, one line per variable, relative to the first value.

    Args:
        curves: score -> variable -> (samples, value). `spread_skill` is drawn as it is, with a line at 1; other scores are divided by
            their first value, which the legend gives with its units.
        units: of each variable.
        unit: of the x of curves, "samples" or "steps".

    Returns:
        The figure, and each curve as it was given, as `<score>_<variable>`.
    """
    data = _curves({f"{score}_{variable}": curve for score, lines in curves.items() for variable, curve in lines.items()}, unit)
    columns = min(3, len(curves))
    figure = new_figure(-(-len(curves) // columns) * 3.1)
    palette = (FORECAST, MEAN, *OTHERS)
    for axis, (score, lines) in zip(panel_grid(figure, len(curves), columns), curves.items(), strict=True):
        ratio = score == "spread_skill"
        for i, (variable, (samples, values)) in enumerate(lines.items()):
            first = 1.0 if ratio else float(values[0])
            label = variable if ratio else f"{variable}: 1 = {first:.3g} {unit_text(units.get(variable, '1'))}"
            axis.plot(samples, values / first, "o-", ms=3, color=palette[i % len(palette)], label=label)
        if ratio:
            axis.axhline(1.0, color="#7F7F7F", lw=1.0, ls="--")
        axis.set_title(
            {"crps": "fair CRPS", "rmse": "RMSE of the mean", "spread_skill": "spread / skill"}.get(score, score.replace("_", " "))
        )
        _sample_axis(axis, unit)
        axis.set_ylabel("" if ratio else "relative to the first")
        axis.grid(True)
        axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2))  # below, where no curve is
    return figure, data
