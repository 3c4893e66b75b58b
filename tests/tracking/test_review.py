"""The page of Aim: on loopback, found by a second review, with the bookmarks, gone with the process that started it."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from wxexp.config import ConfigError
from wxexp.tracking.review import STATE, review
from wxexp.tracking.sync import sync
from wxexp.tracking.views import VIEWS, install

REVIEW = "import sys, pathlib, wxexp.tracking.review as r; r.review(pathlib.Path(sys.argv[1])); print('ended')"


@pytest.fixture(scope="module")
def served(runs: Any) -> Iterator[tuple[subprocess.Popen[str], str]]:
    sync(runs.make("reviewed", {1: 0.5}))
    process = subprocess.Popen([sys.executable, "-u", "-c", REVIEW, str(runs.home)], stdout=subprocess.PIPE, text=True, process_group=0)
    assert process.stdout is not None
    yield process, process.stdout.readline().strip()
    process.kill()
    process.communicate()


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=30) as answer:
        assert answer.status == 200
        return answer.read()


def test_the_page_answers_on_loopback_only(served: tuple[subprocess.Popen[str], str]) -> None:
    process, address = served
    host, port = address.removeprefix("http://").split(":")
    assert host == "127.0.0.1"
    assert b"<html" in get(address)
    tree = [process.pid, *(child.pid for child in psutil.Process(process.pid).children(recursive=True))]
    listening = [c.laddr for c in psutil.net_connections("inet") if c.pid in tree and c.status == psutil.CONN_LISTEN]
    assert [(where.ip, where.port) for where in listening] == [("127.0.0.1", int(port))]


def test_the_page_sends_no_usage_statistics_and_shows_the_runs(runs: Any, served: tuple[subprocess.Popen[str], str]) -> None:
    project = json.loads(get(f"{served[1]}/api/projects/"))
    assert project["telemetry_enabled"] == 0 and project["path"] == str(runs.home)
    assert b"reviewed" in get(f"{served[1]}/api/runs/search/run/?q=&report_progress=false")


def test_a_second_review_finds_the_page_and_what_is_told_meanwhile_is_shown(runs: Any, served: tuple[subprocess.Popen[str], str]) -> None:
    told: list[object] = []
    assert review(runs.home, open=told.append) == served[1]
    assert told == [served[1]]
    sync(runs.make("meanwhile", {1: 0.5}))  # two processes write the index
    assert b"meanwhile" in get(f"{served[1]}/api/runs/search/run/?q=&report_progress=false")


def test_the_bookmarks_are_there_once_and_their_queries_find_what_they_say(
    runs: Any, served: tuple[subprocess.Popen[str], str], tmp_path: Path
) -> None:
    import aim

    install(served[1])
    bookmarks = json.loads(get(f"{served[1]}/api/dashboards/"))
    assert sorted(bookmark["name"] for bookmark in bookmarks) == sorted(VIEWS)
    run = runs.make("queried", {1: 0.5})
    with (run / "metrics.jsonl").open("a") as file:
        for variable in ({}, {"variable": "pr"}):
            row = {"step": 1, "values": {"loss": 0.5, "crps": 0.5, "spread_skill": 1.0}, "context": {"subset": "valid", **variable}}
            file.write(json.dumps(row) + "\n")
    sync(run)
    found = {}
    for name, (_, state) in VIEWS.items():
        query = f"run.name == 'queried' and {state['select']['advancedQuery']}"
        repo = aim.Repo.from_path(str(runs.home))
        found[name] = [(m.name, m.context.to_dict()) for m in repo.query_metrics(query, report_mode=0).iter()]
    assert found == {
        "Training loss": [("loss", {"subset": "train"})],
        "CRPS by variable": [("crps", {"subset": "valid", "variable": "pr"})],
        "Spread/skill by variable": [("spread_skill", {"subset": "valid", "variable": "pr"})],
    }


def test_the_page_ends_with_ctrl_c(runs: Any, served: tuple[subprocess.Popen[str], str]) -> None:
    process, address = served
    children = psutil.Process(process.pid).children(recursive=True)
    assert len(children) == 2
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=30)[0] == "ended\n"
    assert psutil.wait_procs(children, timeout=10)[1] == []
    assert not (runs.home / STATE).exists()
    with pytest.raises(OSError):
        get(address)


ENDS = """
import os, subprocess, sys, wxexp.tracking.aim as view
if len(sys.argv) == 1:
    child = subprocess.Popen([sys.executable, "-c", os.environ["ENDS"], "serve"], start_new_session=True)
    child.wait()
else:
    print(os.getpid(), subprocess.Popen(["sleep", "60"]).pid, flush=True)
    view._end_with(os.getppid())
"""


def test_a_killed_review_leaves_nothing_behind() -> None:
    process = subprocess.Popen([sys.executable, "-c", ENDS], stdout=subprocess.PIPE, text=True, env={**os.environ, "ENDS": ENDS})
    assert process.stdout is not None
    left = [psutil.Process(int(pid)) for pid in process.stdout.readline().split()]
    process.kill()
    assert len(left) == 2 and psutil.wait_procs(left, timeout=10)[1] == []
    process.communicate()


def test_what_cannot_be_served_is_said(runs: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=rf"no run in {tmp_path} is in Aim; .* --rebuild RUN"):
        review(tmp_path)
    sync(runs.make("served", {1: 0.5}))
    (runs.home / STATE).unlink(missing_ok=True)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port {port} of 127.0.0.1: Address already in use; choose another one"):
            review(runs.home, port=port)
