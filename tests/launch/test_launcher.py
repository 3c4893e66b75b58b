"""Which cluster a run is given, what it is refused, and what is left when it ends."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from processes import descendants, gone
from runbits import bits

import wxexp as wx
from wxexp.config import ConfigError
from wxexp.launch.launcher import launcher

SMALL = Path(__file__).parents[1] / "small.py"


def test_what_the_cluster_has_not_is_refused_at_once(ray_cluster, tmp_path):
    with launcher(wx.Resources(workers=5), output=tmp_path / "log.txt") as found, pytest.raises(ConfigError) as error:
        _ = found.executor
    assert str(error.value) == "resources.workers=5 needs 5 x 1 CPU; the cluster has 1 node(s) with 4 CPU, 0 GPU"
    with launcher(wx.Resources(workers=2, threads=3), output=tmp_path / "log.txt") as found:
        with pytest.raises(ConfigError, match="resources.workers=2 needs 2 x 3 CPU; the cluster has 1 node"):
            found.train({}, opened=None, progress=None)  # type: ignore[arg-type,typeddict-item]
    with launcher(wx.Resources(workers=1, device="cuda"), output=tmp_path / "log.txt") as found:
        with pytest.raises(ConfigError, match="resources.device is 'cuda', and the cluster has no GPU; possible: cpu"):
            _ = found.device


def test_an_address_without_a_worker_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="resources.workers=0 stays in this process, and does not go with --address here:1"):
        with launcher(wx.Resources(workers=0), output=tmp_path / "log.txt", address="here:1"):
            pass


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("http://127.0.0.1:8265", "http://127.0.0.1:8265 is not what a process can join; possible: HOST:PORT, or `auto`"),
        ("ray://127.0.0.1:10001", "ray://127.0.0.1:10001 is not what a process can join"),
        ("somewhere", "'somewhere' is no address of a Ray cluster; possible: HOST:PORT"),
        ("127.0.0.1:1", "no Ray cluster answers at 127.0.0.1:1: "),
    ],
)
def test_addresses_at_which_there_is_no_cluster(address, message):
    refused(address, message)


def test_what_listens_and_is_no_cluster():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = "127.0.0.1:{1}".format(*silent.getsockname())
        refused(address, f"no Ray cluster answers at {address}, though something listens there")


def refused(address: str, message: str) -> None:
    """In one line, and soon: twice the patience that is asked for, which is 7 s."""
    call = f"module.PATIENCE_SECONDS = 1.0\ntry:\n with module.cluster({address!r}): pass\nexcept ValueError as e: print(e)"
    program = f"from wxexp.launch import cluster as module\nassert module.PATIENCE_SECONDS == 7.0\n{call}"
    began = time.monotonic()
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert found.stdout.startswith(message) and found.stdout.count("\n") == 1 and "Traceback" not in found.stderr
    assert time.monotonic() - began < 20


JOIN = """
import sys, ray
{change}
from wxexp.launch import cluster as module
from wxexp.launch.cluster import cluster
module.PATIENCE_SECONDS = 2.0
with cluster(sys.argv[1]) as joined:
    print(joined.cluster_resources()["CPU"])
"""


def join(address: str, change: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", JOIN.format(change=change), address], capture_output=True, text=True, timeout=90, env=os.environ | env
    )


def test_a_cluster_that_is_joined_or_refused(ray_cluster, tmp_path):
    """With its own token and versions; with another token, another Ray, another Python."""
    address = ray_cluster.get_runtime_context().gcs_address
    assert join(address).stdout == "4.0\n"
    for change, env, message in [
        ("", {"RAY_AUTH_TOKEN": "f" * 64}, f"the cluster at {address} does not accept this token"),
        ("ray.__version__ = '2.59.0'", {}, "has Ray 2.60.0 and Python 3.11"),
        ("import sys; ray._private.utils.compute_version_info = lambda: (ray.__version__, '3.12.1', None)", {}, "and Python 3.12.1"),
    ]:
        said = join(address, change, **env).stderr
        assert "ConfigError: " in said and message in said, said


def listening(root: int) -> list[str]:
    """Local addresses at which a process or its descendants listen."""
    own = {f"pid={pid}," for pid in [root, *descendants(root)]}
    lines = subprocess.run(["ss", "-ltnpH"], capture_output=True, text=True, check=True).stdout.splitlines()
    return [line.split()[3].rpartition(":")[0] for line in lines if any(pid in line for pid in own)]


@pytest.mark.parametrize("number", [signal.SIGTERM])
def test_an_embedded_cluster_is_on_loopback_and_ends_with_the_run(tmp_path, number):
    """A run that trains is asked to stop: it leaves a checkpoint, status 130 and no process. It ends in this process with the same bits."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    change = ["--training.samples=1600", "--training.checkpoint=64", "--resources.workers=1"]
    words = [sys.executable, "-m", "wxexp", "score", str(SMALL), "--runs", str(tmp_path / "there"), *change]
    child = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    end = time.monotonic() + 120
    while not list(tmp_path.glob("there/*/train/step-*")):
        assert time.monotonic() < end and child.poll() is None
        time.sleep(0.05)
    addresses = listening(child.pid)
    assert len(addresses) > 3 and {re.sub(r"[\[\]]|::ffff:", "", address) for address in addresses} <= {"127.0.0.1", "::1"}
    started = descendants(child.pid)
    assert any("raylet" in Path(f"/proc/{pid}/cmdline").read_text() for pid in started)
    child.send_signal(number)
    out, errors = child.communicate(timeout=60)
    assert child.returncode == 130 and errors == "\nstopped; the same command goes on from here\n"
    assert all(line.startswith("train ") for line in out.splitlines())
    assert gone(started)
    e = wx.edit(wx.load(SMALL), {"training.samples": 1600, "training.checkpoint": 64})
    assert not (next(tmp_path.glob("there/*")) / "train" / "done.json").exists()
    assert bits(wx.run(e, runs=tmp_path / "there", until="score")) == bits(wx.run(e, runs=tmp_path / "here", until="score"))
