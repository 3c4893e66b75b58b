"""Why a score is what it is: the parts of Brier scores and of the CRPS. Murphy (1973); Dimitriadis et al. (2021); Hersbach (2000)."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke

from wxexp.interfaces import Row
from wxexp.reports.plots.leads import MOST_TICKS
from wxexp.reports.style import BLACK, GREEN, SKY, VERMILION, Drawing, new_figure, number, panel_grid, styled, unit_text, with_units

Kind = Literal["brier", "corp", "crps"]
Part = tuple[str, float, str]
"""Name, sign in the score, colour."""

PARTS: Mapping[Kind, tuple[Part, ...]] = {
    "brier": (("uncertainty", 1.0, "#BDBDBD"), ("reliability", 1.0, VERMILION), ("resolution", -1.0, GREEN)),
    "corp": (("uncertainty", 1.0, "#BDBDBD"), ("miscalibration", 1.0, VERMILION), ("discrimination", -1.0, GREEN)),
    "crps": (("potential", 1.0, SKY), ("reliability", 1.0, VERMILION)),
}
"""Of each decomposition, from the line at 0 outwards."""
SCORES: Mapping[Kind, str] = {"brier": "Brier score", "corp": "Brier score", "crps": "CRPS"}


@styled()
def decomposition(
    rows: Sequence[Row], *, kind: Kind, variables: Sequence[str], units: Mapping[str, str], source: str = "forecast", group: str = "all"
) -> Drawing:
    """Bars of the parts, up where they raise the score and down where they lower it; a diamond is the score, their sum.

    Bars stand against lead time, with a panel per variable and threshold; where there is no lead, one for each threshold, with a panel per
    variable. The scores are the biased ones, of which these parts are an exact decomposition.

    Args:
        rows: of a table; those of `BrierDecomposition`, `CORP` or `CRPSDecomposition` are taken, as `kind` says.
        kind: "brier", "corp" or "crps".
        variables: panels, in this order; those without rows have none.
        units: of each variable.
        source: whose parts.
        group: region.

    Returns:
        The figure, and `score` and each part (variable, [threshold,] [lead_hours]) by its name, positive also where it lowers the score;
        NaN where there is no row. Thresholds are as rows call them, "5" or "q0.9".

    Raises:
        ValueError: if there are no such rows.
    """
    data = _parts([r for r in rows if r.source == source and r.group == group and r.variable in variables], kind, variables)
    signs = {name: (sign, colour) for name, sign, colour in PARTS[kind]}
    chosen = [(v, t) for v, t in np.ndindex(*data["score"].shape[:2]) if np.isfinite(data["score"].values[v, t]).any()]
    names, labels, leads = (data[axis].values for axis in ("variable", "threshold", "lead_hours"))
    timed = bool(np.isfinite(leads).any())
    panels = chosen if timed else list({v: (v, None) for v, _ in chosen}.values())
    columns = min(3 if kind != "crps" or timed else 6, len(panels))
    figure = new_figure(-(-len(panels) // columns) * 2.5 + 0.3)
    for i, (axis, (v, t)) in enumerate(zip(panel_grid(figure, len(panels), columns), panels, strict=True)):
        name, unit = str(names[v]), units[str(names[v])]
        here = data.isel(variable=v, threshold=t) if t is not None else data.isel(variable=v, lead_hours=0)
        here = here.isel({str(here["score"].dims[0]): np.isfinite(here["score"].values)})
        x = here["lead_hours"].values / 24 if timed else np.arange(here.sizes["threshold"], dtype=np.float64)
        _bars(axis, x, here, signs, label=SCORES[kind])
        if timed:
            _lead_axis(axis, x)
        else:
            axis.set_xticks(x, [str(label) for label in here["threshold"].values])
            axis.set_xlabel("" if kind == "crps" else with_units("threshold", unit))
            for place, score in zip(x, here["score"].values, strict=True):
                text = axis.annotate(number(float(score)), (place, score), (0, 5), textcoords="offset points", ha="center", fontsize=7)
                text.set_path_effects([withStroke(linewidth=2.0, foreground="white")])
        axis.set_title(name if t is None or kind == "crps" else _event(name, str(labels[t]), unit))
        axis.set_ylabel(with_units(SCORES[kind], unit) if kind == "crps" else SCORES[kind] if i % columns == 0 else "")
    handles, words = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles[1:] + handles[:1], words[1:] + words[:1], loc="outside upper center", ncols=len(words))
    drop = [axis for axis, absent in (("threshold", kind == "crps"), ("lead_hours", not timed)) if absent]
    return figure, data.isel(dict.fromkeys(drop, 0), drop=True)


def decomposed(rows: Sequence[Row], *, kind: Kind, source: str = "forecast", group: str = "all") -> list[str]:
    """Variables that have parts of this kind."""
    return list(dict.fromkeys(variable for _, variable, _, _ in _found([r for r in rows if r.source == source and r.group == group], kind)))


def _found(rows: Sequence[Row], kind: Kind) -> dict[tuple[str, str, str, float], float]:
    """By part, variable, threshold ("" of the CRPS) and lead (NaN where there is none); without events that never or always occur."""
    found = {}
    for r, (part, _, _) in itertools.product(rows, PARTS[kind]):
        name, lead = f"{kind}_{part}", np.nan if r.lead_hours is None else float(r.lead_hours)
        if np.isfinite(r.value) and (r.metric == name if kind == "crps" else r.metric.startswith(f"{name}_")):
            found[part, r.variable, r.metric[len(name) + 1 :], lead] = r.value
    if kind == "crps":
        return found
    told = {key[1:3] for key, value in found.items() if key[0] == "uncertainty" and value > 0}
    return {key: value for key, value in found.items() if key[1:3] in told}


def _parts(rows: Sequence[Row], kind: Kind, variables: Sequence[str]) -> xr.Dataset:
    """(variable, threshold, lead_hours) of parts and score; one threshold "" of the CRPS, one lead NaN where there is none."""
    if not (found := _found(rows, kind)):
        raise ValueError(f"there are no rows of the decomposition {kind!r} of {', '.join(variables)}")
    names = [name for name in variables if any(key[1] == name for key in found)]
    labels = sorted({key[2] for key in found}, key=lambda label: (label.startswith("q"), float(label.removeprefix("q") or 0)))
    leads = sorted({key[3] for key in found if np.isfinite(key[3])}) or [np.nan]
    shape, timed = (len(names), len(labels), len(leads)), bool(np.isfinite(leads).any())
    parts = {part: np.full(shape, np.nan) for part, _, _ in PARTS[kind]}
    for (part, variable, label, lead), value in found.items():
        if np.isfinite(lead) == timed:
            parts[part][names.index(variable), labels.index(label), leads.index(lead) if timed else 0] = value
    dims = ("variable", "threshold", "lead_hours")
    score = np.sum([sign * parts[part] for part, sign, _ in PARTS[kind]], axis=0)
    return xr.Dataset(
        {"score": (dims, score), **{part: (dims, values) for part, values in parts.items()}},
        {"variable": names, "threshold": labels, "lead_hours": leads},
        {"decomposition": kind},
    )


def _bars(axis: Axes, x: np.ndarray, here: xr.Dataset, signs: Mapping[str, tuple[float, str]], *, label: str) -> None:
    width = 0.75 * float(np.diff(x).min()) if len(x) > 1 else 0.75
    top = np.zeros(len(x))
    for part, (sign, colour) in signs.items():
        values = here[part].values
        axis.bar(x, sign * values, width, bottom=top if sign > 0 else 0.0, color=colour, label=part if sign > 0 else f"− {part}")
        top = top + values if sign > 0 else top
    axis.plot(x, here["score"].values, "D", ms=4.5, color=BLACK, mec="white", mew=0.8, label=label, zorder=4)
    axis.axhline(0.0, color=BLACK, lw=0.8)
    margin = (1.2 if len(x) > 1 else 2.0) * width
    axis.set_xlim(x[0] - margin, x[-1] + margin)
    axis.margins(y=0.1)
    axis.grid(True, axis="y")


def _lead_axis(axis: Axes, days: np.ndarray) -> None:
    if len(days) <= MOST_TICKS:
        axis.set_xticks(days, [f"{day:g}" for day in days.round(3)])
    axis.set_xlabel("lead time (days)")


def _event(name: str, label: str, units: str) -> str:
    """`pr > 5 mm d⁻¹`, or `pr > its 0.9 quantile`."""
    return f"{name} > its {label[1:]} quantile" if label.startswith("q") else f"{name} > {label} {unit_text(units)}".rstrip()
