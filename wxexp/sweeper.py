"""A sweep: the points of a product, each drawn and scored, and one ranked table of them.

    every point checked --> trainings that are missing --> points that are missing, as trials of Ray Tune --> sweep.parquet

Points that share a training use one run; a point is done when its run directory has its table of scores, so a sweep that is run again
computes only what is missing, and a point is found by `wxexp show` like any other run.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wxexp import rundir
from wxexp.config import Sweep, edit, fingerprint, from_tree, identities, to_tree
from wxexp.config.load import import_packages, load_sweep
from wxexp.config.tree import TYPE, ConfigError, normal, packages, suggest
from wxexp.experiment import Experiment
from wxexp.interfaces import Failure, Job
from wxexp.progress import Progress, Silent
from wxexp.runner import Run, Stages, run

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Point:
    """One of the experiments of a sweep: what tells it from the others, by path, its run, and the fingerprint it goes by."""

    told: Mapping[str, object]
    run: Run

    @cached_property
    def name(self) -> str:
        return fingerprint(self.run.experiment, "score", self.run.identities)

    @property
    def table(self) -> Path:
        return self.run.score_dir / "table.json"


def load(where: str | Path, *, imports: Sequence[str] = ()) -> Sweep[Experiment]:
    """The sweep of `x.py[:function]`."""
    import_packages(imports)
    return load_sweep(where, Experiment)


def sweep(
    what: Sweep[Experiment], *, name: str, runs: Path | None = None, address: str | None = None, progress: Progress | None = None
) -> pd.DataFrame:
    """Does what is missing of a sweep, and ranks its points.

    Args:
        what: all of its points are checked before anything starts.
        name: of the folder in `runs`/sweeps where sweep.parquet and log.txt are.
        runs: where run directories are; None: $WXEXP_RUNS, else runs/.
        address: of a Ray cluster to join; None: $RAY_ADDRESS, else one of its own.
        progress: where to say how far it is.

    Returns:
        one row for each point, the best first: `rank`, `point` (its fingerprint), a column for each path in which points differ, `score`
        (geometric mean over variables and lead times of the metric that ranks, over that of the best point), the metric by variable and
        `spread_skill`, where that is scored (a small score may be had by too little spread), `evaluations` (passes of a member through a
        network), `seconds` (of drawing, over all workers), `state` ("done", or the error) and `scores`, the directory.

    Raises:
        ConfigError: a point is no experiment, none is scored by the metric that ranks, or the cluster cannot be had.
    """
    progress, home = progress or Silent(), rundir.prepare(rundir.directory(runs))
    points = [Point(told, _run(one, home)) for told, one in zip(_told(what.points), what.experiments(), strict=True)]
    for point in points:
        if what.rank not in point.run.experiment.scoring.metrics:
            there = suggest(what.rank, list(point.run.experiment.scoring.metrics))
            raise ConfigError(f"a sweep that is ranked by {what.rank!r} needs that in scoring.metrics{there}")
    folder = rundir.prepare(home / "sweeps" / name)
    with rundir.lock(folder):
        missing = {point.name: point for point in points if not point.table.exists()}
        failures: dict[str, Failure] = {}
        if missing:
            from wxexp.launch.cluster import cluster

            with cluster(address):
                trained = _train(missing, failures, home, progress)
                _score(trained, failures, folder, progress)
            _show({point.run.directory: point for point in missing.values()}, name, progress)
        table = _ranked(points, failures, what.rank)
        part = folder / "sweep.parquet.part"
        table.to_parquet(part, index=False)
        part.replace(folder / "sweep.parquet")
    return table


def _run(experiment: Experiment, home: Path) -> Run:
    experiment = normal(experiment)
    return Run(experiment, home, identities(experiment))


def _train(points: Mapping[str, Point], failures: dict[str, Failure], home: Path, progress: Progress) -> dict[str, Point]:
    """Trains what is not trained, one after another; answers the points that can be scored."""
    told: dict[Path, Failure | None] = {}
    for point in points.values():
        where = point.run.directory
        if where not in told:
            try:
                run(point.run.experiment, runs=home, until="train", progress=progress)
                told[where] = None
            except (ValueError, OSError, FloatingPointError, RuntimeError) as error:
                progress.line(f"{where.name} failed: {error}")
                told[where] = Failure.of(error)
        if (failure := told[where]) is not None:
            failures[point.name] = failure
    return {name: point for name, point in points.items() if name not in failures}


def _score(points: Mapping[str, Point], failures: dict[str, Failure], folder: Path, progress: Progress) -> None:
    """Draws and scores as trials."""
    from wxexp.launch.tune import Answer, trials

    progress.stage("sweep", len(points), "points")
    ended = 0

    def done(name: str, answer: Answer) -> None:
        nonlocal ended
        ended += 1
        if isinstance(answer, Failure):
            failures[name] = answer
            progress.line(f"{_words(points[name])} failed: {answer.error}")
        progress.done(ended, _words(points[name]))

    if points:
        items = {name: to_tree(point.run.experiment) for name, point in points.items()}
        home = next(iter(points.values())).run.home
        imports = dict.fromkeys(name for point in points.values() for name in packages(point.run.experiment))
        job = Job(scorer, {"runs": str(home), "imports": list(imports)})
        gpus = max(_gpus(point.run.experiment) for point in points.values())
        trials(job, items, path=sys.path, output=folder / "log.txt", gpus=gpus, done=done)


def _show(runs: Mapping[Path, Point], name: str, progress: Progress) -> None:
    """The scores of all points in Aim, as far as their experiments are shown there."""
    from wxexp.tracking.follow import Follower

    for directory, point in runs.items():
        if point.run.experiment.aim is not None and directory.exists():
            with Follower(directory, repo=point.run.home, warn=progress.line, tags=(f"sweep:{name}",)):
                pass


def _gpus(experiment: Experiment) -> float:
    from wxexp.launch.cluster import nodes

    there = any(node["Resources"].get("GPU", 0) for node in nodes())
    return experiment.resources.gpus if experiment.resources.device != "cpu" and there else 0.0


def scorer(tree: Mapping[str, Any]) -> Scorer:
    """The factory of trials."""
    return Scorer(Path(tree["runs"]), tree["imports"])


class Scorer:
    """A trial: draws and scores an experiment in this process, in the directory of its run, which is trained already."""

    def __init__(self, runs: Path, imports: Sequence[str]) -> None:
        self._runs = runs
        for package in imports:
            import_module(package)

    def __call__(self, tree: Mapping[str, Any], /) -> dict[str, Any]:
        experiment = edit(from_tree(tree, Experiment), {"resources.workers": 0})
        stages = Stages(_run(experiment, self._runs), Silent())
        return {"scores": str(stages.score_only())}


def _words(point: Point) -> str:
    return " ".join(f"{path}={value}" for path, value in point.told.items())


def _told(points: Sequence[Mapping[str, object]]) -> list[dict[str, object]]:
    """Overrides as cells of the table, by path: of components their names, and those of their fields in which points differ."""
    cells = [{path: cell for override, value in point.items() for path, cell in _cells(override, value)} for point in points]
    given = {path for point in points for path in point}
    found = {path: {cell[path] for cell in cells if path in cell} for path in dict.fromkeys(path for cell in cells for path in cell)}
    paths = [path for path, values in found.items() if path in given or len(values) > 1]
    return [{path: cell[path] for path in paths if path in cell} for cell in cells]


def _cells(path: str, value: object) -> Iterator[tuple[str, object]]:
    """A value by its path; of a component its name, and its fields by theirs."""
    tree = to_tree(value)
    if isinstance(tree, Mapping) and TYPE in tree:
        yield path, tree[TYPE]
        for name, each in tree.items():
            if name != TYPE:
                yield from _cells(f"{path}.{name}", each)
    else:
        yield path, json.dumps(tree) if isinstance(tree, Mapping | list) else tree


def _ranked(points: Sequence[Point], failures: Mapping[str, Failure], metric: str) -> pd.DataFrame:
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for point in points:
        row: dict[str, Any] = {"point": point.name, **point.told}
        if point.name in failures:
            row |= {"score": math.nan, "state": failures[point.name].error, "scores": str(point.run.score_dir)}
        else:
            row |= _scored(point, metric)
        rows.append(row)
    table = pd.DataFrame(rows).sort_values("score", kind="stable", ignore_index=True)
    table["score"] /= table["score"].min()
    table.insert(0, "rank", range(1, len(table) + 1))
    return table


def _scored(point: Point, metric: str) -> dict[str, Any]:
    from wxexp.scoring import read_table

    rows = [r for r in read_table(point.table) if (r.source, r.group) == ("forecast", "all")]
    values = [r.value for r in rows if r.metric == metric]
    score = math.exp(sum(math.log(value) for value in values) / len(values)) if all(value > 0 for value in values) else math.nan
    by_variable: dict[str, list[float]] = {}
    for name in dict.fromkeys((metric, "spread_skill")):
        for r in (r for r in rows if r.metric == name):
            by_variable.setdefault(f"{name} {r.variable}", []).append(r.value)
    means = {name: sum(values) / len(values) for name, values in by_variable.items()}
    return {"score": score, **means, **_effort(point), "state": "done", "scores": str(point.run.score_dir)}


def _effort(point: Point) -> dict[str, float]:
    """What drawing took, from the markers of work items; nothing where members were not stored."""
    e = point.run.experiment.ensemble
    markers = [json.loads(path.read_text(encoding="utf-8")) for path in (point.run.sample_dir / "done").glob("*.json")]
    groups = sum(-(-marker["stop"] // e.rows) - marker["first"] // e.rows for marker in markers) * e.leads
    if not groups:
        return {}
    return {
        "evaluations": sum(marker["evaluations"] for marker in markers) / groups,
        "seconds": sum(marker["seconds"] for marker in markers),
    }
