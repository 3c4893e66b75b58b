"""Golden records: the effect of any change of a default on the committed experiments is seen in review.

Every public function of experiments/*.py that needs no argument and returns a `wx.Experiment` has its record in tests/golden.
`pytest tests/test_golden.py --update-golden` rewrites them.
"""

import ast
import json
from pathlib import Path
from typing import Any

import pytest

import wxexp as wx
from wxexp.config import diff, load, to_tree

ROOT = Path(__file__).parents[1]
GOLDEN = Path(__file__).parent / "golden"


def functions(path: Path) -> list[str]:
    """Names of the functions of a file that make an experiment; read from its text, so that collecting imports nothing."""
    defined = [node for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.FunctionDef)]
    return [f.name for f in defined if not f.name.startswith("_") and _returns_experiment(f) and not _needed(f.args)]


def _returns_experiment(f: ast.FunctionDef) -> bool:
    return f.returns is not None and ast.unparse(f.returns).strip("'\"") in ("wx.Experiment", "Experiment")


def _needed(args: ast.arguments) -> bool:
    by_place = len(args.posonlyargs) + len(args.args) - len(args.defaults)
    return by_place > 0 or None in args.kw_defaults


def check(tree: Any, golden: Path, *, update: bool) -> None:
    """Fails where a record is not the golden one."""
    if update:
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(json.dumps(tree, indent=2, allow_nan=False, ensure_ascii=False) + "\n", encoding="utf-8")
        return
    command = "pytest tests/test_golden.py --update-golden"
    if not golden.is_file():
        pytest.fail(f"{golden.name} is not there yet; write it with: {command}", pytrace=False)
    if changes := diff(json.loads(golden.read_text(encoding="utf-8")), tree):
        lines = "\n  ".join(map(str, changes))
        pytest.fail(f"{golden.name} changed:\n  {lines}\nIf that is meant, rewrite it with: {command}", pytrace=False)


def golden_of(path: Path, function: str) -> Path:
    return GOLDEN / f"{path.stem}-{function}.json"


EXPERIMENTS = [(path, function) for path in sorted((ROOT / "experiments").glob("*.py")) for function in functions(path)]


@pytest.mark.parametrize(("path", "function"), [pytest.param(p, f, id=f"{p.stem}-{f}") for p, f in EXPERIMENTS])
def test_golden_records(path: Path, function: str, request: pytest.FixtureRequest) -> None:
    experiment = load(f"{path}:{function}", wx.Experiment).experiment
    check(to_tree(experiment), golden_of(path, function), update=request.config.getoption("--update-golden"))


def test_every_experiment_file_has_an_experiment() -> None:
    assert [path.name for path in (ROOT / "experiments").glob("*.py") if "experiment" not in functions(path)] == []


def test_no_golden_record_is_left_over() -> None:
    expected = {golden_of(path, function).name for path, function in EXPERIMENTS}
    assert {path.name for path in GOLDEN.glob("*")} - expected == set()


def test_which_functions_have_a_golden_record(tmp_path: Path) -> None:
    path = tmp_path / "x.py"
    path.write_text(
        "from __future__ import annotations\n"
        "def experiment() -> wx.Experiment: ...\n"
        "def tiny(seed: int = 0, *, more: int = 1) -> 'wx.Experiment': ...\n"
        "def _private() -> wx.Experiment: ...\n"
        "def wide(channels: int) -> wx.Experiment: ...\n"
        "def deep(*, channels: int) -> wx.Experiment: ...\n"
        "def helper() -> int: ...\n"
        "def untold(): ...\n"
        "class C:\n    def method() -> wx.Experiment: ...\n"
    )
    assert functions(path) == ["experiment", "tiny"]


def test_a_change_a_missing_record_and_an_update(tmp_path: Path) -> None:
    golden = tmp_path / "golden" / "x-experiment.json"
    with pytest.raises(pytest.fail.Exception, match=r"x-experiment\.json is not there yet; write it with: pytest .* --update-golden"):
        check({"seed": 0}, golden, update=False)
    check({"seed": 0, "name": "é"}, golden, update=True)
    assert golden.read_text(encoding="utf-8") == '{\n  "seed": 0,\n  "name": "é"\n}\n'
    check({"seed": 0, "name": "é"}, golden, update=False)
    with pytest.raises(pytest.fail.Exception, match=r"x-experiment\.json changed:\n  seed: 0 -> 1\n  rate: \(absent\) -> 2.0\n"):
        check({"seed": 1, "name": "é", "rate": 2.0}, golden, update=False)
