"""The six hard cases through the loop: killed and resumed to equal bits, two ranks equal to one process, members by plain calls."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import doubles
import numpy as np
import pytest
import torch

from wxexp.fields.seeds import Draws
from wxexp.training import LocalSession, last_checkpoint, load, read
from wxexp.training.tracker import read as read_rows

_spec = importlib.util.spec_from_file_location("children", Path(__file__).with_name("children.py"))
children = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(children)

FATES = (*doubles.NAMES, "early", "writing", "renamed", "windowed")


def start(*words):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(Path(__file__).with_name("children.py")), *map(str, words)]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)


@pytest.fixture(scope="module")
def fates(tmp_path_factory):
    directory = tmp_path_factory.mktemp("fates")
    process = start("fates", directory)
    _, error = process.communicate(timeout=200)
    assert process.returncode == 0, error
    return directory


@pytest.fixture(scope="module")
def two_ranks(tmp_path_factory):
    directory = tmp_path_factory.mktemp("ranks")
    processes = [start("rank", directory, rank) for rank in (0, 1)]
    for process in processes:
        _, error = process.communicate(timeout=200)
        assert process.returncode == 0, error
    return directory


def equal(a, b):
    """Of nested tensors, bit for bit."""
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(equal(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(equal, a, b))
    return a == b


def undisturbed_rows(path):
    return [row for row in read_rows(path / "metrics.jsonl") if row["context"] != {"subset": "clock"}]


def assert_same_run(undisturbed, resumed):
    a, b = (read(last_checkpoint(path / "train")) for path in (undisturbed, resumed))
    assert a.state.finished and a.state == b.state
    assert equal(a.learner, b.learner) and equal(a.ema, b.ema) and equal(a.optimizers, b.optimizers)
    rows = undisturbed_rows(undisturbed)
    assert rows == undisturbed_rows(resumed) and len(rows) >= 12
    folders = [sorted(p.name for p in (path / "train").glob("*")) for path in (undisturbed, resumed)]
    assert folders[0] == folders[1]


@pytest.mark.parametrize("name", FATES)
def test_killed_and_resumed_equals_undisturbed(fates, name):
    statuses = json.loads((fates / "statuses.json").read_text())
    assert statuses[name] == [0, -9, 0]  # SIGKILL, and the same command again
    assert_same_run(fates / name / "undisturbed", fates / name / "killed")


@pytest.mark.chaos
@pytest.mark.parametrize("seed", range(10))
def test_killed_at_random_until_it_is_done(tmp_path, seed):
    process = start("chaos", tmp_path, seed)
    _, error = process.communicate(timeout=200)
    assert process.returncode == 0, error
    statuses = json.loads((tmp_path / "statuses.json").read_text())
    assert statuses[0] == statuses[-1] == 0 and set(statuses[1:-1]) == {-9}
    assert_same_run(tmp_path / "undisturbed", tmp_path / "killed")


def test_the_killed_runs_had_state_to_lose(fates):
    """A resume that forgot buffers or the window would show: they moved."""
    state = read(last_checkpoint(fates / "adaptive" / "undisturbed" / "train")).learner
    assert not torch.equal(state["schedule.weight"], torch.ones(8, dtype=torch.float64))
    residual = read(last_checkpoint(fates / "residual" / "undisturbed" / "train")).learner
    assert not torch.equal(residual["scale"], torch.ones(1, 1))
    steps = [row["step"] for row in undisturbed_rows(fates / "windowed" / "killed")]
    assert steps == list(range(2, 401, 2))  # two steps a row, while a checkpoint came every 21


def test_no_space_left_for_a_checkpoint(fates):
    statuses = json.loads((fates / "statuses.json").read_text())
    assert statuses["full"] == [0, 0]
    error = (fates / "full" / "error.txt").read_text()
    assert "cannot write the checkpoint step-000000009" in error and "File too large" in error and "\n" not in error
    left = json.loads((fates / "full" / "left.json").read_text())
    assert "step-000000006" in left and not any(name.endswith(".part") for name in left)
    resumed, undisturbed = (read(last_checkpoint(fates / p / "train")) for p in ("full", "adaptive/undisturbed"))
    assert equal(resumed.learner, undisturbed.learner) and resumed.state == undisturbed.state


def gradient_error(a, b, start):
    """Of the change of all parameters: largest difference, relative to the largest change."""
    difference = max(float((a[name] - b[name]).abs().max()) for name in start)
    return difference / max(float((b[name] - start[name]).abs().max()) for name in start)


@pytest.mark.parametrize("name", children.RANKED)
def test_two_ranks_equal_one_process(two_ranks, tmp_path, name):
    """Distributed CRPS over a group of two; a batch of three on two ranks; a batch of one, where a rank is idle."""
    zero, one = (torch.load(two_ranks / f"{name}-{rank}.pt", weights_only=True) for rank in (0, 1))
    assert equal(zero["state"], one["state"])
    experiment = children.ranked(name, ranks=1)
    begin = doubles.build(experiment).double().state_dict()
    state, rows = children.ranked_learner(experiment, LocalSession(tmp_path))
    assert gradient_error(zero["state"], state, begin) < 1e-12
    assert one["rows"] == [] and len(zero["rows"]) == len(rows) > 0
    for mine, theirs in zip(rows, zero["rows"], strict=True):
        assert mine[0] == theirs[0] and mine[2] == theirs[2] and mine[1].keys() == theirs[1].keys()
        np.testing.assert_allclose(list(mine[1].values()), list(theirs[1].values()), rtol=1e-11)


@pytest.mark.parametrize("name", doubles.NAMES)
def test_members_from_a_checkpoint_alone(fates, monkeypatch, name):
    """Loaded without any data; a member is the same whichever others are drawn with it, up to the rounding of other batch sizes."""
    batch = doubles.Toy().open().read(doubles.Toy().open().items("test"))
    monkeypatch.setattr(doubles.Toy, "open", lambda self: pytest.fail("data were opened"))
    chosen, learner = load(last_checkpoint(fates / name / "undisturbed" / "train"))
    assert chosen == doubles.experiment(name)
    rows = Draws.drawing(0, list(batch.time))
    with torch.no_grad():
        drawn = learner.members(batch, rows.members(range(3)), chosen.sampler)
        alone = learner.members(batch[1:], Draws.drawing(0, batch.time[1:]).members(range(2, 3)), chosen.sampler)
    assert drawn.shape == (2, 3, 1, doubles.CELLS) and torch.isfinite(drawn).all()
    torch.testing.assert_close(alone[0, 0], drawn[1, 2], rtol=1e-4, atol=1e-5)
    if name != "rollout":  # a deterministic forecast
        assert (drawn[:, 0] - drawn[:, 1]).abs().max() > 1e-3
