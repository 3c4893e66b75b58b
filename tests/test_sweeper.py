"""A sweep on Ray Tune: one training, points that are drawn and scored once, one that fails, and their table."""

from __future__ import annotations

import math
from pathlib import Path

import deadly
import pandas as pd
import pytest

import wxexp as wx
from wxexp import sweeper
from wxexp.config import ConfigError
from wxexp.progress import Silent
from wxexp.scoring import read_table

SMALL = Path(__file__).with_name("small.py")


class Lines(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.stages: list[tuple[str, float]] = []

    def stage(self, name: str, total: float, unit: str) -> None:
        self.stages.append((name, total))

    def line(self, text: str) -> None:
        self.lines.append(text)


def what() -> wx.Sweep:
    """Five points, of which one cannot be drawn."""
    base = wx.edit(wx.load(SMALL), {"ensemble.split": "valid", "ensemble.members": 2})
    return wx.Sweep(base, (*wx.product({"sampler.steps": (2, 3), "sampler": ("Euler", "Heun")}), {"sampler": deadly.Broken(steps=2)}))


@pytest.fixture(scope="module")
def swept(ray_cluster: object, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pd.DataFrame, Lines]:
    home, said = tmp_path_factory.mktemp("runs"), Lines()
    return home, sweeper.sweep(what(), name="steps", runs=home, progress=said), said


def test_the_table_is_ranked_and_says_what_each_point_took(swept: tuple[Path, pd.DataFrame, Lines]) -> None:
    home, table, _ = swept
    assert pd.read_parquet(home / "sweeps" / "steps" / "sweep.parquet").equals(table)
    good = table[table["state"] == "done"]
    assert list(table["rank"]) == [1, 2, 3, 4, 5] and len(good) == 4
    assert {"sampler.levels", "sampler.terminal", "sampler.levels.rho"}.isdisjoint(table.columns), "points do not differ in these"
    evaluations = {("Euler", 2): 2, ("Euler", 3): 3, ("Heun", 2): 3, ("Heun", 3): 5}
    assert {(s, int(n)): e for s, n, e in zip(good["sampler"], good["sampler.steps"], good["evaluations"], strict=True)} == evaluations
    assert (good["seconds"] > 0).all() and good["score"].is_monotonic_increasing and good["score"].iloc[0] == 1.0
    for row in good.to_dict("records"):
        crps = {r.variable: r.value for r in read_table(Path(row["scores"]) / "table.json") if (r.metric, r.source) == ("crps", "forecast")}
        assert {name: row[f"crps {name}"] for name in crps} == crps and set(crps) == {"tas", "pr"}
        assert Path(row["scores"]).name == row["point"]
    best = good.iloc[0]
    for row in good.to_dict("records"):
        ratio = math.sqrt(row["crps tas"] / best["crps tas"] * row["crps pr"] / best["crps pr"])
        assert row["score"] == pytest.approx(ratio, rel=1e-12)


def test_components_are_told_apart_by_the_fields_in_which_they_differ() -> None:
    karras, normal = wx.levels.Karras(), wx.levels.LogNormal(sigma_min=0.01)
    samplers = (wx.samplers.Euler(levels=karras), wx.samplers.Euler(levels=normal), wx.samplers.Heun(levels=normal, churn=8.0))
    told = sweeper._told(({"sampler": samplers[0]}, {"sampler": samplers[1]}, {"sampler": samplers[2], "ensemble.members": 4}))
    assert told == [
        {"sampler": "Euler", "sampler.steps": 36, "sampler.levels": "Karras", "sampler.levels.sigma_min": 0.002},
        {"sampler": "Euler", "sampler.steps": 36, "sampler.levels": "LogNormal", "sampler.levels.sigma_min": 0.01},
        {"sampler": "Heun", "sampler.steps": 18, "sampler.levels": "LogNormal", "sampler.levels.sigma_min": 0.01, "ensemble.members": 4},
    ]


def test_a_point_that_fails_is_the_last_and_stops_no_other(swept: tuple[Path, pd.DataFrame, Lines]) -> None:
    _, table, said = swept
    last = table.iloc[-1]
    assert last["state"].startswith("FloatingPointError: ") and "this sampler fails" in last["state"] and math.isnan(last["score"])
    assert any(line.endswith(f"failed: {last['state']}") for line in said.lines)


def test_one_training_for_all_and_nothing_is_done_twice(swept: tuple[Path, pd.DataFrame, Lines]) -> None:
    home, table, said = swept
    assert len(list(home.glob("small-*"))) == 1
    assert [name for name, _ in said.stages] == ["train", "sweep"] and said.stages[1] == ("sweep", 5)
    stamps = {path: path.stat().st_mtime_ns for path in home.glob("small-*/samples/**/*") if path.is_file() and path.name != "lock"}
    again = Lines()
    good = wx.Sweep(what().base, what().points[:-1])
    pd.testing.assert_frame_equal(
        sweeper.sweep(good, name="good", runs=home, progress=again)[["point", "score"]], table[["point", "score"]][:-1]
    )
    assert again.stages == [] and {path: path.stat().st_mtime_ns for path in stamps} == stamps


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"points": ({"sampler.stpes": 3},)}, "sweep at sampler.stpes=3: no 'stpes' in sampler .Euler.; did you mean 'steps'"),
        ({"rank": "crsp"}, "ranked by 'crsp' needs that in scoring.metrics; did you mean 'crps'"),
        ({"points": ()}, "at least one point"),
    ],
)
def test_a_mistake_is_told_before_anything_starts(tmp_path: Path, change: dict[str, object], message: str) -> None:
    import dataclasses

    with pytest.raises(ConfigError, match=message):
        sweeper.sweep(dataclasses.replace(what(), **change), name="wrong", runs=tmp_path)
    assert not list(tmp_path.iterdir())


def test_what_a_file_must_return(tmp_path: Path) -> None:
    file = tmp_path / "s.py"
    file.write_text("import wxexp as wx\ndef sweep():\n    return wx.product({'seed': (1, 2)})\n")
    with pytest.raises(ConfigError, match="s.py:sweep must return Sweep, got"):
        sweeper.load(file)
    with pytest.raises(ConfigError, match="must be the file of a sweep"):
        sweeper.load(tmp_path / "record.json")
