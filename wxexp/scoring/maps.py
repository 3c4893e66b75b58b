"""Maps of metrics: the totals over cases of every cell are sums of which each cell is a group, and a metric is given those.

So a map has the formula of the row of the same name, and no other. The six scores that every run has are of `wxexp.scoring.stores`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from wxexp.experiment import Experiment
from wxexp.interfaces import Metric, Row, Statistic, Sums, Total
from wxexp.scoring.plan import name_of
from wxexp.statistics.point import CELL_COLUMNS, Point, PointSums

CELLS = 4096
"""Cells at a time, of a statistic of one case and of a metric of totals: they may have many numbers each."""

Arrays = dict[str, np.ndarray]


def chosen(experiment: Experiment) -> dict[str, Metric]:
    """The metrics that get maps, by name."""
    return {name: experiment.scoring.metrics[name] for name in experiment.scoring.maps}


def cell_statistics(experiment: Experiment) -> dict[str, Statistic]:
    """The statistics of which maps need sums of every cell that the fused kernel does not give, by name."""
    every = {name_of(statistic): statistic for metric in chosen(experiment).values() for statistic in metric.needs()}
    return {name: statistic for name, statistic in every.items() if not _in_kernel(statistic)}


def _in_kernel(statistic: Statistic) -> bool:
    return isinstance(statistic, Point) and statistic.in_cells


def add_cells(
    totals: Arrays,
    statistics: Mapping[str, Statistic],
    truth: np.ndarray,
    members: np.ndarray,
    scored: np.ndarray,
    *,
    place: tuple[int, int],
    fitted: Mapping[str, Mapping[str, np.ndarray]],
) -> None:
    """Adds the sums of one case to those of every cell, by "statistic/name".

    Args:
        totals: float64 [lead, cell, ...]; changed in place, and made where there are none.
        statistics: by name.
        truth: [*S].
        members: [M, *S].
        scored: bool [*S]; of these, cells with truth are.
        place: the lead, and how many there are.
        fitted: arrays of this variable, by statistic.
    """
    at = np.flatnonzero(scored & ~np.isnan(truth))
    for start in range(0, max(len(at), 1), CELLS):
        part = at[start : start + CELLS]
        for name, statistic in statistics.items():
            for key, values in statistic.cells(truth, members, part, fitted.get(name, {})).items():
                total = totals.setdefault(f"{name}/{key}", np.zeros((place[1], truth.size, *values.shape[1:])))
                total[place[0], part] += values


class CellSums:
    """Totals of one source, one variable and one lead, in which every cell is a group; implements `wxexp.interfaces.Sums`.

    Asked for rows it makes none, and takes down the values of the cells, by (metric, source), with their units.

    Args:
        source: name of the forecast or baseline.
        members: how many it has.
        kernel: sums over cases of the fused kernel, [len(CELL_COLUMNS), cell].
        arrays: other sums [cell, ...] by "statistic/name".
        references: sums of the baselines.
    """

    def __init__(
        self, source: str, members: int, kernel: np.ndarray, arrays: Mapping[str, np.ndarray], references: Mapping[str, Sums]
    ) -> None:
        self.source, self.members, self.references = source, members, references
        self._kernel, self._arrays = kernel, arrays
        self.found: dict[tuple[str, str], tuple[np.ndarray, str | None]] = {}

    def __getitem__(self, statistic: Statistic) -> Mapping[str, np.ndarray]:
        if isinstance(statistic, Point) and statistic.in_cells:
            found = statistic.of(PointSums.of_cells(self._kernel))
        else:
            prefix = f"{name_of(statistic)}/"
            found = {name.removeprefix(prefix): x for name, x in self._arrays.items() if name.startswith(prefix)}
        return {name: x[None, None, None] for name, x in found.items()}

    def rows(self, metric: str, value: Callable[[Total], np.ndarray], *, source: str | None = None, units: str | None = None) -> list[Row]:
        with np.errstate(all="ignore"):  # of cells that are not scored
            values = np.where(self._kernel[CELL_COLUMNS.index("count")] > 0, value(lambda x: x[0])[0, 0], np.nan)
        self.found[metric, self.source if source is None else source] = values, units
        return []


def values_of_cells(
    metrics: Sequence[Metric], sources: Sequence[str], members: Sequence[int], totals: Sequence[Arrays], kernels: Sequence[np.ndarray]
) -> dict[tuple[str, str], tuple[np.ndarray, str | None]]:
    """Values [cell] and units of the metrics by (metric, source), of one variable and lead.

    Args:
        metrics: made from point statistics only.
        sources: the forecast, then the baselines.
        members: of each.
        totals: of each, [cell, ...] by "statistic/name".
        kernels: of each, [len(CELL_COLUMNS), cell].
    """
    parts: dict[tuple[str, str], list[np.ndarray]] = {}
    units: dict[tuple[str, str], str | None] = {}
    for start in range(0, kernels[0].shape[1], CELLS):
        here, sums = slice(start, start + CELLS), dict[str, CellSums]()
        for s in (*range(1, len(sources)), 0):  # the forecast refers to the others
            arrays = {name: x[here] for name, x in totals[s].items()}
            sums[sources[s]] = CellSums(sources[s], members[s], kernels[s][:, here], arrays, {} if s else dict(sums))
        for each in sums.values():
            for metric in metrics:
                metric.rows(each)
            for key, (values, unit) in each.found.items():
                parts.setdefault(key, []).append(values)
                units[key] = unit
    return {key: (np.concatenate(values), units[key]) for key, values in parts.items()}
