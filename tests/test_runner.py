"""Stages in order: what is skipped, what is resumed, what is found again, and what is refused."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from processes import workers
from runbits import bits

import wxexp as wx
from wxexp import rundir, runner
from wxexp.config import ConfigError, read
from wxexp.progress import Silent

SMALL = Path(__file__).with_name("small.py")
LORENZ = Path(__file__).parents[1] / "experiments" / "lorenz96.py"


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> runner.Run:
    return wx.run(wx.load(SMALL), runs=tmp_path_factory.mktemp("runs"))


def test_everything_the_design_promises_is_in_the_run_directory(undisturbed: runner.Run) -> None:
    names = {path.name for path in undisturbed.directory.iterdir()}
    assert {"experiment.json", "provenance.json", "metrics.jsonl", "log.txt", "lock", "train", "samples"} <= names
    for place in (undisturbed.directory, undisturbed.sample_dir, undisturbed.score_dir):
        assert read(place, wx.Experiment).experiment == undisturbed.experiment
    assert (undisturbed.score_dir / "report" / "index.html").stat().st_size > 10_000
    assert undisturbed.sample_dir.parent.parent == undisturbed.directory
    assert undisturbed.score_dir.parent.parent == undisturbed.sample_dir


def test_members_are_within_bounds_and_missing_where_the_mask_is(undisturbed: runner.Run) -> None:
    opened = undisturbed.experiment.dataset.open()
    with xr.open_zarr(undisturbed.sample_dir / "members.zarr", consolidated=False) as members:
        assert dict(members.sizes) == {"time": len(opened.items("test")), "member": 3, "lat": 16, "lon": 24}
        truth = opened.truth(opened.items("test")[0])
        assert truth is not None
        assert np.array_equal(np.isnan(members["tas"].values[0, 0]), np.isnan(truth["tas"].values))
        assert np.nanmin(members["pr"].values) >= 0


def test_what_is_done_is_not_done_again(undisturbed: runner.Run) -> None:
    stamps = {
        path: path.stat().st_mtime_ns
        for path in undisturbed.directory.rglob("*")
        if path.is_file() and path.name not in ("lock", "log.txt")
    }
    again = wx.run(undisturbed.experiment, runs=undisturbed.home)
    assert again.score_dir == undisturbed.score_dir
    assert {path: path.stat().st_mtime_ns for path in stamps} == stamps


def test_another_sampler_uses_the_training_that_is_there(undisturbed: runner.Run) -> None:
    other = wx.run(wx.edit(undisturbed.experiment, {"sampler.steps": 2}), runs=undisturbed.home, until="sample")
    assert other.directory == undisturbed.directory
    assert other.sample_dir != undisturbed.sample_dir


def test_more_members_are_added_to_the_same_store(undisturbed: runner.Run, tmp_path: Path) -> None:
    shutil.copytree(undisturbed.home, tmp_path / "runs")
    more = wx.run(wx.edit(undisturbed.experiment, {"ensemble.members": 5}), runs=tmp_path / "runs", until="score")
    assert more.sample_dir.name == undisturbed.sample_dir.name
    assert more.score_dir.name != undisturbed.score_dir.name
    with (
        xr.open_zarr(undisturbed.sample_dir / "members.zarr", consolidated=False) as few,
        xr.open_zarr(more.sample_dir / "members.zarr", consolidated=False) as many,
    ):
        assert many.sizes["member"] == 5
        assert np.array_equal(many["pr"].values[:, :3], few["pr"].values, equal_nan=True)


def test_fewer_members_are_those_of_the_table(undisturbed: runner.Run, tmp_path: Path) -> None:
    shutil.copytree(undisturbed.home, tmp_path / "runs")
    fewer = wx.run(wx.edit(undisturbed.experiment, {"ensemble.members": 2}), runs=tmp_path / "runs", until="score")
    alone = wx.run(wx.edit(undisturbed.experiment, {"ensemble.members": 2}), runs=tmp_path / "alone", until="score")
    assert (fewer.score_dir / "table.json").read_bytes() == (alone.score_dir / "table.json").read_bytes()


def trained(undisturbed: runner.Run, home: Path) -> Path:
    """A place where the experiment is trained, and nothing drawn."""
    shutil.copytree(undisturbed.directory / "train", home / undisturbed.directory.name / "train")
    for name in ("experiment.json", "provenance.json", "metrics.jsonl"):
        shutil.copy(undisturbed.directory / name, home / undisturbed.directory.name)
    return home


def test_a_micro_batch_changes_no_bit_of_members_and_scores(undisturbed: runner.Run, tmp_path: Path) -> None:
    """Of what is drawn from the same weights."""
    change = {"training.micro_batch": 3, "ensemble.chunk": 3}
    other = wx.run(wx.edit(undisturbed.experiment, change), runs=trained(undisturbed, tmp_path), until="score")
    assert bits(other) == bits(undisturbed)


class Shooting(Silent):
    """Kills the worker that was started last, when so much of a stage is done; one for each stage."""

    def __init__(self, **when: float) -> None:
        self.when, self.shot = when, list[str]()

    def stage(self, name: str, total: float, unit: str) -> None:
        self.name = name

    def done(self, amount: float, text: str = "") -> None:
        if self.name in self.when and self.name not in self.shot and amount >= self.when[self.name]:
            os.kill(workers()[-1], signal.SIGKILL)
            self.shot.append(self.name)


def test_workers_change_no_bit_though_one_is_killed_in_each_stage(ray_cluster: object, undisturbed: runner.Run, tmp_path: Path) -> None:
    """Two Ray workers draw and score; SIGKILL of one that draws, and of one that scores."""
    shooting = Shooting(sample=6, score=1)
    experiment = wx.edit(undisturbed.experiment, {"resources.workers": 2})
    other = wx.run(experiment, runs=trained(undisturbed, tmp_path), until="score", progress=shooting)
    assert shooting.shot == ["sample", "score"]
    assert bits(other) == bits(undisturbed)


@pytest.mark.parametrize("number", [0, 2])
def test_members_that_are_not_stored_have_the_same_scores(
    ray_cluster: object, undisturbed: runner.Run, tmp_path: Path, number: int
) -> None:
    change = {"ensemble.store": None, "ensemble.chunk": 1, "resources.workers": number}
    other = wx.run(wx.edit(undisturbed.experiment, change), runs=trained(undisturbed, tmp_path))
    assert not (other.sample_dir / "members.zarr").exists()
    assert (other.score_dir / "report" / "index.html").stat().st_size > 10_000
    before = bits(undisturbed)
    assert bits(other) == {name: found for name, found in before.items() if name not in ("tas", "pr")}
    for name in ("bias", "crps", "spread"):
        maps = [xr.open_zarr(run.score_dir / "maps.zarr", consolidated=False)[name].values.tobytes() for run in (other, undisturbed)]
        assert maps[0] == maps[1]


KILLED = """
import os, signal, sys
from pathlib import Path
import wxexp as wx
from wxexp.progress import Silent

