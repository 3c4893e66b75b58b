"""Jobs: an experiment sent to a Ray cluster through its dashboard; `python -m wxexp run` goes on there, its log comes here.

The working directory is uploaded as `ray job submit --working-dir` does it: without `.git`, virtual environments and what `.gitignore`
names, see https://docs.ray.io/en/latest/ray-core/handling-dependencies.html. Nothing of this process's environment is sent.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shlex
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import yaml  # type: ignore[import-untyped]

from wxexp.config.tree import ConfigError, suggest
from wxexp.launch.dashboard import headers

if TYPE_CHECKING:
    from ray.job_submission import JobDetails, JobSubmissionClient

LIMIT = 512 * 2**20
"""Bytes; what Ray's job server takes."""
EXCLUDES = ("/runs", "/data", "/.aim")
"""Never uploaded, beside what `.gitignore` names."""
PATIENCE = 60.0
"""Seconds without a connection after which a job is no longer followed."""


def submit(
    words: Sequence[str],
    *,
    address: str,
    working_dir: Path,
    say: Callable[[str], None],
    commit: str | None = None,
    token: str | None = None,
    runtime_env: Path | None = None,
) -> int:
    """Runs `python -m wxexp run <words>` on a cluster and follows it to its end.

    The experiment and its overrides are taken as checked. The log of the job goes to stdout.

    Args:
        words: the experiment (a file inside `working_dir`), then overrides and options of `run`.
        address: of the dashboard, http(s)://HOST:8265.
        working_dir: what is uploaded, and where the job starts, as a copy that is deleted after it.
        say: told what happens, line by line: size of the upload, name of the job, how to stop it.
        commit: of the working directory, for the run's provenance.json; `.git` is not uploaded.
        token: of the cluster; None: $RAY_AUTH_TOKEN, else the file $RAY_AUTH_TOKEN_PATH, else ~/.ray/auth_token.
        runtime_env: a YAML file such as clusters/runtime_env.yaml: environment variables, further `excludes`.

    Returns:
        The exit status of the job; 130 if it was stopped, or if Ctrl-C ended the following of it (the job goes on).

    Raises:
        ConfigError: nothing was submitted, and why; within 15 seconds if the cluster is why.
        ConnectionError: the job can no longer be followed; it goes on.
    """
    working_dir = working_dir.resolve()
    environment = _environment(runtime_env, working_dir, commit)
    files = packed(working_dir, environment["excludes"])
    words = [_uploaded(words[0], working_dir, files), *words[1:]]
    say(f"runs    {_runs(words, environment['env_vars'])} on the cluster")
    accepted = headers(address, token, say)
    say(f"upload  {_size(sum(files.values()))}, {len(files)} files of {working_dir}")
    with _quiet(), _addressed(address):
        from ray.job_submission import JobSubmissionClient

        try:
            client = JobSubmissionClient(address, headers=dict(accepted))
            job = client.submit_job(
                entrypoint=shlex.join(["python", "-m", "wxexp", "run", *words]),
                runtime_env=environment,
                metadata={} if commit is None else {"commit": commit},
            )
        except RuntimeError as error:  # what the job server answers
            raise ConfigError(f"{address} does not take the job: {error}") from error
        say(f"job     {job}")
        following = _Following(client, job, address)
        try:
            return _status(following.end(), say)
        except KeyboardInterrupt:
            say(f"the job goes on; its log: {following.command('logs --follow')}")
            say(f"to stop it: {following.command('stop')}")
            return 130


def packed(working_dir: Path, excludes: Sequence[str] = EXCLUDES) -> Mapping[str, int]:
    """What would be uploaded: bytes by path.

    Raises:
        ConfigError: more than the job server takes; names the largest folder.
    """
    # Ray's own walk, so that what is counted is what is sent.
    from ray._private.ray_constants import RAY_RUNTIME_ENV_IGNORE_GITIGNORE, get_runtime_env_default_excludes
    from ray._private.runtime_env.packaging import _dir_travel, _get_excludes

    found: dict[str, int] = {}

    def count(path: Path) -> None:
        if path.is_file():
            found[path.relative_to(working_dir).as_posix()] = path.stat().st_size

    with _quiet():
        _dir_travel(
            working_dir,
            [_get_excludes(working_dir, [*get_runtime_env_default_excludes(), *excludes])],
            count,
            include_gitignore=os.environ.get(RAY_RUNTIME_ENV_IGNORE_GITIGNORE, "0") != "1",
        )
    total = sum(found.values())
    if total > LIMIT:
        tops = Counter[str]()
        for name, size in found.items():
            tops[PurePosixPath(name).parts[0]] += size
        (largest, size), *_ = tops.most_common(1)
        raise ConfigError(
            f"{working_dir} is {_size(total)} to upload, and a cluster takes {_size(LIMIT)}; the largest in it is {largest!r} with "
            f"{_size(size)}: name it in .gitignore, and give data by absolute paths on the cluster"
        )
    return found


