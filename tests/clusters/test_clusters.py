"""The files of clusters/: of one version, valid, closed to strangers, and naming commands and experiments that there are."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from wxexp import cli, runner
from wxexp.config import override

ROOT = Path(__file__).parents[2]
FILES = sorted(path for path in (ROOT / "clusters").iterdir())
TEXTS = [pytest.param(path.read_text(encoding="utf-8"), id=path.name) for path in FILES]
STARTS = ["local.md", "lab.yaml", "slurm.sh"]
IMAGE_FOLDER = "/opt/wxexp/"


def text(name: str) -> str:
    return (ROOT / "clusters" / name).read_text(encoding="utf-8")


def folded(content: str) -> str:
    """Lines that go on, joined."""
    return re.sub(r"\s*\\\n\s*", " ", content)


def test_the_files_are_those_that_are_promised() -> None:
    assert [path.name for path in FILES] == sorted(
        ["Dockerfile", "kuberay-job.yaml", "lab.yaml", "local.md", "runtime_env.yaml", "slurm.sh"],
        key=lambda name: ROOT / "clusters" / name,
    )


def promised() -> dict[str, str]:
    """Version that pyproject.toml pins, by package."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pins = (re.fullmatch(r"([a-z0-9-]+)(?:\[.*\])?(?:~=|==)([0-9.]+)", line) for line in project["dependencies"])
    found = {pin[1]: pin[2] for pin in pins if pin}
    (lowest,) = re.findall(r">=3\.(\d+)", project["requires-python"])
    return {**found, "wxexp": project["version"], "python": f"3.{lowest}"}


VERSIONED = {
    "ray": r"(?i)\bray(?:\[[a-z,]+\]==|Version: \"| )(\d+\.\d+\.\d+)",
    "torch": r"\btorch(?:==| )(\d+\.\d+\.\d+)",
    "aim": r"\baim==(\d+\.\d+\.\d+)",
    "python": r"(?i)\bpython(?:[: ])?(3\.\d+)",
}


@pytest.mark.parametrize(
    ("name", "packages"),
    [
        ("local.md", {"ray", "torch", "python"}),
        ("lab.yaml", {"ray", "torch", "python"}),
        ("slurm.sh", {"ray", "torch", "python"}),
        ("kuberay-job.yaml", {"ray"}),
        ("Dockerfile", {"ray", "torch", "aim", "python"}),
    ],
)
def test_versions_are_those_of_the_project(name: str, packages: set[str]) -> None:
    found = {package: set(re.findall(pattern, text(name))) for package, pattern in VERSIONED.items()}
    assert {package: versions for package, versions in found.items() if versions} == {
        package: {promised()[package]} for package in packages
    }


def test_the_image_is_named_alike_and_after_its_versions() -> None:
    versions = promised()
    tag = f"wxexp:{versions['wxexp']}-ray{versions['ray']}-py{versions['python'].replace('.', '')}"
    images = re.findall(r"image: (\S+)", text("kuberay-job.yaml")) + re.findall(r"-t (\S+)", text("Dockerfile"))
    assert images == [tag, tag, tag]


@pytest.fixture
def token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home directory with a token, as lab.yaml asks for."""
    monkeypatch.setenv("HOME", str(tmp_path))
    file = tmp_path / ".ray" / "auth_token"
    file.parent.mkdir()
    file.write_text("secret")
    return file


def test_lab_is_what_ray_up_takes(token: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray's own preparation and validation, as `ray up` does it before the first machine is touched."""
    from ray.autoscaler._private.util import prepare_config, validate_config

    given = yaml.safe_load(text("lab.yaml"))
    validate_config(config := prepare_config(given))
    assert config["max_workers"] == len(given["provider"]["worker_ips"]) == given["min_workers"] == 2
    monkeypatch.chdir(ROOT)
    assert all(Path(local).expanduser().exists() for local in given["file_mounts"].values())
    assert given["file_mounts"]["~/.ray/auth_token"] == "~/.ray/auth_token"
    with pytest.raises(Exception, match="cluster_nam"):
        validate_config(prepare_config({**yaml.safe_load(text("lab.yaml")), "cluster_nam": "lab"}))


def job() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(text("kuberay-job.yaml"))
    return found


