"""Jobs on a real cluster of this machine, with a token; and every way in which a cluster can be the wrong one."""

from __future__ import annotations

import contextlib
import http.server
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from wxexp.config import ConfigError
from wxexp.launch import dashboard, jobs

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
SECRET = "9b2c7a52f0c84fb1b1c6a7f3f5f0a1de"

ECHO = """
import os, sys
def experiment():
    print("words", sys.argv[1:], "commit", os.environ.get("WXEXP_COMMIT"), "folder", sorted(os.listdir(".")), flush=True)
    raise ValueError("there is no such weather")
"""
SUBMIT = """
import sys
from pathlib import Path
from wxexp.launch.jobs import submit
words = ["experiments/sleep.py", "--runs=/tmp/r"]
sys.exit(submit(words, address=sys.argv[1], working_dir=Path.cwd(), say=lambda text: print(text, flush=True)))
"""
SLEEP = "import time\ndef experiment():\n    print('asleep', flush=True)\n    time.sleep(100)\n"


# ---- a cluster ----


@dataclass(frozen=True)
class Cluster:
    address: str
    environment: dict[str, str]
    folder: Path
    mark: str
    typed: subprocess.Popen[str]
    """The first job, so that the other tests run while it does."""


def free_ports(number: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


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


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A working directory with experiments, and with what must not leave it."""
    folder = tmp_path / "project"
    for name, text in {"experiments/echo.py": ECHO, "experiments/sleep.py": SLEEP, ".gitignore": "*.nc\n"}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    for name in (
        ".git/config",
        "runs/x-1/experiment.json",
        "data/a.grib",
        "era5.nc",
        "experiments/__pycache__/echo.pyc",
        "package/data/ours.py",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("12345")
    return folder


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
    size = sum(len(text) for text in (ECHO, SLEEP, "*.nc\n", "12345")) / 2**20
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


# ---- other servers ----


@contextlib.contextmanager
def serving(status: int, body: bytes = b"", **head: str) -> Iterator[tuple[str, list[str | None]]]:
    """A server with one answer: its address, and the tokens it was sent."""
    tokens: list[str | None] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            tokens.append(self.headers.get("Authorization"))
            self.send_response(status)
            for name, value in head.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", tokens
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def talking(said: bytes | None) -> Iterator[str]:
    """A server that is not of the web: says something, or nothing, and never more."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held = []

        def answer() -> None:
            with contextlib.suppress(OSError):
                held.append(server.accept()[0])
                if said is not None:
                    held[0].sendall(said)
                    held[0].close()

        thread = threading.Thread(target=answer)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join()
        for one in held:
            one.close()


def refusal(address: str, token: str | None = "t") -> str:
    with pytest.raises(ConfigError) as refused:
        dashboard.headers(address, token, lambda _: None)
    return str(refused.value)


@pytest.mark.parametrize(
    "address", ["127.0.0.1:8265", "ray://127.0.0.1:10001", "auto", "", "http://", "http://me:secret@host:8265", "http://host:8265/jobs"]
)
def test_an_address_is_that_of_a_dashboard(address: str) -> None:
    assert "address must be that of a Ray dashboard, such as http://127.0.0.1:8265, got " in refusal(address)


def test_nobody_there_is_said_at_once() -> None:
    (port,) = free_ports(1)
    begun = time.monotonic()
    assert f"http://127.0.0.1:{port} cannot be reached: Connection refused; the address is that of the dashboard (port 8265)" in refusal(
        f"http://127.0.0.1:{port}"
    )
    assert time.monotonic() - begun < 2


def test_silence_is_an_answer_within_15_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 2 * dashboard.TIMEOUT < 15
    monkeypatch.setattr(dashboard, "TIMEOUT", 0.3)
    with talking(None) as address:
        assert f"{address} does not answer within" in refusal(address)


def test_what_is_no_dashboard_is_named() -> None:
    with talking(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00") as address:  # as a gRPC server greets
        assert "is no Ray dashboard: it does not speak HTTP" in refusal(address)
    with serving(404) as (address, _):
        assert "is no Ray dashboard: it answers /api/version with status 404" in refusal(address)
    for body in (b"<html>", b"[]", b'{"version": 4}', b'{"ray_version": 2}', b""):
        with serving(200, body) as (address, _):
            assert "is no Ray dashboard: it answers /api/version with status 200" in refusal(address)


def test_a_cluster_of_another_version_is_named() -> None:
    with serving(200, b'{"version": "4", "ray_version": "2.9.3"}') as (address, _):
        assert f"{address} runs Ray 2.9.3, and here is Ray 2.60.0" in refusal(address)


def test_a_token_goes_only_where_it_is_asked_for() -> None:
    said: list[str] = []
    with serving(200, b'{"version": "4", "ray_version": "2.60.0"}') as (address, tokens):
        assert dashboard.headers(address, "t", said.append) == {}
        assert tokens == [None]
    assert len(said) == 1 and said[0].startswith(f"warning: {address} asks for no token: who reaches it can run anything there")
    with serving(401) as (address, tokens):
        assert "does not accept this token (the one given)" in refusal(address)
        assert tokens == [None, "Bearer t"]
    with serving(401) as (elsewhere, tokens), serving(302, Location=elsewhere) as (address, _):
        assert "status 302" in refusal(address)
        assert tokens == []


# ---- what is sent ----


def test_what_is_counted_is_what_ray_packs(project: Path, tmp_path: Path) -> None:
    from ray._private.ray_constants import get_runtime_env_default_excludes
    from ray._private.runtime_env.packaging import create_package

    found = jobs.packed(project)
    assert found == {".gitignore": 5, "experiments/echo.py": len(ECHO), "experiments/sleep.py": len(SLEEP), "package/data/ours.py": 5}
    excludes = [*get_runtime_env_default_excludes(), *jobs.EXCLUDES]
    create_package(str(project), tmp_path / "sent.zip", include_gitignore=True, include_parent_dir=False, excludes=excludes)
    with zipfile.ZipFile(tmp_path / "sent.zip") as sent:
        assert {one.filename: one.file_size for one in sent.infolist() if not one.is_dir()} == found


def test_too_much_is_refused_and_the_largest_named(project: Path) -> None:
    (project / "era5").mkdir()
    for name, size in {"era5/a": 400, "era5/b": 150, "model.pt": 200}.items():
        with open(project / name, "wb") as file:
            file.truncate(size * 2**20)  # holes: no disk is used
    message = r"is 750.0 MiB to upload, and a cluster takes 512.0 MiB; the largest in it is 'era5' with 550.0 MiB: name it in .gitignore"
    with pytest.raises(ConfigError, match=message):
        jobs.packed(project)
    (project / ".gitignore").write_text("era5/\n")
    assert jobs.packed(project)["model.pt"] == 200 * 2**20


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["experiments/echo.py"], "--runs must be an absolute path on the cluster, got none: a job starts in a copy"),
        (["experiments/echo.py", "--runs", "runs"], "--runs must be an absolute path on the cluster, got runs"),
        (["experiments/ecco.py", "--runs=/r"], "experiments/ecco.py: no such file; did you mean 'experiments/echo.py'"),
        (["../x.py:tiny", "--runs=/r"], "../x.py must be inside "),
        (["runs/x-1/experiment.json", "--runs=/r"], "runs/x-1/experiment.json is not uploaded: "),
        (["runs/x-1", "--runs=/r"], "runs/x-1 is not uploaded: it is a directory"),
    ],
)
def test_a_job_that_cannot_work_is_refused_before_the_cluster_is_asked(
    words: list[str], message: str, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    (project.parent / "x.py").write_text(ECHO)
    with serving(200) as (address, asked):
        with pytest.raises(ConfigError, match=message):
            jobs.submit(words, address=address, working_dir=project, say=lambda _: None)
        assert asked == []


def test_a_runtime_environment_adds_variables_and_excludes(project: Path, tmp_path: Path) -> None:
    file = tmp_path / "env.yaml"
    file.write_text("env_vars: {WXEXP_RUNS: /r, A: b}\nexcludes: [/package]\n")
    made = jobs._environment(file, project, "c0ffee")
    assert made["env_vars"] == {"WXEXP_RUNS": "/r", "A": "b", "WXEXP_COMMIT": "c0ffee"}
    assert jobs._runs(["x.py"], made["env_vars"]) == "/r"
    assert "package/data/ours.py" not in jobs.packed(project, made["excludes"])
    for text, message in {
        "- a": "it must be a mapping, such as",
        "env_vars: {A: 1}": "the value 1 is of type",
        "env_vars: {": "line 1",
        "!!python/object/apply:os.getcwd []": "could not determine a constructor",
    }.items():
        file.write_text(text)
        with pytest.raises(ConfigError, match=f"env.yaml is no runtime environment: .*{message}"):
            jobs._environment(file, project, None)
    with pytest.raises(ConfigError, match="none.yaml is no runtime environment: .*No such file"):
        jobs._environment(tmp_path / "none.yaml", project, None)


# ---- following ----


class Flaky:
    """A client whose connection breaks: the log comes again from its beginning."""

    def __init__(self, tails: list[list[str | Exception]], infos: list[object]) -> None:
        self.tails, self.infos = tails, infos

    async def tail_job_logs(self, _: str) -> AsyncIterator[str]:
        for piece in self.tails.pop(0):
            if isinstance(piece, Exception):
                raise piece
            yield piece

    def get_job_info(self, _: str) -> object:
        return self.infos.pop(0)


def state(terminal: bool) -> SimpleNamespace:
    return SimpleNamespace(status=SimpleNamespace(is_terminal=lambda: terminal))


def test_a_log_is_printed_once_however_often_the_connection_breaks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(jobs.time, "sleep", lambda _: None)
    ended = state(True)
    tails: list[list[str | Exception]] = [["ab\n", RuntimeError("closed")], ["a"], [OSError("refused")], ["ab\ncd", "e\n"]]
    assert jobs._Following(Flaky(tails, [state(False), ended]), "j", "http://a").end() is ended  # type: ignore[arg-type]
    assert capsys.readouterr().out == "ab\ncde\n"


def test_a_cluster_that_is_gone_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter(range(0, 10_000, 25))
    monkeypatch.setattr(jobs, "time", SimpleNamespace(monotonic=lambda: next(now), sleep=lambda _: None))
    tails: list[list[str | Exception]] = [[OSError("refused")] for _ in range(3)]
    with pytest.raises(ConnectionError, match="http://a has not answered for 60 s; job j goes on as far as is known; its log: ") as lost:
        jobs._Following(Flaky(tails, []), "j", "http://a").end()  # type: ignore[arg-type]
    assert str(lost.value).endswith("RAY_AUTH_MODE=token ray job logs --follow --address http://a j")
    assert tails == []


@pytest.mark.parametrize(
    ("end", "code", "status", "told"),
    [
        ("SUCCEEDED", 0, 0, []),
        ("STOPPED", None, 130, ["job j was stopped"]),
        ("FAILED", 2, 2, ["job j failed with exit status 2"]),
        ("FAILED", -9, 137, ["job j failed with exit status -9"]),  # killed by a signal: 128 + 9, as in a shell
        ("FAILED", None, 1, ["job j failed: no room on any node"]),  # never began
    ],
)
def test_the_status_of_a_job_is_an_exit_status(end: str, code: int | None, status: int, told: list[str]) -> None:
    said: list[str] = []
    info = SimpleNamespace(status=end, driver_exit_code=code, submission_id="j", message="no room on any node")
    assert jobs._status(info, said.append) == status  # type: ignore[arg-type]
    assert said == told