class Killer(Silent):
    def stage(self, name, total, unit):
        self.name = name
    def done(self, amount, text=""):
        if self.name == sys.argv[3] and amount >= float(sys.argv[4]):
            os.kill(os.getpid(), signal.SIGKILL)

wx.run(wx.load(sys.argv[1]), runs=Path(sys.argv[2]), progress=Killer())
"""


def test_killed_in_every_stage_it_ends_with_the_same_bits(undisturbed: runner.Run, tmp_path: Path) -> None:
    """SIGKILL of the process while it trains, draws, and scores; the same command again each time."""
    for stage, amount in (("train", 40), ("sample", 7), ("score", 6)):
        killed = subprocess.run([sys.executable, "-c", KILLED, str(SMALL), str(tmp_path), stage, str(amount)], timeout=120)
        assert killed.returncode == -signal.SIGKILL, stage
    assert bits(wx.run(wx.load(SMALL), runs=tmp_path)) == bits(undisturbed)


def test_a_run_in_use_is_refused_and_a_killed_one_is_not(undisturbed: runner.Run) -> None:
    with open(undisturbed.directory / "lock", "a+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(ConfigError, match="is in use by process"):
            wx.run(undisturbed.experiment, runs=undisturbed.home)
    wx.run(undisturbed.experiment, runs=undisturbed.home)


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot write in .*file.*--runs"):
        wx.run(wx.load(SMALL), runs=tmp_path / "file" / "runs")


def test_a_missing_checkpoint_is_named(undisturbed: runner.Run, tmp_path: Path) -> None:
    shutil.copytree(undisturbed.home, tmp_path / "runs")
    train = tmp_path / "runs" / undisturbed.directory.name / "train"
    for folder in train.glob("step-*"):
        shutil.rmtree(folder)
    with pytest.raises(ValueError, match="has no checkpoint"):
        wx.run(wx.edit(undisturbed.experiment, {"ensemble.members": 5}), runs=tmp_path / "runs")


def test_a_flipped_byte_of_a_checkpoint_is_noticed(undisturbed: runner.Run, tmp_path: Path) -> None:
    shutil.copytree(undisturbed.home, tmp_path / "runs")
    (weights,) = (tmp_path / "runs" / undisturbed.directory.name / "train").glob("step-*/ema.safetensors")
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    with pytest.raises(ValueError, match="ema.safetensors"):
        wx.run(wx.edit(undisturbed.experiment, {"ensemble.members": 5}), runs=tmp_path / "runs")


def test_a_record_rebuilds_the_run_without_its_file(undisturbed: runner.Run) -> None:
    rebuilt = runner.loaded(undisturbed.directory)
    assert rebuilt == undisturbed.experiment
    assert wx.run(rebuilt, runs=undisturbed.home).score_dir == undisturbed.score_dir


def test_a_forecast_of_several_leads_goes_through_all_stages(tmp_path: Path) -> None:
    small = {
        "dataset.source": wx.datasets.Lorenz96(steps=60, trajectories=4, every=2, spin_up=200),
        "dataset.stride": 5,
        "training.samples": 64,
        "training.validation.every": 32,
        "sampler.steps": 2,
        "training.validation.sampler.steps": 2,
        "ensemble.members": 4,
    }
    run = wx.run(wx.edit(runner.loaded(f"{LORENZ}:tiny"), small), runs=tmp_path)
    with xr.open_zarr(run.sample_dir / "members.zarr", consolidated=False) as members:
        assert set(members["state"].dims) == {"init_time", "member", "lead_time", "x"}
        assert members.sizes["lead_time"] == 2
    rows = json.loads((run.score_dir / "table.json").read_text())["rows"]
    assert {row["lead_hours"] for row in rows} == {48.0, 96.0}
    assert {row["source"] for row in rows} == {"forecast", "persistence", "climatology"}


def test_warnings_are_said_once_and_errors_left_to_who_catches_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []

    class Heard(Silent):
        def line(self, text: str) -> None:
            said.append(text)

    def provenance() -> dict[str, str]:
        logging.getLogger("wxexp.deep.inside").warning("%d values are %s", 7, "NaN")
        raise RuntimeError("and then it fails")

    monkeypatch.setattr(rundir, "provenance", provenance)
    with pytest.raises(RuntimeError, match="and then it fails"):
        wx.run(wx.load(SMALL), runs=tmp_path, progress=Heard())
    assert said == ["warning: 7 values are NaN"]
    (log,) = tmp_path.glob("*/log.txt")
    assert "7 values are NaN" in log.read_text() and "ended by RuntimeError" in log.read_text()
    assert not logging.getLogger("wxexp").handlers


def test_a_report_that_fails_loses_no_score(undisturbed: runner.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The table is there before a picture is."""
    home = shutil.copytree(undisturbed.home, tmp_path / "runs")
    run = runner.Run(undisturbed.experiment, home, undisturbed.identities)
    table, page = run.score_dir / "table.json", run.score_dir / "report" / "index.html"
    shutil.rmtree(page.parent)
    expected = table.read_bytes(), table.stat().st_mtime_ns

    def fails(*args: object, **options: object) -> None:
        raise RuntimeError("no picture")

    with monkeypatch.context() as patched, pytest.raises(RuntimeError, match="no picture"):
        patched.setattr("wxexp.reports.report", fails)
        wx.run(undisturbed.experiment, runs=home)
    assert not page.exists() and (table.read_bytes(), table.stat().st_mtime_ns) == expected