def test_the_kubernetes_job_has_its_volumes_a_fixed_size_and_a_token() -> None:
    spec = job()["spec"]
    cluster = spec["rayClusterSpec"]
    assert cluster["authOptions"] == {"mode": "token"}
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    for group in groups[1:]:
        assert group["replicas"] == group["minReplicas"] == group["maxReplicas"]
    for group in groups:
        pod = group["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        (container,) = pod["containers"]
        mounted = {mount["mountPath"]: volumes[mount["name"]] for mount in container["volumeMounts"]}
        assert mounted["/dev/shm"]["emptyDir"]["medium"] == "Memory"
        assert "persistentVolumeClaim" in mounted["/data"] and "persistentVolumeClaim" in mounted["/runs"]
        assert group["rayStartParams"]["object-spilling-directory"] in mounted
    environment = yaml.safe_load(spec["runtimeEnvYAML"])["env_vars"]
    assert environment == yaml.safe_load(text("runtime_env.yaml"))["env_vars"]


def test_ray_takes_the_runtime_environment() -> None:
    from ray.runtime_env import RuntimeEnv

    given = yaml.safe_load(text("runtime_env.yaml"))
    assert RuntimeEnv(**given).env_vars() == given["env_vars"]


def test_slurm_is_a_script_that_bash_reads() -> None:
    done = subprocess.run(["bash", "-n", str(ROOT / "clusters" / "slurm.sh")], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_slurm_runs_ray_on_one_task_per_node_with_a_token_of_its_own(tmp_path: Path) -> None:
    """The script itself, with stand-ins for the commands of Slurm and for python's environment."""
    venv, submit = tmp_path / "venv" / "bin", tmp_path / "submit"
    venv.mkdir(parents=True)
    submit.mkdir()
    (venv / "activate").write_text(f'PATH="{venv}:$PATH"\n')
    stand_ins = {
        "scontrol": 'test "$*" = "show hostnames n[1-2]" && printf "n1\\nn2\\n"',
        "srun": f'env >"{tmp_path}/env"; stat -c "%a %s" "$RAY_AUTH_TOKEN_PATH" >"{tmp_path}/token"; '
        f'printf "%s\\n" "$@" >"{tmp_path}/words"; exit 3',
    }
    for name, body in stand_ins.items():
        (venv / name).write_text(f"#!/bin/sh\n{body}\n")
        (venv / name).chmod(0o755)
    (venv / "python").symlink_to(sys.executable)
    slurm = {"SUBMIT_DIR": str(submit), "JOB_ID": "7", "NNODES": "2", "CPUS_PER_TASK": "16", "JOB_NODELIST": "n[1-2]"}
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
        "WXEXP_VENV": str(venv.parent),
        **{f"SLURM_{k}": v for k, v in slurm.items()},
    }
    done = subprocess.run(["bash", str(ROOT / "clusters" / "slurm.sh")], env=environment, capture_output=True, text=True)
    assert done.returncode == 3, done.stderr  # that of the run
    words = (tmp_path / "words").read_text().split("\n")
    assert words[:5] == ["--nodes=2", "--ntasks=2", "--cpus-per-task=16", "ray", "symmetric-run"]
    assert words[5:8] == ["--address=n1:6379", "--min-nodes=2", "--num-cpus=16"]
    assert words[words.index("--") + 1 :][:2] == ["env", "RAY_ADDRESS=n1:6379"]
    seen = dict(line.split("=", 1) for line in (tmp_path / "env").read_text().splitlines() if "=" in line)
    assert seen["RAY_AUTH_MODE"] == "token" and seen["WXEXP_RUNS"] == f"{submit}/runs"
    assert (tmp_path / "token").read_text() == "600 65\n"  # mode; 32 bytes in hexadecimal
    assert list(submit.iterdir()) == []  # the token is gone


COMMAND = re.compile(r"python -m wxexp ((?:(?!`)\S)+(?: (?:(?!`)\S)+)*)")


def commands() -> list[str]:
    """Every `python -m wxexp ...` of the files that names its arguments."""
    found = [words for path in FILES for words in COMMAND.findall(folded(path.read_text(encoding="utf-8")))]
    return sorted({words.rstrip(".,;:") for words in found})


def test_commands_are_found() -> None:
    kinds = {shlex.split(words)[0] for words in commands()}
    assert {"run", "submit"} <= kinds
    assert len(commands()) >= 5


@pytest.mark.parametrize("words", commands())
def test_a_command_is_one_of_ours_and_its_experiment_is_there(words: str) -> None:
    given = [word.replace("$PWD", "/work").removeprefix(IMAGE_FOLDER) for word in shlex.split(words)]
    options, rest = cli._parser().parse_known_args(given)
    if name := getattr(options, "experiment", None):
        file, _, function = name.partition(":")
        override(runner.loaded(f"{ROOT / file}:{function}" if function else ROOT / file), rest)
    else:
        assert rest == []


@pytest.mark.parametrize("content", TEXTS)
def test_no_file_opens_a_dashboard_or_names_a_host_of_packages(content: str) -> None:
    assert "0.0.0.0" not in content and "::" not in content
    assert not re.search(r"\b(pypi|pythonhosted|docker\.io|ghcr\.io|quay\.io|conda\.anaconda)\b", content)
    hosts = {host for host in re.findall(r"https?://([^/\s:`]+)", content)}
    assert hosts <= {"127.0.0.1"}


@pytest.mark.parametrize("name", STARTS)
def test_whatever_starts_ray_has_a_token_and_a_place_to_spill(name: str) -> None:
    content = folded(text(name)).replace("\n    ", " ")
    starts = [line for line in content.splitlines() if re.search(r"ray (start (--head|--address)|symmetric-run --)", line)]
    assert starts
    assert all("--object-spilling-directory=" in line for line in starts)
    assert all("RAY_AUTH_MODE=token" in line for line in starts) or "export RAY_AUTH_MODE=token" in content
    heads = [line for line in starts if "--head" in line]
    assert all("--dashboard-host=127.0.0.1" in line for line in heads)


def test_the_image_runs_as_nobody_in_particular_and_asks_for_a_token() -> None:
    lines = text("Dockerfile").splitlines()
    assert [line for line in lines if line.startswith(("FROM", "USER"))] == ["FROM python:3.11-slim", "USER wx"]
    assert any(line.startswith("ENV") and "RAY_AUTH_MODE=token" in line for line in lines)
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {word for line in lines if line.startswith("COPY") for word in line.split()[1:-1]}
    assert copied == kept and all((ROOT / name).exists() for name in copied)
