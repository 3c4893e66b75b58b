"""SIGKILL at seeded random moments of all that a run consists of: the same command, repeated, ends with the bits of an undisturbed run.

`WXEXP_CHAOS=7 pytest -m chaos -s` for another plan than that of seed 1. A moment is so much of a stage, and milliseconds after that.
"""

from __future__ import annotations

import dataclasses
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import xarray as xr
from processes import descendants, gone, name, parent
from runbits import bits

import wxexp as wx
from wxexp import runner

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]

WEATHER = Path(__file__).with_name("weather.py")
SEED = int(os.environ.get("WXEXP_CHAOS", "1"))
ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith("RAY_")} | {"OMP_NUM_THREADS": "1"}
LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
"""As tests/conftest.py has it for a cluster that is joined; one of the run's own needs no telling."""
TRAINER, ACTOR = "ray::RayTrainWorker", "ray::RayWorker"


@dataclasses.dataclass(frozen=True)
class Shot:
    """At whom (DRIVER, or the name of a process), when `part` of a stage is done and `later` seconds have gone."""

    who: str
    stage: str
    part: float
    later: float


DRIVER = "driver"


def plan(name: str, *aims: tuple[str, str, float, float]) -> list[Shot]:
    """Shots at (who, stage) between two parts of it, at moments that follow from the seed."""
    found = random.Random(f"{SEED} {name}")
    shots = [Shot(who, stage, round(found.uniform(low, high), 3), round(found.uniform(0, 0.1), 3)) for who, stage, low, high in aims]
    print(f"\nseed {SEED}, {name}:", *shots, sep="\n  ")
    return shots