def test_a_run_is_drawn_by_whoever_has_not_the_sampler_it_was_begun_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package's sampler in the record of the training stops no experiment that does not use it."""
    (tmp_path / "begun_with.py").write_text("from wxexp.samplers import Euler\n\n\nclass Mine(Euler):\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    one = wx.edit(runner.loaded(SMALL, imports=["begun_with"]), {"training.samples": 32})
    begun = wx.run(wx.edit(one, {"sampler": "begun_with:Mine"}), runs=tmp_path / "runs", until="train")
    monkeypatch.delitem(sys.modules, "begun_with")
    again = wx.run(one, runs=tmp_path / "runs", until="sample")
    assert again.directory == begun.directory
    assert (again.sample_dir / "members.zarr").is_dir()


def test_an_experiment_uses_a_parent_that_was_begun_with_other_members_and_threads(tmp_path: Path) -> None:
    one = wx.load(SMALL)
    none = {"scheduler": None, "sampler": None, "training.samples": 32}
    mean = wx.edit(one, {"name": "mean", "objective": wx.objectives.Regression(), **none})
    child = wx.edit(one, {"name": "child", "training.samples": 32, "objective": wx.objectives.Residual(mean=mean, of=one.objective)})
    wx.run(wx.edit(mean, {"ensemble.members": 1, "resources.threads": None}), runs=tmp_path, until="train")
    run = wx.run(wx.edit(child, {"resources.threads": 2}), runs=tmp_path, until="sample")
    assert (run.sample_dir / "members.zarr").is_dir()
    assert len(list(tmp_path.glob("mean-*"))) == 1
