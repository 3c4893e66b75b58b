"""Curves of training from the rows of metrics.jsonl: {"step", "samples", "values": {name: number}, "context": {...}}.

The context says what a row is: "subset" is train or valid (rows of other subsets are left out), "phase" names a phase of training where
there are several, "gamma" is the log-SNR of a validation loss, "variable" that of a validation score.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from wxexp.reports.plots.learning import Curve

History = Sequence[Mapping[str, object]]
SCORES = ("crps", "rmse", "spread_skill")


def progress_unit(history: History) -> str:
    """What the x of all curves counts: "samples" where rows have them, else "steps"."""
    return "samples" if any("samples" in row for row in history) else "steps"


def losses(history: History) -> dict[str, Curve]:
    """Loss of "train" (or of each phase by name), and of "validation"; only those that have rows."""
    found: dict[str, list[tuple[float, float]]] = {}
    for at, values, context in _rows(history):
        if "loss" in values and "gamma" not in context:
            name = "validation" if context["subset"] == "valid" else str(context.get("phase", "train"))
            found.setdefault(name, []).append((at, values["loss"]))
    return {name: _curve(points) for name, points in found.items()}


def losses_by_noise_level(history: History, *, most: int = 4) -> dict[str, Curve]:
    """Validation loss over sigma = exp(-gamma / 2) at no more than `most` moments, evenly spread, the last included, by their samples."""
    return _by_noise_level(history, "loss", most)


def noise_densities(history: History) -> dict[str, Curve]:
    """Density with respect to ln sigma of the noise levels drawn in training, of a schedule that adapts, at every checkpoint."""
    return {name: (sigma, 2 * density) for name, (sigma, density) in _by_noise_level(history, "density", None).items()}


def _by_noise_level(history: History, value: str, most: int | None) -> dict[str, Curve]:
    found: dict[float, list[tuple[float, float]]] = {}
    for at, values, context in _rows(history):
        if value in values and isinstance(gamma := context.get("gamma"), int | float):
            found.setdefault(at, []).append((math.exp(-gamma / 2), values[value]))
    moments = sorted(found)
    count = len(moments) if most is None else min(most, len(moments))
    chosen = np.unique(np.linspace(0, len(moments) - 1, count).round().astype(int))
    return {f"{moments[i]:,.0f} {progress_unit(history)}": _curve(found[moments[i]]) for i in chosen}


def validation_curves(history: History) -> dict[str, dict[str, Curve]]:
    """Score -> variable -> curve, of members drawn for the validation times."""
    found: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for at, values, context in _rows(history):
        if context["subset"] == "valid" and "variable" in context:
            for score in (s for s in SCORES if s in values):
                found.setdefault(score, {}).setdefault(str(context["variable"]), []).append((at, values[score]))
    return {score: {name: _curve(points) for name, points in lines.items()} for score, lines in found.items()}


def _rows(history: History) -> Iterator[tuple[float, Mapping[str, float], Mapping[str, object]]]:
    key = "samples" if progress_unit(history) == "samples" else "step"
    for row in history:
        values, context, at = row.get("values"), row.get("context"), row.get(key)
        if isinstance(values, Mapping) and isinstance(context, Mapping) and isinstance(at, int | float):
            if context.get("subset") in ("train", "valid"):
                yield float(at), values, context


def _curve(points: Sequence[tuple[float, float]]) -> Curve:
    points = sorted(points)
    return np.array([x for x, _ in points], dtype=np.float64), np.array([y for _, y in points], dtype=np.float64)
