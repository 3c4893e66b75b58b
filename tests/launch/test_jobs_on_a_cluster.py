"""Jobs on a real cluster of this machine, with a token."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from servers import free_ports

from wxexp.config import ConfigError
from wxexp.launch import dashboard, jobs

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
SECRET = "9b2c7a52f0c84fb1b1c6a7f3f5f0a1de"

SUBMIT = """
import sys
from pathlib import Path
from wxexp.launch.jobs import submit
words = ["experiments/sleep.py", "--runs=/tmp/r"]
sys.exit(submit(words, address=sys.argv[1], working_dir=Path.cwd(), say=lambda text: print(text, flush=True)))
"""


@dataclass(frozen=True)
class Cluster:
    address: str
    environment: dict[str, str]
    folder: Path
    mark: str
    typed: subprocess.Popen[str]
    """The first job, so that the other tests run while it does."""


def started_with(mark: str) -> list[int]:
    """Processes whose environment holds `mark`: those of one cluster, whatever session or parent they are of."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if mark.encode() in path.read_bytes():
                found.append(int(path.parent.name))
    return found


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """As clusters/local.md starts it, on free ports; exactly its own processes are ended."""
    folder = tmp_path_factory.mktemp("cluster")
    (folder / "token").write_text(SECRET)
    port, board, agent, client = free_ports(4)
    mark = f"RAY_AUTH_TOKEN_PATH={folder / 'token'}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("RAY_", "WXEXP_"))}
    environment |= {"PATH": f"{BIN}:{environment['PATH']}", "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(folder / "token")}
    serving = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "WXEXP_RUNS": str(folder / "runs"), "OMP_NUM_THREADS": "1"}
    options = {
        "node-ip-address": "127.0.0.1",
        "dashboard-host": "127.0.0.1",
        "port": port,
        "dashboard-port": board,
        "dashboard-agent-listen-port": agent,
        "ray-client-server-port": client,
        "object-spilling-directory": folder / "spill",
        "object-store-memory": 100_000_000,
        "num-cpus": 2,
    }
    words = ["ray", "start", "--head", "--block", "--disable-usage-stats", *(f"--{name}={value}" for name, value in options.items())]
    with open(folder / "log", "w") as log, short_folder() as short:  # sockets have short names
        process = subprocess.Popen([*words, f"--temp-dir={short}"], env={**environment, **serving}, stdout=log, stderr=log, cwd=folder)
        try:
            address = f"http://127.0.0.1:{board}"
            deadline = time.monotonic() + 60
            while True:
                assert process.poll() is None and time.monotonic() < deadline, (folder / "log").read_text()
                with contextlib.suppress(ConfigError):
                    dashboard.headers(address, SECRET, pytest.fail)
                    break
                time.sleep(0.2)
            typed = ["ray", "job", "submit", "--address", address, "--working-dir", "."]
            typed += ["--", "python", "-m", "wxexp", "run", "experiments/lorenz96.py:tiny"]
            with open(folder / "typed", "w+") as out:
                first = subprocess.Popen(typed, env=environment, cwd=ROOT, stdout=out, stderr=out, text=True)
                yield Cluster(address, environment, folder, mark, first)
                first.kill()
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(30)
            for left in started_with(mark):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(left, signal.SIGKILL)
            process.wait()


@contextlib.contextmanager
def short_folder() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="wx", dir="/tmp", ignore_cleanup_errors=True) as folder:
        yield folder


