import json
import logging
from pathlib import Path

import pytest
import toy as wx
from toy.datasets import downscaling

from wxexp.config import edit, find, fingerprint, identities, write


def record(runs: Path, name: str, e: wx.Experiment) -> Path:
    (runs / name).mkdir(parents=True)
    write(runs / name / "experiment.json", e, identities(e))
    return runs / name


def look(runs: Path, e: wx.Experiment, stage: str = "train", pattern: str = "residual-*") -> Path | None:
    return find(runs, e, stage, identities(e), pattern)


def test_a_stage_is_found_where_it_would_do_the_same_work(e: wx.Experiment, tmp_path: Path) -> None:
    assert look(tmp_path / "nowhere", e) is None
    run = record(tmp_path, "residual-a", e)
    record(tmp_path, "residual-b", edit(e, {"seed": 1}))
    for changes in ({}, {"ensemble.members": 3}, {"sampler": "Euler"}, {"training.micro_batch": 1}, {"name": "renamed"}):
        assert look(tmp_path, edit(e, changes)) == run
    assert look(tmp_path, edit(e, {"seed": 1})) == tmp_path / "residual-b"
    assert look(tmp_path, edit(e, {"seed": 2})) is None
    assert look(tmp_path, edit(e, {"ensemble.members": 3}), "sample") == run
    assert look(tmp_path, edit(e, {"ensemble.members": 3}), "score") is None
    assert look(tmp_path, e, pattern="other-*") is None


def test_a_run_outlives_new_fields_and_new_names(e: wx.Experiment, tmp_path: Path) -> None:
    run = record(tmp_path, "residual-0123456789ab", e)  # the name is not what decides
    path = run / "experiment.json"
    tree = json.loads(path.read_text())
    tree["experiment"]["model"] = {"type": "SongUNet", "width": 32}
    del tree["experiment"]["training"]["clip"], tree["experiment"]["objective"]["mean"]["training"]["rate"]
    path.write_text(json.dumps(tree))
    assert look(tmp_path, e) == run
    assert look(tmp_path, edit(e, {"training.clip": 1.0})) is None


def test_data_changed_under_the_same_path_never_matches(e: wx.Experiment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = record(tmp_path, "residual-a", e)
    monkeypatch.setitem(downscaling.CHECKSUM, "era5.zarr", "sha256:1")
    assert look(tmp_path, e) is None
    monkeypatch.setitem(downscaling.CHECKSUM, "era5.zarr", "sha256:0")
    assert look(tmp_path, e) == run


def test_of_several_the_one_named_after_the_fingerprint_wins(e: wx.Experiment, tmp_path: Path) -> None:
    first, second = record(tmp_path, "residual-a", e), record(tmp_path, "residual-b", e)
    assert look(tmp_path, e) == first != second
    named = record(tmp_path, "residual-" + fingerprint(e, "train", identities(e)), e)
    assert look(tmp_path, e) == named


def test_what_cannot_be_read_is_passed_over_and_told(e: wx.Experiment, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    contents = {"a": b"{", "b": b"\xff", "c": b'{"format": 2}', "d": b'{"format": 1, "experiment": {"type": "x"}, "identities": {}}'}
    for name, content in contents.items():
        (tmp_path / f"residual-{name}").mkdir()
        (tmp_path / f"residual-{name}" / "experiment.json").write_bytes(content)
    (tmp_path / "residual-empty").mkdir()
    (tmp_path / "residual-file").write_text("")
    run = record(tmp_path, "residual-z", e)
    with caplog.at_level(logging.WARNING):
        assert look(tmp_path, e) == run
    assert [r.getMessage().removeprefix(f"{tmp_path}/residual-") for r in caplog.records] == [
        "a/experiment.json: Expecting property name enclosed in double quotes: line 1 column 2 (char 1); it is passed over",
        "b/experiment.json: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte; it is passed over",
        "c/experiment.json: format 2, and this wxexp reads up to 1; a newer one wrote it; it is passed over",
        "d/experiment.json: experiment: 'x' is no Experiment; choose from Experiment; it is passed over",
    ]
