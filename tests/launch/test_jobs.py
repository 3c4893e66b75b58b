"""What a job sends, what it refuses to send, and how it is followed to its end; on a cluster: test_jobs_on_a_cluster.py."""

from __future__ import annotations

import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from servers import serving

from wxexp.config import ConfigError
from wxexp.launch import jobs


def test_what_is_counted_is_what_ray_packs(project: Path, tmp_path: Path) -> None:
    from ray._private.ray_constants import get_runtime_env_default_excludes
    from ray._private.runtime_env.packaging import create_package

    found = jobs.packed(project)
    sizes = {name: (project / name).stat().st_size for name in ("experiments/echo.py", "experiments/sleep.py")}
    assert found == {".gitignore": 5, **sizes, "package/data/ours.py": 5}
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
    (project.parent / "x.py").write_text("def tiny(): ...\n")
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
