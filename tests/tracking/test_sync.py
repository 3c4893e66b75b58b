"""What of a run directory its view shows, once, again, and made anew."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from wxexp.tracking.sync import Tail, rebuild, sync
from wxexp.training.tracker import JsonlTracker

ALL = {
    "metrics": {
        "loss subset=train": {1: 1.0, 2: 0.5},
        "crps group=all score=0123456789ab source=forecast variable=tasmax": {0: 0.25},
        "crps_low group=all score=0123456789ab source=forecast variable=tasmax": {0: 0.125},
        "crps_high group=all score=0123456789ab source=forecast variable=tasmax": {0: 0.5},
        "crps group=all lead_hours=6.0 score=0123456789ab source=forecast variable=pr": {0: 0.75},
    },
    "images": {"maps-tasmax score=0123456789ab": {0: (8, 6)}},
    "params": {
        "config": {
            "type": "Experiment",
            "name": "tiny",
            "sampler": {"type": "Heun", "steps": 18, "churn": None},
            "targets": ["tasmax", "pr"],
        }
    },
    "is": ("whole", "tiny", ("a", "b"), False),
}


QUERY = """
import aim, sys
scores = "metric.name == 'crps' and metric.context.variable == 'tasmax' and run.config.sampler.steps < 20"
for query in (scores, "metric.name == 'loss'"):
    for found in aim.Repo(sys.argv[1]).query_metrics(f"run.name == 'whole' and {query}", report_mode=0).iter():
        print(found.name, found.dataframe()["value"].tolist()[-1])
"""


@pytest.fixture(scope="module")
def whole(runs: Any) -> Path:
    run: Path = runs.make("whole", {1: 1.0, 2: 0.5})
    runs.score(run)
    before = dict(os.environ)
    os.environ["SECRET_TOKEN"] = "hunter2hunter2"
    sync(run, tags=("a", "b"))
    del os.environ["SECRET_TOKEN"]
    assert dict(os.environ) == before
    return run


def test_everything_of_a_run_is_found_by_queries(runs: Any, whole: Path) -> None:
    shown = runs.shown(whole)
    (table,) = shown.pop("texts").items()
    assert shown == ALL
    assert table[0] == "table score=0123456789ab" and "0.250 [0.125–0.500]" in table[1][0]


def test_a_new_process_finds_the_last_value_by_context_and_parameter(runs: Any, whole: Path) -> None:
    done = subprocess.run([sys.executable, "-c", QUERY, str(runs.home)], capture_output=True, text=True)
    assert done.stdout.splitlines() == ["crps 0.25", "loss 0.5"], done.stderr


def test_no_environment_variable_is_stored(runs: Any, whole: Path) -> None:
    stored = b"".join(path.read_bytes() for path in [*runs.home.rglob("*")] if path.is_file())
    assert b"tasmax" in stored and b"hunter2" not in stored  # RocksDB's files are plain


def test_what_is_shown_is_not_told_again_and_told_again_changes_nothing(runs: Any, whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, note = runs.shown(whole), json.loads((whole / "aim.json").read_text())
    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, "aim", None)  # not even imported
        sync(whole)
    (whole / "aim.json").write_text(json.dumps({**note, "seen": {}}))  # as a killed process leaves it
    sync(whole, tags=("b",))
    assert runs.shown(whole) == before
    assert json.loads((whole / "aim.json").read_text()) == note


def test_rebuilding_makes_the_same_view_and_deletes_the_old(runs: Any, whole: Path) -> None:
    import aim

    before, old = runs.shown(whole), runs.hash(whole)
    rebuild(whole, tags=("a", "b"))
    assert runs.shown(whole) == before
    assert runs.hash(whole) != old
    assert old not in [c.run.hash for c in aim.Repo.from_path(str(runs.home)).query_runs("", report_mode=0).iter_runs()]
    assert not (runs.home / ".aim" / "meta" / "chunks" / old).exists()


def test_a_view_deleted_elsewhere_is_made_anew(runs: Any) -> None:
    run = runs.make("deleted", {1: 1.0})
    (run / "aim.json").write_text('{"repo": "?", "hash": "0123", "seen": {"metrics.jsonl": [1, 2]}}')
    sync(run)
    assert runs.shown(run)["metrics"] == {"loss subset=train": {1: 1.0}}


def test_pictures_of_metrics_jsonl_are_shown_if_they_are_there(runs: Any) -> None:
    run = runs.make("pictures", {1: 1.0})
    tracker = JsonlTracker(run / "metrics.jsonl")
    picture = runs.score(run) / "report" / "maps-tasmax.png"
    tracker.image(3, "members", picture, {"subset": "valid"})
    tracker.image(4, "members", run / "gone.png", {"subset": "valid"})
    tracker.close()
    sync(run)
    assert runs.shown(run)["images"]["members subset=valid"] == {3: (8, 6)}


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        ("aim", OSError, "^Aim: ModuleNotFoundError: import of aim halted"),
        ("experiment.json", ValueError, r"experiment\.json: Expecting"),
        ("table.json", ValueError, r"table\.json: Expecting"),
    ],
)
def test_what_goes_wrong_is_told_as_other_errors_are(
    runs: Any, fault: str, error: type[Exception], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = runs.make(f"wrong {fault}", {1: 1.0})
    if fault == "aim":
        monkeypatch.setitem(sys.modules, "aim", None)
    for path in (run / fault, runs.score(run) / fault):
        if path.exists():
            path.write_text("{")
    with pytest.raises(error, match=words):
        sync(run)


def test_a_tail_gives_whole_lines_once_and_all_of_a_file_that_was_replaced(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    tail = Tail(path)
    assert tail.rows() == []
    path.write_text('{"step": 1}\n{"step": 2')
    assert tail.rows() == [{"step": 1}]
    assert tail.rows() == []
    with path.open("a") as file:
        file.write('2}\n{"step": 3}\n')
    assert tail.rows() == [{"step": 22}, {"step": 3}]
    for steps in ((1,), (4, 5, 6, 7)):  # shorter, then longer than what was read
        (tmp_path / "new").write_text("".join(f'{{"step": {step}}}\n' for step in steps))
        (tmp_path / "new").replace(path)
        assert [row["step"] for row in tail.rows()] == list(steps)
    path.write_text('{"step": 8}\n')  # shorter, the same file
    assert tail.rows() == [{"step": 8}]
    tail.close()
    assert Tail(path, tail.stamp).rows() == []
    with path.open("a") as file:
        file.write("torn}\n")
    with pytest.raises(ValueError, match=r"metrics\.jsonl, after byte 0"):
        tail = Tail(path)
        tail.rows()
