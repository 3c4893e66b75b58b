"""Training on Ray Train: any number of workers the same losses, workers that are killed, errors that are told."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import deadly
import numpy as np
import pytest
from ray.exceptions import RayError
from ray.train import WorkerGroupError

import wxexp as wx
from wxexp.config import to_tree
from wxexp.config.tree import packages
from wxexp.launch import train as module
from wxexp.launch.session import PREEMPTION_CALLS, RaySession
from wxexp.launch.train import fit
from wxexp.training import Interrupted, LocalSession, Plan, work

SMALL = Path(__file__).parents[1] / "small.py"


def experiment(folder: Path) -> wx.Experiment:
    """20 steps, each a row of metrics.jsonl; a batch that neither 2 nor 3 workers share evenly."""
    source = deadly.DeadlyFields(cells=(16, 24), times=84, range=str(folder))
    training = {"training.samples": 100, "training.batch_size": 5, "training.checkpoint": 20}
    return wx.edit(wx.load(SMALL), {"dataset.source": source, **training})


def plan(folder: Path) -> Plan:
    e = experiment(folder)
    return Plan(
        experiment=to_tree(e), directory=str(folder / "train"), metrics=str(folder / "metrics.jsonl"), parents=[], imports=list(packages(e))
    )


def losses(folder: Path) -> np.ndarray:
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    found = {row["step"]: row["values"]["loss"] for row in rows if row["context"] == {"subset": "train"}}
    assert list(found) == list(range(1, 21))
    return np.array(list(found.values()))


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    folder = tmp_path_factory.mktemp("alone")
    with LocalSession(folder / "train") as session:
        work(plan(folder), session)
    return losses(folder)


def on_ray(folder: Path, workers: int) -> np.ndarray:
    fit(plan(folder), workers=workers, threads=1, gpus=0.0, output=folder / "log.txt", progress=lambda now: None)
    return losses(folder)


def test_three_workers_learn_what_one_does(ray_cluster, alone, tmp_path):
    np.testing.assert_allclose(on_ray(tmp_path, 3), alone, rtol=1e-5)


@pytest.mark.slow
def test_two_workers_one_of_which_is_killed_learn_what_one_does(ray_cluster, alone, tmp_path, monkeypatch):
    """Two starts of Ray Train: the second goes on from the checkpoint that was there when the worker died."""
    (tmp_path / "bullet-0").touch()
    said = []
    monkeypatch.setattr(module.log, "warning", lambda *words: said.append(words))
    np.testing.assert_allclose(on_ray(tmp_path, 2), alone, rtol=1e-5)
    assert len(list(tmp_path.glob("fired-*"))) == 1 and len(said) == 1 and "were lost" in said[0][0]
    assert not list(tmp_path.glob("train/**/*.peers"))


@pytest.mark.slow
def test_what_a_worker_raises_is_raised(ray_cluster, tmp_path):
    told = plan(tmp_path)
    told["experiment"] = to_tree(wx.edit(experiment(tmp_path), {"training.optimizer.rate": 1e30, "training.clip": None}))
    with pytest.raises(FloatingPointError, match="the loss of phase .* at step"):
        fit(told, workers=1, threads=1, gpus=0.0, output=tmp_path / "log.txt", progress=lambda now: None)


def failed(*errors: Exception) -> WorkerGroupError:
    return WorkerGroupError("workers failed", dict(enumerate(errors)))


class Gone(RayError):
    pass


@pytest.mark.parametrize(
    ("error", "workers", "again"),
    [
        (failed(Gone()), 1, True),
        (failed(Gone(), RuntimeError("Connection closed by peer")), 2, True),  # what its peers say of one that is gone
        (failed(RuntimeError("a bug")), 1, False),
        (failed(FloatingPointError("not finite"), RuntimeError("Connection closed by peer")), 2, False),
        (failed(KeyError("a bug")), 2, False),
    ],
)
def test_training_begins_again_only_where_the_machine_failed(monkeypatch, tmp_path, error, workers, again):
    """3 times, if there is no checkpoint in between."""
    attempts = []
    monkeypatch.setattr(module, "_watched", lambda *_: attempts.append(1) or error)
    monkeypatch.setattr(module, "nodes", lambda: [])
    monkeypatch.setattr(module, "DataParallelTrainer", lambda *_, **__: None)
    with pytest.raises((RuntimeError, FloatingPointError)) as raised:
        fit(plan(tmp_path), workers=workers, threads=1, gpus=0.0, output=tmp_path / "log.txt", progress=lambda now: None)
    assert len(attempts) == (3 if again else 1)
    assert isinstance(raised.value, FloatingPointError) == any(
        isinstance(one, FloatingPointError) for one in error.worker_failures.values()
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_is_a_file_that_workers_look_for(monkeypatch, tmp_path, number):
    before = signal.getsignal(number)
    seen = []

    def watched(*_: Any) -> None:
        os.kill(os.getpid(), number)
        seen.append((tmp_path / "train" / "stop").exists())

    monkeypatch.setattr(module, "_watched", watched)
    monkeypatch.setattr(module, "nodes", lambda: [])
    monkeypatch.setattr(module, "DataParallelTrainer", lambda *_, **__: None)
    with pytest.raises(Interrupted):
        fit(plan(tmp_path), workers=1, threads=1, gpus=0.0, output=tmp_path / "log.txt", progress=lambda now: None)
    assert seen == [True] and not (tmp_path / "train" / "stop").exists() and signal.getsignal(number) == before


class Context:
    def get_world_rank(self) -> int:
        return 0

    def get_world_size(self) -> int:
        return 1


def test_a_session_looks_for_the_file_and_for_notices(monkeypatch, tmp_path):
    import torch

    notices: list[object] = [None]
    monkeypatch.setattr("ray.train.get_context", Context)
    monkeypatch.setattr("ray.train.torch.get_device", lambda: torch.device("cpu"))
    monkeypatch.setattr("ray.train.get_preemption_info", lambda: notices[-1])
    session = RaySession(tmp_path)
    assert not session.should_stop()
    (tmp_path / "stop").touch()
    monkeypatch.setattr(session, "_looked", 0.0)
    assert session.should_stop() and not session.preempted
    other = RaySession(tmp_path / "other")
    notices.append("a node is to go")
    assert [other.should_stop() for _ in range(PREEMPTION_CALLS)].index(True) == PREEMPTION_CALLS - 1 and other.preempted
