"""Scoring: every statistic of every case and every cell, in one pass over workers.

A work item is one block of cases (consecutive initial times) of one source: the members, or a baseline. A worker reads each field once,
the members of one variable of one case at a time, and sends back float64 sums: over space for each case, a few kilobytes, and over the
cases of the block for each cell. So memory does not grow with the number of times, and what arrives in any order from any number of
workers is put down in time order and totalled in time order: the same bits. A finished item is a file, so a run that was killed goes on
where it stopped; when all are done they become `scores.zarr`, whose groups are the sources, with dims (case, lead, variable, group,
...), and `maps.zarr`, both readable by xarray. Maps of metrics beside the six that every run has are those of `Scoring.maps`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from wxexp.config import to_tree
from wxexp.experiment import Experiment
from wxexp.interfaces import Executor, Failure, Item, Job, Opened, Reducer, Statistic, Tiles
from wxexp.scoring import groups
from wxexp.scoring.cases import Cases, Members, hours
from wxexp.scoring.files import Parts, read_arrays, replacing
from wxexp.scoring.maps import add_cells, cell_statistics, chosen
from wxexp.scoring.plan import BLOCK, FORECAST, Case, Coordinate, Plan, Tree, WorkItem, blocks, settings, statistics, work
from wxexp.scoring.stores import MAPS, MEMBERS, MISSING, Arrays, write_maps, write_scores
from wxexp.scoring.totals import Totals
from wxexp.statistics.point import CELL_COLUMNS, Point, point_sums

Progress = Callable[[int, int], None]
"""(items done, items in all)."""

Results = Iterable[tuple[WorkItem, Arrays | Failure]]


def prepare(
    experiment: Experiment,
    opened: Opened,
    *,
    members: Path | None,
    out: Path,
    coordinates: Mapping[str, Coordinate] | None = None,
    cases: Sequence[Item] | None = None,
    imports: Sequence[str] = (),
    block: int = BLOCK,
) -> Tree:
    """What workers are told: the plan for all times (or the given ones), and baselines, fitted into `out`/baselines if need be.

    Args:
        experiment: ensemble and scoring are taken from it.
        opened: its dataset.
        members: path of members.zarr; None: they are not stored, and `scattered` scores them.
        out: folder.
        coordinates: of members that are not stored: `lead_time` in hours, where there is one, and those of space; others are passed over.
        cases: what to score, in time order; None: all of `ensemble.split`.
        imports: packages that workers import first, whose components the experiment uses.
        block: cases in a work item. The last bits of maps depend on it.

    Raises:
        ValueError: where there is nothing to score, in all or in a group.
    """
    items = list(opened.items(experiment.ensemble.split) if cases is None else cases)
    if not items:
        raise ValueError("there is no time to score")
    fitted = out / "baselines"
    fitted.mkdir(parents=True, exist_ok=True)
    for name, baseline in experiment.scoring.baselines.items():
        if not (path := fitted / f"{name}.npz").exists():
            with replacing(path) as temporary, temporary.open("wb") as file:
                np.savez(file, allow_pickle=False, **dict(baseline.fit(opened)))
    for name, statistic in statistics(experiment).items():
        if not (path := _climate(fitted, name)).exists() and (arrays := statistic.fit(opened)):
            with replacing(path) as temporary, temporary.open("wb") as file:
                np.savez(file, allow_pickle=False, **dict(arrays))
    found = groups.cells(experiment.scoring.groups, opened)
    groups.check_cells(found, np.broadcast_to(opened.read(items[:1]).mask.numpy()[0], (len(opened.codec.targets), *opened.grid.shape)))
    if members is not None:
        coordinates = Members(members, experiment.ensemble.members).coordinates
    own = {"lead_time", *opened.grid.dims}
    places = {name: x for name, x in (coordinates or {}).items() if own.issuperset(x[0])}
    plan = Plan(
        sources=[FORECAST, *experiment.scoring.baselines],
        variables=list(opened.codec.targets),
        units=list(opened.codec.units),
        leads=[*hours(places["lead_time"][1])] if "lead_time" in places else [None],
        groups=list(found),
        selections=groups.cases(experiment.scoring.groups, items),
        cases=[Case(index=item.index, time=item.time, lead_hours=item.lead_hours) for item in items],
        statistics=list(statistics(experiment)),
        block=block,
        settings=settings(experiment),
    )
    if maps := {name: to_tree(metric) for name, metric in chosen(experiment).items()}:
        plan["maps"] = maps
    return Tree(
        experiment=to_tree(experiment),
        plan=plan,
        members=None if members is None else str(members),
        dims=list(opened.grid.dims),
        coordinates=places,
        fitted=str(fitted),
        imports=list(imports),
    )


def _climate(fitted: Path, statistic: str) -> Path:
    """What a statistic knows of training times."""
    return fitted / f"statistic.{statistic}.npz"


class Scorer:
    """A worker: (source, block) -> sums [case, lead, variable, group, ...] by "statistic/name", of every cell by "maps/variable"
    and "maps/variable/statistic/name".

    With `members` [case] how many there are, and `missing` [case, lead, variable], the number of cells that are scored and have no truth.
    """

    def __init__(self, tree: Tree) -> None:
        self.cases = Cases(tree)
        self.statistics, self.mapped = statistics(self.cases.experiment), cell_statistics(self.cases.experiment)
        self.fitted = {name: read_arrays(path) for name in self.statistics if (path := _climate(Path(tree["fitted"]), name)).exists()}

    def _reducers(self, case: int, lead: int, variable: int) -> dict[str, Reducer]:
        """Of the statistics that were fitted."""
        item, hours = self.cases.item(case), self.cases.plan["leads"][lead]
        after = item.lead_hours if hours is None else hours
        found = {name: {key: x[variable] for key, x in arrays.items()} for name, arrays in self.fitted.items()}
        return {name: self.statistics[name].reducer(arrays, time=item.time, hours=after) for name, arrays in found.items()}

    def __call__(self, item: WorkItem, /, tiles: Tiles | None = None) -> Arrays:
        plan, cases = self.cases.plan, blocks(self.cases.plan)[item[1]]
        truths = [self.cases.truth(case) for case in cases]
        shape = (len(cases), len(plan["leads"]), len(plan["variables"]))
        counts, missing = np.zeros(len(cases), dtype=np.int64), np.zeros(shape, dtype=np.int64)
        cells = [np.zeros((shape[1], len(CELL_COLUMNS), *self.cases.area.shape)) for _ in plan["variables"]]
        others: list[Arrays] = [{} for _ in plan["variables"]]
        out: Arrays = {}
        for case, v, members in self.cases.members(plan["sources"][item[0]], cases, tiles):
            place = case - cases.start
            truth, mask = (x[v] for x in truths[place])
            counts[place], weights = len(members), self.cases.area * mask * self.cases.groups
            if plan["sources"][item[0]] == FORECAST:
                self._check(case, v, truth, members)
            for l, y in enumerate(truth):
                missing[place, l, v] = np.count_nonzero(mask & np.isnan(y))
                for key, found in reduce(self.statistics, y, members[:, l], weights, cells[v][l], self._reducers(case, l, v)).items():
                    out.setdefault(key, np.empty((*shape, *found.shape)))[place, l, v] = found
                if self.mapped:
                    scored = (weights > 0).any(axis=0)
                    fitted = {name: {key: x[v] for key, x in arrays.items()} for name, arrays in self.fitted.items()}
                    add_cells(others[v], self.mapped, y, members[:, l], scored, place=(l, shape[1]), fitted=fitted)
        out |= {f"{MAPS}/{v}": sums for v, sums in enumerate(cells)}
        out |= {f"{MAPS}/{v}/{key}": x for v, sums in enumerate(others) for key, x in sums.items()}
        return {MEMBERS: counts, MISSING: missing, **out}

    def _check(self, case: int, variable: int, truth: np.ndarray, members: np.ndarray) -> None:
        """Raises ValueError for a member that is NaN in every cell that has truth: it was not written."""
        for y, x in zip(truth, members.swapaxes(0, 1), strict=True):
            there = np.nonzero(~np.isnan(y))
            suspects = np.isnan(x[(slice(None), *(place[:1] for place in there))]).any(axis=1)  # a single cell, as a rule enough
            if lost := [int(m) for m in np.flatnonzero(suspects) if np.isnan(x[(m, *there)]).all()]:
                name, time = self.cases.plan["variables"][variable], self.cases.plan["cases"][case]["time"]
                raise ValueError(f"member {', '.join(map(str, lost))} of {name} at {time} is missing: NaN in every cell")


def reduce(
    statistics: Mapping[str, Statistic],
    truth: np.ndarray,
    members: np.ndarray,
    weights: np.ndarray,
    cells: np.ndarray | None = None,
    reducers: Mapping[str, Reducer] = {},
) -> Arrays:
    """[*S], [M, *S], [G, *S] -> sums [G, ...] by "statistic/name"; all point statistics from one pass.

    `cells` [len(CELL_COLUMNS), *S] are sums over cases, to which this one is added. `reducers` stand in for statistics that were fitted.
    """
    point = cells is not None or any(isinstance(s, Point) for s in statistics.values())
    sums = point_sums(truth, members, weights, cells) if point else None
    out: Arrays = {}
    for name, statistic in statistics.items():
        found = (
            statistic.of(sums) if sums and isinstance(statistic, Point) else reducers.get(name, statistic.reduce)(truth, members, weights)
        )
        out |= {f"{name}/{key}": np.asarray(value, dtype=np.float64) for key, value in found.items()}
    return out


def scorer(tree: Tree) -> Scorer:
    """The factory of workers."""
    return Scorer(tree)


def score(*, tree: Tree, executor: Executor, out: Path, progress: Progress | None = None, in_flight: int = 8) -> None:
    """Scores all sources and cases of a plan into `out`/scores.zarr and `out`/maps.zarr; items done already are not done again.

    Args:
        tree: from `prepare`.
        executor: that runs the items.
        out: folder.
        progress: called after every item.
        in_flight: items submitted at a time.

    Raises:
        RuntimeError: for an item that failed, with its source and times; an OSError or ValueError where it was one.
    """
    todo = Todo(tree, out, progress)
    if todo.missing:
        todo.take(executor.map(Job(scorer, tree), todo.missing, in_flight=in_flight))
    todo.finish()


class Todo:
    """The work items of a plan: which are missing, and what becomes of their results.

    Args:
        tree: from `prepare`.
        out: folder of the stores; parts are in a folder beside them until all are there.
        progress: called after every item.

    Raises:
        ValueError: if the parts there are of another plan.
    """

    def __init__(self, tree: Tree, out: Path, progress: Progress | None) -> None:
        self.tree, self.plan, self.out, self._progress = tree, tree["plan"], out, progress
        self.missing: list[WorkItem] = []
        if not self.finished:
            self._parts = Parts(out / "scores.parts", dict(self.plan))
            self._totals = [Totals(out / "scores.parts" / "cells", source) for source in range(len(self.plan["sources"]))]
            self._done = len(work(self.plan))
            self.missing = [item for item in work(self.plan) if item not in self._parts]
            self._done -= len(self.missing)
        if self.missing:
            from wxexp.statistics.kernel import compile_kernels

            compile_kernels()  # in this process, so that workers load them from the cache instead of all compiling

    @property
    def finished(self) -> bool:
        return (self.out / "scores.zarr").exists() and (self.out / "maps.zarr").exists()

    def take(self, results: Results) -> None:
        """Each result into its part, and onto the totals of its source, as it comes; raises that of an item that failed."""
        for item, result in results:
            if isinstance(result, Failure):
                raise result.exception(f"scoring {self._name(item)}")
            cells = {name: sums for name, sums in result.items() if name.startswith(f"{MAPS}/")}
            self._totals[item[0]].add(item[1], cells)
            self._parts.write(item, {name: sums for name, sums in result.items() if name not in cells})
            self._done += 1
            if self._progress is not None:
                self._progress(self._done, len(work(self.plan)))

    def finish(self) -> None:
        """The stores, from the parts and the totals."""
        if not self.finished:
            write_maps(self.out / "maps.zarr", self.tree, self._parts, self._totals)
            write_scores(self.out / "scores.zarr", self.tree, self._parts)
            self._parts.remove()

    def _name(self, item: WorkItem) -> str:
        cases = blocks(self.plan)[item[1]]
        times = [self.plan["cases"][case]["time"] for case in (cases[0], cases[-1])]
        return f"{self.plan['sources'][item[0]]} {' to '.join(dict.fromkeys(times))}"
