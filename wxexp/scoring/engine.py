"""Scoring: every statistic of every case, over workers, kept per case.

A work item is one case (initial time) of one source (the members, or a baseline). A worker reads the truth and all members of the case,
one variable at a time, and sends back float64 sums over space, a few kilobytes; so memory does not grow with the number of times, and
what arrives in any order from any number of workers is put down in time order and totalled in time order: the same bits. A finished
item is a file, so a run that was killed goes on where it stopped; when all are done they become one `scores.zarr`, whose groups are the
sources, with dims (case, lead, variable, group, ...), readable by xarray.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from wxexp.config import from_tree, to_tree
from wxexp.experiment import Experiment
from wxexp.interfaces import Executor, Failure, Item, Opened, Statistic
from wxexp.scoring.cases import Cases, Members
from wxexp.scoring.files import Parts, replacing, write_zarr
from wxexp.scoring.plan import FORECAST, Case, Plan, Tree, statistics
from wxexp.statistics.point import Point, point_sums

Progress = Callable[[int, int], None]
"""(items done, items in all)."""

WorkItem = tuple[int, ...]
Arrays = dict[str, np.ndarray]


def prepare(
    experiment: Experiment, opened: Opened, *, members: Path, out: Path, cases: Sequence[Item] | None = None, imports: Sequence[str] = ()
) -> Tree:
    """What workers are told: the plan for all test items (or the given ones), and baselines, fitted into `out`/baselines if need be.

    Raises:
        ValueError: where there is nothing to score.
    """
    items = list(opened.items("test") if cases is None else cases)
    if not items:
        raise ValueError("there is no test time to score")
    fitted = out / "baselines"
    fitted.mkdir(parents=True, exist_ok=True)
    for name, baseline in experiment.scoring.baselines.items():
        if not (path := fitted / f"{name}.npz").exists():
            with replacing(path) as temporary, temporary.open("wb") as file:
                np.savez(file, allow_pickle=False, **dict(baseline.fit(opened)))
    plan = Plan(
        sources=[FORECAST, *experiment.scoring.baselines],
        variables=list(opened.codec.targets),
        units=list(opened.codec.units),
        leads=Members(members, experiment.ensemble.members).leads,
        groups=["all"],
        cases=[Case(index=item.index, time=item.time, lead_hours=item.lead_hours) for item in items],
        statistics=list(statistics(experiment)),
    )
    return Tree(experiment=to_tree(experiment), plan=plan, members=str(members), fitted=str(fitted), imports=list(imports))


class Scorer:
    """A worker: (source, case) -> sums [lead, variable, group, ...] by "statistic/name", and the number of members."""

    def __init__(self, tree: Tree) -> None:
        self.cases = Cases(tree)
        self.statistics = statistics(self.cases.experiment)

    def __call__(self, item: WorkItem, /) -> Arrays:
        source, case = item
        truth, mask = self.cases.truth(case)
        names = self.cases.plan["variables"]
        count, found = 0, []
        for v, members in enumerate(self.cases.members(self.cases.plan["sources"][source], case)):
            count, weights = len(members), (self.cases.area * mask[v])[None]
            found.append([reduce(self.statistics, truth[v, l], members[:, l], weights) for l in range(truth.shape[1])])
        leads, keys = range(len(self.cases.plan["leads"])), found[0][0]
        out = {key: np.stack([np.stack([found[v][l][key] for v in range(len(names))]) for l in leads]) for key in keys}
        return {"members": np.array(count), **out}


def reduce(statistics: Mapping[str, Statistic], truth: np.ndarray, members: np.ndarray, weights: np.ndarray) -> Arrays:
    """[*S], [M, *S], [G, *S] -> sums [G, ...] by "statistic/name"; all point statistics from one pass."""
    point = any(isinstance(s, Point) for s in statistics.values())
    sums = point_sums(truth, members, weights) if point else None
    out: Arrays = {}
    for name, statistic in statistics.items():
        found = statistic.of(sums) if sums and isinstance(statistic, Point) else statistic.reduce(truth, members, weights)
        out |= {f"{name}/{key}": np.asarray(value, dtype=np.float64) for key, value in found.items()}
    return out


def scorer(tree: Tree) -> Scorer:
    """The factory of workers."""
    return Scorer(tree)


def score(*, tree: Tree, executor: Executor, out: Path, progress: Progress | None = None, in_flight: int = 8) -> None:
    """Scores all sources and cases of a plan into `out`/scores.zarr; items that are done already are not done again.

    Args:
        tree: from `prepare`.
        executor: that runs the items.
        out: folder.
        progress: called after every item.
        in_flight: items submitted at a time.

    Raises:
        RuntimeError: for an item that failed, with its source and time; an OSError or ValueError where it was one.
    """
    store = out / "scores.zarr"
    if store.exists():
        return
    plan = tree["plan"]
    parts = Parts(out / "scores.parts", dict(plan))
    items = [(source, case) for case in range(len(plan["cases"])) for source in range(len(plan["sources"]))]
    _compile(tree)
    run(scorer, tree, items, parts, executor=executor, progress=progress, in_flight=in_flight, what="scoring")
    needed = statistics(from_tree(tree["experiment"], Experiment))
    with replacing(store) as temporary:
        write_zarr(temporary, xr.Dataset(attrs={"plan": dict(plan)}))
        for source, name in enumerate(plan["sources"]):
            found = [parts.read((source, case)) for case in range(len(plan["cases"]))]
            write_zarr(temporary, _dataset(found, plan, needed), group=name)
    parts.remove()


def run(
    factory: Callable[[Tree], Callable[[WorkItem], Arrays]],
    tree: Tree,
    items: Sequence[WorkItem],
    parts: Parts,
    *,
    executor: Executor,
    progress: Progress | None,
    in_flight: int,
    what: str,
) -> None:
    """Every item that is not done yet, each result into its part as it comes."""
    missing = [item for item in items if item not in parts]
    done = len(items) - len(missing)
    for item, result in executor.map(factory, tree, missing, in_flight=in_flight) if missing else _nothing():
        if isinstance(result, Failure):
            raise result.exception(f"{what} {_name(item, tree['plan'], what)}")
        parts.write(tuple(item), result)
        done += 1
        if progress is not None:
            progress(done, len(items))


def _nothing() -> Iterator[tuple[WorkItem, Arrays | Failure]]:
    return iter(())


def _name(item: WorkItem, plan: Plan, what: str) -> str:
    second = plan["cases"][item[1]]["time"] if what == "scoring" else plan["variables"][item[1]]
    return f"{plan['sources'][item[0]]} {second}"


def _compile(tree: Tree) -> None:
    """In this process, so that workers load the kernel from the cache instead of all compiling it."""
    from wxexp.statistics.kernel import compile_kernels

    compile_kernels()


def text(values: Sequence[str]) -> np.ndarray:
    """Strings of any length: those of fixed length have no specification in zarr v3."""
    return np.array(values, dtype=np.dtypes.StringDType())


def _times(plan: Plan) -> np.ndarray:
    """Initial times; as they are written where numpy's calendar has no such date."""
    times = [case["time"] for case in plan["cases"]]
    try:
        return np.array(times, dtype="datetime64[s]")
    except ValueError:
        return text(times)


def _dataset(found: Sequence[Arrays], plan: Plan, needed: dict[str, Statistic]) -> xr.Dataset:
    """Results of all cases of a source, in time order; a dim of another size than the first of its name is `name_size`."""
    data, sizes = {}, dict[str, int]()
    for key in found[0]:
        if key != "members":
            statistic, _, name = key.partition("/")
            values = np.stack([arrays[key] for arrays in found])
            names = zip(needed[statistic].dims.get(name, ()), values.shape[4:], strict=True)
            extra = [dim if sizes.setdefault(dim, size) == size else f"{dim}_{size}" for dim, size in names]
            data[f"{statistic}.{name}"] = (("case", "lead", "variable", "group", *extra), values)
    counts = {int(arrays["members"]) for arrays in found}
    if len(counts) > 1:
        raise ValueError(f"the number of members differs between cases: {sorted(counts)}")
    coords = {
        "time": ("case", _times(plan)),
        "index": ("case", [case["index"] for case in plan["cases"]]),
        "lead_hours": ("lead", np.array([np.nan if lead is None else lead for lead in plan["leads"]])),
        "variable": text(plan["variables"]),
        "group": text(plan["groups"]),
    }
    return xr.Dataset(data, coords=coords, attrs={"members": counts.pop()})