class Stages:
    """How much of each stage is done, by what is in the run directory."""

    def __init__(self, runs: Path, experiment: wx.Experiment) -> None:
        self._runs, self._e = runs, experiment
        items = len(experiment.dataset.open().items("test"))
        self._members = items * -(-experiment.ensemble.members // experiment.ensemble.chunk)
        self._blocks = -(-items // 4) * (1 + len(experiment.scoring.baselines))

    def part(self, stage: str) -> float:
        if not (run := next(self._runs.glob("small-*"), None)):
            return 0.0
        if stage == "train":
            rows = (run / "metrics.jsonl").read_bytes().split(b"\n")[:-1] if (run / "metrics.jsonl").exists() else []
            return json.loads(rows[-1])["samples"] / self._e.training.samples if rows else 0.0
        if stage == "sample":
            return len(list(run.glob("samples/*/done/*.json"))) / self._members
        if stage == "score":
            return len(list(run.glob("samples/*/scores/*/scores.parts/[0-9]*.npz"))) / self._blocks
        assert stage == "stores", stage  # what is written when all parts are there
        return float(any(run.glob("samples/*/scores/*/.*.zarr.*")) or any(run.glob("samples/*/scores/*/maps.zarr")))


def complete(
    words: Sequence[str], shots: Sequence[Shot], part: Callable[[str], float], shoot: Callable[[Shot, int], None], seconds: float = 500
) -> int:
    """Repeats a command until it ends well, and answers how often it was begun; every shot must hit, and nobody be left behind."""
    left, end, begun = list(shots), time.monotonic() + seconds, 0
    while True:
        begun += 1
        child = subprocess.Popen(
            [sys.executable, "-m", "wxexp", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=ENVIRONMENT | (LOOPBACK if "--address" in words else {}),
        )
        family: set[int] = set()
        try:
            while child.poll() is None:
                assert time.monotonic() < end, f"{words} takes longer than {seconds:g} s; {left} are left"
                if left and part(left[0].stage) >= left[0].part:
                    time.sleep(left[0].later)
                    family |= set(descendants(child.pid))
                    shot = left.pop(0)
                    if shot.who == DRIVER:
                        assert child.poll() is None, f"{shot} came too late"
                        child.kill()
                        child.wait()
                    else:
                        shoot(shot, child.pid)
                time.sleep(0.002)
            family |= set(descendants(child.pid))
        finally:
            family |= set(descendants(child.pid))
            child.kill()
        out, _ = child.communicate()
        assert gone(sorted(family), seconds=20), {pid: " ".join(name(pid).split())[:60] for pid in family if parent(pid) is not None}
        if child.returncode != -signal.SIGKILL:
            assert child.returncode == 0 and "Traceback" not in out, out
            assert not left, f"the run was over before {left}\n{out}"
            assert "Aim does not show" not in out, out
            return begun


def at_process(shot: Shot, driver: int) -> None:
    """Kills the worker process that was started last; waits until there is one."""
    end = time.monotonic() + 60
    while not (found := descendants(driver, shot.who)):
        assert time.monotonic() < end, f"there is nobody for {shot}"
        time.sleep(0.002)
    os.kill(found[-1], signal.SIGKILL)
    assert gone(found[-1])


def found(runs: Path, function: str) -> runner.Run:
    return runner.Run(e := wx.load(f"{WEATHER}:{function}"), runs, runner.identities(e))


def everything(run: runner.Run) -> dict[str, bytes]:
    """Bits of weights, members, sums, maps and table."""
    with xr.open_zarr(run.score_dir / "maps.zarr", consolidated=False, chunks=None) as maps:
        return bits(run) | {f"map {name}": maps[name].values.tobytes() for name in maps.data_vars}


def same(run: runner.Run, undisturbed: runner.Run, *, stored: bool = True) -> None:
    wanted = everything(undisturbed)
    if not stored:
        wanted = {name: value for name, value in wanted.items() if name not in ("tas", "pr")}
    assert {name for name, value in everything(run).items() if wanted.get(name) != value} == set()
    assert everything(run).keys() == wanted.keys()
    assert (run.score_dir / "report" / "index.html").stat().st_size > 10_000


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> runner.Run:
    """In this process."""
    e = wx.edit(wx.load(f"{WEATHER}:stored"), {"resources.workers": 0, "aim": None})
    return wx.run(e, runs=tmp_path_factory.mktemp("undisturbed"), until="score")


def trained(undisturbed: runner.Run, home: Path) -> Path:
    """A place where the experiment is trained, and nothing drawn."""
    there = home / undisturbed.directory.name
    shutil.copytree(undisturbed.directory / "train", there / "train")
    for file in ("experiment.json", "provenance.json", "metrics.jsonl"):
        shutil.copy(undisturbed.directory / file, there)
    return home


def words(function: str, runs: Path, *more: str) -> list[str]:
    return ["run", f"{WEATHER}:{function}", "--runs", str(runs), *more]


def test_drivers(undisturbed: runner.Run, tmp_path: Path) -> None:
    """Six kills of the process that was started, which also writes Aim; one of them before it is well begun."""
    shots = plan(
        "drivers",
        (DRIVER, "train", 0.0, 0.0),
        (DRIVER, "train", 0.1, 0.9),
        (DRIVER, "sample", 0.05, 0.5),
        (DRIVER, "sample", 0.5, 0.9),
        (DRIVER, "score", 0.05, 0.6),
        (DRIVER, "stores", 1.0, 1.0),
    )
    shots[0] = dataclasses.replace(shots[0], later=round(random.Random(f"{SEED} start").uniform(0.0, 12.0), 3))
    print("the first of them after", shots[0].later, "s")
    part = Stages(tmp_path, undisturbed.experiment).part
    assert complete(words("stored", tmp_path), shots, part, at_process) == 7
    same(run := found(tmp_path, "stored"), undisturbed)
    from aim import Repo

    (view,) = Repo.from_path(str(tmp_path)).query_metrics("metric.name == 'loss' and metric.context.subset == 'train'").iter_runs()
    (metric,) = (each for each in view if each.name == "loss")
    frame = metric.dataframe()
    assert dict(zip(frame["step"].tolist(), frame["value"].tolist(), strict=True)) == losses(run.directory)


def test_workers(undisturbed: runner.Run, tmp_path: Path) -> None:
    """Six kills of one run's workers: it mends itself."""
    shots = plan(
        "workers",
        (TRAINER, "train", 0.1, 0.5),
        (TRAINER, "train", 0.5, 0.9),
        (ACTOR, "sample", 0.05, 0.4),
        (ACTOR, "sample", 0.4, 0.9),
        (ACTOR, "score", 0.0, 0.3),
        (ACTOR, "score", 0.4, 0.7),
    )
    part = Stages(tmp_path, undisturbed.experiment).part
    assert complete(words("stored", tmp_path), shots, part, at_process) == 1
    same(found(tmp_path, "stored"), undisturbed)


def test_members_that_are_not_stored(undisturbed: runner.Run, tmp_path: Path) -> None:
    """Two kills of the driver and three of its actors, while baselines are scored, and members are drawn and gathered."""
    shots = plan(
        "not stored",
        (ACTOR, "score", 0.1, 0.7),
        (DRIVER, "score", 0.77, 0.8),
        (ACTOR, "score", 0.82, 0.87),
        (DRIVER, "score", 0.87, 0.92),
        (ACTOR, "score", 0.93, 0.97),
    )
    part = Stages(tmp_path, undisturbed.experiment).part
    assert complete(words("unstored", trained(undisturbed, tmp_path)), shots, part, at_process) == 3
    same(found(tmp_path, "unstored"), undisturbed, stored=False)


class Nodes:
    """A cluster of loopback: a head that nobody shoots at, with one CPU, and a second node with another."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster

        self.cluster: Any = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
        self.join()

    def join(self) -> None:
        self.second = self.cluster.add_node(num_cpus=1)

    def kill(self) -> None:
        """The raylet, by SIGKILL; what it had started ends with it."""
        (raylet,) = self.second.all_processes["raylet"]
        family = descendants(raylet.process.pid)
        os.kill(raylet.process.pid, signal.SIGKILL)
        raylet.process.wait()
        assert gone(family, seconds=20)

    def replace(self) -> None:
        self.kill()
        self.join()


@pytest.fixture
def nodes() -> Iterator[Nodes]:
    found = Nodes()
    before = set(descendants(os.getpid()))
    try:
        yield found
    finally:
        found.cluster.shutdown()
        assert gone(sorted(before), seconds=20)


RAYLET, RAYLET_REPLACED = "raylet", "raylet, and a fresh node joins"


def at_nodes(nodes: Nodes) -> Callable[[Shot, int], None]:
    def shoot(shot: Shot, driver: int) -> None:
        if shot.who == RAYLET_REPLACED:
            nodes.replace()
        elif shot.who == RAYLET:
            nodes.kill()
        else:
            at_process(shot, driver)

    return shoot


def test_nodes_while_training(undisturbed: runner.Run, tmp_path: Path, nodes: Nodes) -> None:
    """Two workers on two nodes, one of which is lost and replaced: they learn what one does in one process, to rounding."""
    shots = plan("training", (RAYLET_REPLACED, "train", 0.2, 0.7))
    part = Stages(tmp_path, undisturbed.experiment).part
    command = ["train", *words("pair", tmp_path, "--address", nodes.cluster.address)[1:]]
    assert complete(command, shots, part, at_nodes(nodes)) == 1
    run = found(tmp_path, "pair")
    assert "training workers were lost" in (run.directory / "log.txt").read_text()
    alone, pair = (losses(each.directory) for each in (undisturbed, run))
    assert alone.keys() == pair.keys() and len(pair) == 200
    assert list(pair.values()) == pytest.approx(list(alone.values()), rel=1e-4)


def losses(directory: Path) -> dict[int, float]:
    """Of training, by step."""
    rows = [json.loads(line) for line in (directory / "metrics.jsonl").read_text().splitlines()]
    return {row["step"]: row["values"]["loss"] for row in rows if row["context"] == {"subset": "train"}}


def test_nodes_while_drawing(undisturbed: runner.Run, tmp_path: Path, nodes: Nodes) -> None:
    shots = plan("drawing", (RAYLET_REPLACED, "sample", 0.1, 0.4), (RAYLET, "sample", 0.5, 0.8))
    part = Stages(tmp_path, undisturbed.experiment).part
    runs = trained(undisturbed, tmp_path)
    assert complete(words("pair", runs, "--address", nodes.cluster.address), shots, part, at_nodes(nodes)) == 1
    same(found(tmp_path, "pair"), undisturbed)


def test_nodes_while_gathering(undisturbed: runner.Run, tmp_path: Path, nodes: Nodes) -> None:
    shots = plan("gathering", (RAYLET, "score", 0.77, 0.9))
    part = Stages(tmp_path, undisturbed.experiment).part
    runs = trained(undisturbed, tmp_path)
    assert complete(words("unstored", runs, "--address", nodes.cluster.address), shots, part, at_nodes(nodes)) == 1
    same(found(tmp_path, "unstored"), undisturbed, stored=False)
