"""Runs that are asked to end, more than once; what a small object store and a lost node do to what is gathered."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from processes import descendants, gone

import wxexp as wx

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]

WEATHER = Path(__file__).with_name("weather.py")
ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith("RAY_")} | {"OMP_NUM_THREADS": "1"}
STAGES = {"train": "*/train/step-*", "sample": "*/samples/*/done/*.json"}


@pytest.mark.parametrize(
    ("stage", "numbers"),
    [
        ("train", (signal.SIGINT, signal.SIGINT)),
        ("sample", (signal.SIGINT, signal.SIGINT)),
        ("sample", (signal.SIGTERM,)),
    ],
)
def test_asked_to_end(tmp_path: Path, stage: str, numbers: tuple[signal.Signals, ...]) -> None:
    """As a terminal does it, which tells all processes of its group: status 130, one line, and nobody is left."""
    if stage == "sample":
        wx.run(wx.edit(wx.load(f"{WEATHER}:stored"), {"resources.workers": 0, "aim": None}), runs=tmp_path, until="train")
    child = subprocess.Popen(
        [sys.executable, "-m", "wxexp", "run", f"{WEATHER}:stored", "--runs", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
        start_new_session=True,
    )
    while not list(tmp_path.glob(STAGES[stage])):
        assert child.poll() is None
        time.sleep(0.01)
    family = descendants(child.pid)
    for number in numbers:
        os.killpg(child.pid, number)
        time.sleep(0.2)
    out, errors = child.communicate(timeout=60)
    assert child.returncode == 130 and errors == "\nstopped; the same command goes on from here\n", out + errors
    assert "Traceback" not in out
    assert gone(family, seconds=20)


GATHER = """
import os, signal, sys, threading, time
sys.path.insert(0, sys.argv[3])
import factories, numpy as np
from pathlib import Path
from wxexp.interfaces import Job
from wxexp.launch.cluster import cluster
from wxexp.launch.executor import RayExecutor

groups = [(str(i), [i, i + 100, i + 200, i + 300]) for i in range(6)]
with cluster(sys.argv[1]), RayExecutor(2, output=Path(sys.argv[2]) / "log.txt") as executor:
    found = {}
    for name, result in executor.gather(Job(factories.heavy, None), Job(factories.joined, None), groups, tiles=2, in_flight=6):
        found[name] = result
        print(name, flush=True)
print(found == {name: (name, [float(i) for i in items], [-float(i) for i in items]) for name, items in groups})
"""


def test_an_object_store_smaller_than_what_waits(tmp_path: Path) -> None:
    """24 items of two arrays of 8 MB wait for each other, 384 MB, in a store of 80 MB."""
    from ray.cluster_utils import Cluster

    there = Cluster(initialize_head=True, head_node_args={"num_cpus": 2, "object_store_memory": 80_000_000, "include_dashboard": False})
    family = descendants(os.getpid())
    try:
        words = [sys.executable, "-c", GATHER, there.address, str(tmp_path), str(WEATHER.parents[1])]
        environment = ENVIRONMENT | {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
        done = subprocess.run(words, capture_output=True, text=True, env=environment, timeout=200)
        assert done.stdout.splitlines()[-1] == "True", done.stdout + done.stderr
        said = (Path(there.head_node.get_logs_dir_path()) / "raylet.out").read_text()
        assert "Spilled" in said, "it had to be spilled"
    finally:
        there.shutdown()
    assert gone(family, seconds=20)


def test_the_head_of_a_joined_cluster_is_lost(tmp_path: Path) -> None:
    """Its GCS does not answer: that is said, Ray ends the process, and the same command goes on with a cluster of its own."""
    from ray.cluster_utils import Cluster

    wx.run(wx.edit(wx.load(f"{WEATHER}:stored"), {"resources.workers": 0, "aim": None}), runs=tmp_path, until="train")
    there = Cluster(initialize_head=True, head_node_args={"num_cpus": 2, "include_dashboard": False})
    more = ["--aim=None", "--ensemble.members=40"]  # longer than Ray lives without a head
    words = [sys.executable, "-m", "wxexp", "run", f"{WEATHER}:stored", "--runs", str(tmp_path), *more]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    joined = {**ENVIRONMENT, "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
    address = there.address
    try:
        with subprocess.Popen([*words, "--address", address], env=joined, **pipes) as child:
            while not list(tmp_path.glob(STAGES["sample"])):
                assert child.poll() is None
                time.sleep(0.01)
            (head,) = descendants(os.getpid(), "gcs_server")
            os.kill(head, signal.SIGKILL)
            out, errors = child.communicate(timeout=150)
    finally:
        there.shutdown()
    assert child.returncode not in (0, None)
    assert f"the head of the cluster at {address} is gone" in out, out + errors
    done = subprocess.run(words, env=ENVIRONMENT, timeout=200, **pipes)
    assert done.returncode == 0, done.stdout + done.stderr