@pytest.mark.slow
def test_the_exit_status_of_a_job_is_passed_on(
    cluster: Cluster, project: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """2, what a user can mend; with words that a shell would read otherwise, the commit, and an environment that leads elsewhere."""
    monkeypatch.setenv("RAY_ADDRESS", "http://127.0.0.1:9")
    said: list[str] = []
    words = [str(project / "experiments/echo.py:experiment"), "--name=it's $HOME; a & b", "--runs", "/tmp/r"]
    status = jobs.submit(words, address=cluster.address, working_dir=project, commit="c0ffee+", token=SECRET, say=said.append)
    out = capfd.readouterr().out
    assert status == 2
    given = ["run", "experiments/echo.py:experiment", "--name=it's $HOME; a & b", "--runs", "/tmp/r"]
    assert f"words {given} commit c0ffee+ folder ['.gitignore', 'experiments', 'package']" in out
    assert "wxexp: experiments/echo.py:5: there is no such weather" in out
    assert said[0] == "runs    /tmp/r on the cluster"
    sent = ("experiments/echo.py", "experiments/sleep.py", ".gitignore", "package/data/ours.py")
    size = sum((project / name).stat().st_size for name in sent) / 2**20
    assert said[1] == f"upload  {size:.1f} MiB, 4 files of {project}"
    job = said[2].removeprefix("job     ")
    assert said[3:] == [f"job {job} failed with exit status 2"]
    info = client(cluster).get_job_info(job)
    assert info.metadata == {"commit": "c0ffee+"}
    assert SECRET not in repr(info)
    assert info.runtime_env["env_vars"] == {"WXEXP_COMMIT": "c0ffee+"}


def client(cluster: Cluster):  # type: ignore[no-untyped-def]
    from ray.job_submission import JobSubmissionClient

    with jobs._addressed(cluster.address):
        return JobSubmissionClient(cluster.address, headers={"Authorization": f"Bearer {SECRET}"})


@pytest.mark.slow  # 14 s
def test_ctrl_c_ends_the_following_and_not_the_job(cluster: Cluster, project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SUBMIT, cluster.address], env=cluster.environment, cwd=project, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line == "asleep\n":
            process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130, lines
    (job,) = (line.removeprefix("job     ").strip() for line in lines if line.startswith("job     "))
    assert lines[-2:] == [
        f"the job goes on; its log: RAY_AUTH_MODE=token ray job logs --follow --address {cluster.address} {job}\n",
        f"to stop it: RAY_AUTH_MODE=token ray job stop --address {cluster.address} {job}\n",
    ]
    assert client(cluster).get_job_status(job) == "RUNNING"
    shell = {name: value for name, value in cluster.environment.items() if name != "RAY_AUTH_MODE"}
    typed = lines[-1].removeprefix("to stop it: ")
    stop = subprocess.run(typed, shell=True, env=shell, capture_output=True, text=True, timeout=60)
    assert stop.returncode == 0, stop.stdout + stop.stderr
    said: list[str] = []
    assert jobs._status(jobs._Following(client(cluster), job, cluster.address).end(), said.append) == 130
    assert said == [f"job {job} was stopped"]
    assert "asleep" in capfd.readouterr().out


@pytest.mark.slow
def test_a_cluster_with_another_token_says_so(cluster: Cluster, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("RAY_AUTH_TOKEN", raising=False)
    monkeypatch.delenv("RAY_AUTH_TOKEN_PATH", raising=False)
    with pytest.raises(ConfigError, match=rf"wants a token, and there is none in \$RAY_AUTH_TOKEN or {tmp_path}/.ray/auth_token; "):
        dashboard.headers(cluster.address, None, pytest.fail)
    (tmp_path / "mine").write_text("not-the-one")
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / "mine"))
    with pytest.raises(ConfigError, match=f"does not accept this token \\(of {tmp_path}/mine\\)") as refused:
        dashboard.headers(cluster.address, None, pytest.fail)
    assert "not-the-one" not in str(refused.value)
    monkeypatch.setenv("RAY_AUTH_TOKEN", f" {SECRET}\n")
    assert dashboard.found_token(cluster.address) == (SECRET, "of $RAY_AUTH_TOKEN")
    assert dashboard.headers(cluster.address, SECRET, pytest.fail) == {"Authorization": f"Bearer {SECRET}"}


@pytest.mark.slow
def test_a_job_as_it_is_typed(cluster: Cluster) -> None:
    """`ray job submit --working-dir . -- python -m wxexp run experiments/lorenz96.py:tiny`, from the root of the repository."""
    status, out = cluster.typed.wait(280), (cluster.folder / "typed").read_text()
    assert status == 0, out
    assert "state +48 h: CRPS" in out
    (run,) = (cluster.folder / "runs").glob("lorenz96*")
    assert run.name.startswith("lorenz96-tiny-") and list(run.glob("samples/*/scores/*/report/index.html"))


@pytest.mark.slow
def test_a_cluster_of_one_machine_listens_on_loopback_only(cluster: Cluster) -> None:
    listening = subprocess.run(["ss", "-ltnp"], capture_output=True, text=True, check=True).stdout.splitlines()
    own = [line.split()[3] for line in listening if any(f"pid={pid}," in line for pid in started_with(cluster.mark))]
    assert f"{cluster.address.removeprefix('http://')}" in own and len(own) > 4
    assert [where for where in own if not re.match(r"127\.0\.0\.1:|\[::1\]:|\[::ffff:127\.0\.0\.1\]:", where)] == []