def _environment(file: Path | None, working_dir: Path, commit: str | None) -> dict[str, Any]:
    """The runtime environment of the job."""
    from ray.runtime_env import RuntimeEnv

    given = {}
    if file is not None:
        try:
            given = yaml.safe_load(file.read_text(encoding="utf-8"))
            if not isinstance(given, dict):
                raise TypeError("it must be a mapping, such as env_vars: {WXEXP_RUNS: /runs}")
            RuntimeEnv(**given)
        except (OSError, TypeError, ValueError, yaml.YAMLError) as error:
            raise ConfigError(f"{file} is no runtime environment: {error}") from error
    variables = {**given.get("env_vars", {}), **({} if commit is None else {"WXEXP_COMMIT": commit})}
    excludes = [*EXCLUDES, *given.get("excludes", [])]
    return {**given, "working_dir": str(working_dir), "excludes": excludes, "env_vars": variables}


def _uploaded(experiment: str, working_dir: Path, files: Mapping[str, int]) -> str:
    """The experiment as the job finds it: relative to the working directory."""
    file, colon, function = experiment.rpartition(":") if ".py:" in experiment else (experiment, "", "")
    path = Path(file).parent.resolve() / Path(file).name
    if not path.is_relative_to(working_dir):
        raise ConfigError(f"{file} must be inside {working_dir}, which is what the cluster gets")
    name = path.relative_to(working_dir).as_posix()
    if not path.exists():
        raise ConfigError(f"{file}: no such file{suggest(name, [known for known in files if known.endswith('.py')])}")
    if name not in files:
        raise ConfigError(f"{file} is not uploaded: it is a directory, or ignored by .gitignore, or in runs/ or data/")
    return f"{name}{colon}{function}"


def _runs(words: Sequence[str], variables: Mapping[str, str]) -> str:
    """Where the job puts its runs."""
    given = variables.get("WXEXP_RUNS", "")
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word == "--runs" or word.startswith("--runs="):
            given = following if word == "--runs" else word.removeprefix("--runs=")
    if not PurePosixPath(given).is_absolute():
        raise ConfigError(
            f"--runs must be an absolute path on the cluster, got {given or 'none'}: a job starts in a copy of the working directory "
            "that is deleted after it; or set WXEXP_RUNS under env_vars of a runtime environment"
        )
    return given


class _Following:
    """The log of a job, each character printed once, however often the connection is lost."""

    def __init__(self, client: JobSubmissionClient, job: str, address: str) -> None:
        self.client, self.job, self.address, self.printed = client, job, address, 0

    def end(self) -> JobDetails:
        """What became of the job, once it has ended."""
        import aiohttp

        alive = time.monotonic()
        while True:
            try:
                asyncio.run(self._tail())
                info = self.client.get_job_info(self.job)
                if info.status.is_terminal():
                    return info
                alive = time.monotonic()
            except (OSError, RuntimeError, aiohttp.ClientError) as error:
                if time.monotonic() - alive > PATIENCE:
                    raise ConnectionError(
                        f"{self.address} has not answered for {PATIENCE:.0f} s; job {self.job} goes on as far as is known; "
                        f"its log: {self.command('logs --follow')}"
                    ) from error
            time.sleep(1)

    def command(self, action: str) -> str:
        """What to type for it; Ray's own commands send a token only if they are told to."""
        return f"RAY_AUTH_MODE=token ray job {action} --address {self.address} {self.job}"

    async def _tail(self) -> None:
        read = 0
        async for text in self.client.tail_job_logs(self.job):
            print(text[max(0, self.printed - read) :], end="", flush=True)
            read += len(text)
            self.printed = max(self.printed, read)


def _status(info: JobDetails, say: Callable[[str], None]) -> int:
    """The exit status for that of a job."""
    from ray.job_submission import JobStatus

    if info.status == JobStatus.SUCCEEDED:
        return 0
    if info.status == JobStatus.STOPPED:
        say(f"job {info.submission_id} was stopped")
        return 130
    status: int | None = info.driver_exit_code
    if status is None:  # it never started; what Ray says is not in the log
        say(f"job {info.submission_id} failed: {info.message}")
        return 1
    say(f"job {info.submission_id} failed with exit status {status}")
    return status if status > 0 else 128 - status  # killed by a signal, as shells count


@contextmanager
def _addressed(address: str) -> Iterator[None]:
    """The client prefers the environment's address to the one it is given."""
    name = "RAY_API_SERVER_ADDRESS"
    before = os.environ.get(name)
    os.environ[name] = address
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


@contextmanager
def _quiet() -> Iterator[None]:
    """Without Ray's log of every ignored folder and request; what fails is raised."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


def _size(number: int) -> str:
    return f"{number / 2**20:.1f} MiB"
