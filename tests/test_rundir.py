"""The run directory: who uses it, what it is called, and what it says of itself."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from wxexp import rundir
from wxexp.config import ConfigError

HOLD = "import sys, time\nfrom pathlib import Path\nfrom wxexp.rundir import lock\nwith lock(Path(sys.argv[1])):\n    time.sleep(60)\n"


def test_the_lock_of_another_process_names_it_and_ends_with_it(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)])
    try:
        deadline = time.monotonic() + 30
        while not (tmp_path / "lock").exists() or not (tmp_path / "lock").read_text():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        with pytest.raises(ConfigError, match=f"is in use by process {holder.pid}$"), rundir.lock(tmp_path):
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        with rundir.lock(tmp_path):
            assert (tmp_path / "lock").read_text() == str(os.getpid())
    finally:
        holder.kill()


def test_a_run_is_found_by_path_or_name(tmp_path: Path) -> None:
    run = tmp_path / "lorenz96-0123456789ab"
    run.mkdir()
    (run / "experiment.json").write_text("{}")
    assert rundir.resolve(str(run), tmp_path / "elsewhere") == rundir.resolve(run.name, tmp_path) == run
    with pytest.raises(ConfigError, match="did you mean 'lorenz96-0123456789ab'"):
        rundir.resolve("lorenz96-0123456789ac", tmp_path)


def test_where_runs_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WXEXP_RUNS", raising=False)
    assert rundir.directory(None) == tmp_path / "runs"
    monkeypatch.setenv("WXEXP_RUNS", str(tmp_path / "there"))
    assert rundir.directory(None) == tmp_path / "there"
    assert rundir.directory(Path("here")) == tmp_path / "here"


def test_the_listing_says_how_far_each_run_is(tmp_path: Path) -> None:
    made = {"a": [], "b": ["train/done.json"], "c": ["train/done.json", "samples/1/members.zarr/zarr.json"]}
    made["d"] = [*made["c"], "samples/1/scores/2/table.json"]
    for name, files in made.items():
        for file in ["experiment.json", *files]:
            path = tmp_path / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("{}")
    assert {run.name: run.state for run in rundir.listing(tmp_path)} == {
        "a": "training",
        "b": "trained",
        "c": "members drawn",
        "d": "scored",
    }


def test_provenance_holds_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_TOKEN", "very-secret-token")
    found = rundir.provenance()
    text = json.dumps(found)
    assert "very-secret-token" not in text and not any(
        len(v) > 8 and v in text for k, v in os.environ.items() if "TOKEN" in k or "KEY" in k
    )
    assert {"wxexp", "torch", "numpy", "zarr"} <= set(found["versions"])
    assert found["command"] is None  # which is pytest's, not ours
