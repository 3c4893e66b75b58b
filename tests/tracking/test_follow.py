"""A run that is followed: what it shows while it goes on, and that nothing of Aim can hurt it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wxexp.tracking import aim as view
from wxexp.tracking.follow import Follower
from wxexp.tracking.sync import Feed, rebuild

LATER = "the run is not affected. Later: python -m wxexp review --rebuild"

HOLDER = """
import sys
from pathlib import Path
from wxexp.tracking.aim import View
view = View(Path(sys.argv[1]), repo=Path(sys.argv[1]).parent)
view.rows([{"step": 1, "values": {"loss": 0.5}, "context": {"subset": "train"}}])
print(view.hash, flush=True)
sys.stdin.read()
"""

FULL_DISK = """
import resource, signal, sys, time
from pathlib import Path
from wxexp.tracking.follow import Follower
run, told = Path(sys.argv[1]), []
row = '{"step": %d, "values": {"loss": 0.5}, "context": {"subset": "train"}}\\n'
(run / "more").write_text("".join(row % step for step in range(1, 2000)))
with Follower(run, repo=run.parent, warn=told.append, every=0.05):
    while not (run / "aim.json").exists():
        time.sleep(0.05)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    (run / "more").replace(run / "metrics.jsonl")
    while not told:
        time.sleep(0.05)
print("done", len(told), told[0], file=sys.stdout)
"""

REASONS = {"full": "RocksIOError: IO error: While appending to file", "read-only": "PermissionError"}
READ_ONLY = """
import sys
from pathlib import Path
from wxexp.tracking.follow import Follower
run, told = Path(sys.argv[1]), []
with Follower(run, repo=run.parent, warn=told.append, every=0.05):
    pass
