import json
from pathlib import Path

import pytest

from wxexp.training import JsonlTracker
from wxexp.training.tracker import read


def test_rows_are_as_documented(tmp_path):
    path = tmp_path / "metrics.jsonl"
    tracker = JsonlTracker(path, batch_size=32)
    tracker.config({"name": "x"})
    tracker.scalars(50, {"loss": 0.1}, {"subset": "train"})
    tracker.image(60, "members", Path("m.png"))
    lines = path.read_text().splitlines()  # there before it is closed
    tracker.close()
    assert [json.loads(line) for line in lines] == [
        {"step": 50, "samples": 1600, "values": {"loss": 0.1}, "context": {"subset": "train"}},
        {"step": 60, "samples": 1920, "image": "members", "path": "m.png", "context": {}},
    ]


@pytest.mark.parametrize("cut", range(1, 20))
def test_a_torn_last_line_is_dropped(tmp_path, cut):
    """A process killed while it writes leaves a part of the line, with or without sense."""
    path = tmp_path / "metrics.jsonl"
    whole = '{"step": 1, "values": {}, "context": {}}\n'
    torn = '{"step": 22, "values": {}, "context": {}}'
    path.write_text(whole + torn[: cut * 2 + 3])
    assert [row["step"] for row in read(path)] == [1]
    tracker = JsonlTracker(path)
    tracker.scalars(2, {})
    assert [row["step"] for row in read(path)] == [1, 2]


def test_rows_after_the_checkpoint_are_cut(tmp_path):
    path = tmp_path / "metrics.jsonl"
    tracker = JsonlTracker(path)
    for step in (1, 2, 3, 3, 4):
        tracker.scalars(step, {"loss": step / 7})
    before = path.read_bytes().split(b"\n")
    tracker.truncate(3)
    tracker.scalars(5, {})
    assert [row["step"] for row in read(path)] == [1, 2, 3, 3, 5]
    assert path.read_bytes().split(b"\n")[:4] == before[:4]  # untouched
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_strict_json(tmp_path, value):
    tracker = JsonlTracker(tmp_path / "metrics.jsonl")
    with pytest.raises(ValueError, match="JSON"):
        tracker.scalars(1, {"loss": value})
    assert read(tmp_path / "metrics.jsonl") == []


def test_a_broken_line_in_the_middle_is_an_error_that_names_it(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 1}\nnonsense\n{"step": 2}\n')
    with pytest.raises(ValueError, match=r"metrics\.jsonl, line 2"):
        read(path)
