import subprocess
import sys
from pathlib import Path

import pytest
import toy as wx

from wxexp.config import Change, ConfigError, compare, diff, edit, identities, to_tree, write


def test_changes_come_in_the_order_of_the_record(e: wx.Experiment) -> None:
    x = edit(e, {"sampler": "Euler", "seed": 2, "name": "x"})
    assert diff(to_tree(e), to_tree(x)) == [
        Change("name", "residual", "x"),
        Change("sampler.type", "Heun", "Euler"),
        Change("sampler.churn", 0.0, "(absent)"),
        Change("seed", 0, 2),
    ]
    assert diff(to_tree(e), to_tree(e)) == []


def test_what_was_none_or_empty_is_told_once(e: wx.Experiment) -> None:
    x = edit(e, {"scoring.metrics": {}, "sampler": None})
    assert [str(change) for change in diff(to_tree(x), to_tree(e))] == [
        "sampler.type: (absent) -> Heun",
        "sampler.steps: (absent) -> 18",
        "sampler.levels.type: (absent) -> Karras",
        "sampler.levels.sigma_min: (absent) -> 0.002",
        "sampler.levels.sigma_max: (absent) -> 500.0",
        "sampler.levels.rho: (absent) -> 7.0",
        "sampler.terminal: (absent) -> denoise",
        "sampler.churn: (absent) -> 0.0",
        "scoring.metrics.crps.type: (absent) -> CRPS",
        "scoring.metrics.crps.estimator: (absent) -> fair",
    ]
    assert {c.path for c in diff(to_tree(e), to_tree(x))} == {c.path for c in diff(to_tree(x), to_tree(e))}
    assert diff({"a": None, "b": {}}, {"a": {}, "b": None}) == [Change("a", None, {}), Change("b", {}, None)]
    assert diff({"a": None, "b": 1}, {"b": 1}) == [Change("a", None, "(absent)")]


def test_true_is_not_1() -> None:
    assert diff({"a": True, "b": 1}, {"a": 1, "b": 1.0}) == [Change("a", True, 1)]


def test_records_and_run_directories(e: wx.Experiment, tmp_path: Path) -> None:
    write(tmp_path / "a.json", e, identities(e))
    (tmp_path / "run").mkdir()
    write(tmp_path / "run" / "experiment.json", edit(e, {"seed": 1}), {"dataset": "sha256:1"})
    assert list(map(str, compare(tmp_path / "a.json", tmp_path / "run"))) == [
        "seed: 0 -> 1",
        "dataset (data): sha256:0 -> sha256:1",
        "objective.mean.dataset (data): sha256:0 -> (absent)",
    ]


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(ConfigError, match=r"a\.json: Expecting property name"):
        compare(tmp_path / "a.json", tmp_path / "b.json")


def test_comparing_imports_nothing_it_names(e: wx.Experiment, tmp_path: Path) -> None:
    write(tmp_path / "a.json", e, {})
    text = (tmp_path / "a.json").read_text()
    (tmp_path / "b.json").write_text(text.replace('"Heun"', '"antigravity:fly"'))
    code = (
        "import sys; from pathlib import Path; from wxexp.config import compare\n"
        "print(*compare(Path('a.json'), Path('b.json')))\n"
        "assert not {'toy', 'antigravity', 'torch', 'numpy', 'ml_collections', 'ray', 'aim', 'xarray'} & set(sys.modules)"
    )
    path = {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=path, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("sampler.type: Heun -> antigravity:fly\n", "")