print("done", len(told), told[0])
"""


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_run_is_seen_while_it_goes_on_and_as_it_ended(runs: Any) -> None:
    run, told = runs.make("live", {}), []
    with Follower(run, repo=runs.home, warn=told.append, every=0.05):
        runs.train(run, {1: 1.0, 2: 0.5, 3: 0.25})
        until((run / "aim.json").exists)
        runs.train(run, {2: 0.75, 3: 0.625, 4: 0.5}, after=1)  # as a run that is resumed
        runs.score(run)
    assert told == []
    shown = runs.shown(run)
    assert shown["metrics"]["loss subset=train"] == {1: 1.0, 2: 0.75, 3: 0.625, 4: 0.5}
    assert shown["images"].keys() == {"maps-tasmax score=0123456789ab"}
    assert shown["is"] == ("live", "tiny", (), False)
    rebuild(run)
    assert runs.shown(run) == shown


def test_runs_within_a_run_have_views_of_their_own(runs: Any) -> None:
    outer, inner, told = runs.make("outer", {}), runs.make("inner", {}), list[str]()
    with Follower(outer, repo=runs.home, warn=told.append, every=0.01):
        with Follower(inner, repo=runs.home, warn=told.append, every=0.01):
            for step in range(50):
                runs.train(outer, {step: 1.0})
                runs.train(inner, {step: 2.0})
        runs.train(outer, {50: 3.0})
    assert told == []
    assert runs.shown(outer)["metrics"] == {"loss subset=train": {**dict.fromkeys(range(50), 1.0), 50: 3.0}}
    assert runs.shown(inner)["metrics"] == {"loss subset=train": dict.fromkeys(range(50), 2.0)}


def test_a_killed_writer_holds_nobody_up_and_a_living_one_costs_a_warning(runs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    run = runs.make("killed", {1: 0.5, 2: 0.25})
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(run)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    try:
        found = holder.stdout.readline().strip()
        monkeypatch.setattr(view, "PATIENCE", 0.2)
        told: list[str] = []
        with Follower(run, repo=runs.home, warn=told.append):
            pass
        assert len(told) == 1 and "OSError" in told[0] and "lock" in told[0].lower() and told[0].endswith(f"{LATER} killed")
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.communicate()
    assert runs.hash(run) == found
    with Follower(run, repo=runs.home, warn=told.append):
        pass
    assert len(told) == 1
    assert runs.hash(run) == found
    assert runs.shown(run)["metrics"] == {"loss subset=train": {1: 0.5, 2: 0.25}}


@pytest.mark.parametrize("fault", ["no aim", "corrupted repository", "corrupted metrics.jsonl", "corrupted record"])
def test_whatever_goes_wrong_costs_one_warning(runs: Any, fault: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    run, repo, told = runs.make(fault, {1: 0.5}), runs.home, list[str]()
    if fault == "no aim":
        monkeypatch.setitem(sys.modules, "aim", None)
    elif fault == "corrupted repository":
        repo = tmp_path
        shutil.copytree(runs.home / ".aim", repo / ".aim", ignore=shutil.ignore_patterns("chunks"))
        (repo / ".aim" / "run_metadata.sqlite").write_bytes(b"no database" * 1000)
    elif fault == "corrupted metrics.jsonl":
        (run / "metrics.jsonl").write_text("{\n")
    else:
        (run / "experiment.json").write_text("{")
    done = []
    with Follower(run, repo=repo, warn=told.append, every=0.05):
        done.append("a run")
    assert done == ["a run"]
    assert len(told) == 1 and "\n" not in told[0] and f"{LATER} {fault}" in told[0]


def test_an_error_of_the_run_is_its_own(runs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aim", None)
    told: list[str] = []
    with pytest.raises(FloatingPointError, match="loss"), Follower(runs.make("failed", {1: 0.5}), repo=runs.home, warn=told.append):
        raise FloatingPointError("loss")
    assert len(told) == 1


def test_what_threads_of_aim_raise_is_not_printed_and_what_others_do_is() -> None:
    printed = []
    for name in ("aim.sdk.reporter", "aimless"):
        module: dict[str, Any] = {"__name__": name}
        exec("def write():\n    raise OSError('disk full')", module)
        with pytest.raises(OSError) as raised:
            module["write"]()
        view._thread_failed(printed.append, threading.ExceptHookArgs((OSError, raised.value, raised.tb.tb_next, None)))
    assert [args.exc_traceback.tb_frame.f_globals["__name__"] for args in printed] == ["aimless"]


def test_the_end_of_a_run_waits_only_so_long(runs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stuck, told = threading.Event(), list[str]()
    monkeypatch.setattr(Feed, "finish", lambda self: stuck.wait(60))
    before = time.monotonic()
    with Follower(runs.make("slow", {}), repo=runs.home, warn=told.append, patience=0.2) as follower:
        pass
    assert time.monotonic() - before < 5
    assert told == [f"Aim does not show this run (it is not done 0.2 seconds after the run); {LATER} slow"]
    stuck.set()
    follower._thread.join()
    assert len(told) == 1


@pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() == 0 and not shutil.which("setpriv"), reason="needs a limit that root obeys too"
)
def test_a_full_disk_and_a_read_only_repository_neither_print_nor_hang_the_process(runs: Any, tmp_path: Path) -> None:
    obey = ["setpriv", "--bounding-set=-dac_override"] if os.geteuid() == 0 else []
    started = {}
    for name, code in (("full", FULL_DISK), ("read-only", READ_ONLY)):
        home = tmp_path / name
        home.mkdir()
        shutil.copytree(runs.home / ".aim", home / ".aim", ignore=shutil.ignore_patterns("*.softlock"))
        run = home / "run"
        run.mkdir()
        row = json.dumps({"step": 0, "values": {"loss": 1.0}, "context": {}})
        (run / "metrics.jsonl").write_text(row + "\n")
        shutil.copy(runs.make(name, {}) / "experiment.json", run)
        if name == "read-only":
            for path in [home / ".aim", *(home / ".aim").rglob("*")]:
                path.chmod(0o555 if path.is_dir() else 0o444)
        command = [*obey, sys.executable, "-c", code, str(run)]
        started[name] = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        for name, process in started.items():
            out, errors = process.communicate(timeout=60)
            assert (process.returncode, errors) == (0, ""), name
            assert out.startswith(f"done 1 Aim does not show this run ({REASONS[name]}") and out.endswith(f"{LATER} run\n"), out
    finally:
        for process in started.values():
            process.kill()
            process.communicate()
    for path in (tmp_path / "read-only").rglob("*"):
        path.chmod(0o755)
