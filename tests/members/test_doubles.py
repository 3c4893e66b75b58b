"""The six hard cases of training through the members loop: checkpoint, drawer, store; the same bits for any chunk."""

from __future__ import annotations

from pathlib import Path

import doubles
import numpy as np
import pytest
import xarray as xr

from wxexp.config import edit
from wxexp.experiment import Experiment
from wxexp.members.draw import draw
from wxexp.members.executor import LocalExecutor
from wxexp.training import LocalSession, last_checkpoint, train


@pytest.fixture(scope="module", params=doubles.NAMES)
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Experiment, Path]:
    """A double after three steps, three leads for the one that can roll out."""
    leads = 3 if request.param == "rollout" else 1
    given = {"training__samples": 15, "training__validation": None, "ensemble__members": 5, "ensemble__rows": 4, "ensemble__leads": leads}
    chosen, folder = doubles.experiment(request.param, **given), tmp_path_factory.mktemp(request.param)
    with LocalSession(folder) as session:
        train(chosen, opened=chosen.dataset.open(), learner=doubles.build(chosen), session=session, tracker=doubles.Recorder())
    checkpoint = last_checkpoint(folder)
    assert checkpoint is not None
    return chosen, checkpoint


def drawn(trained: tuple[Experiment, Path], chunk: int, directory: Path) -> np.ndarray:
    """[time, member, (lead,) x]."""
    chosen, checkpoint = edit(trained[0], {"ensemble.chunk": chunk}), trained[1]
    opened = chosen.dataset.open()
    loader = "wxexp.training.checkpoint:load"
    draw(
        chosen,
        directory=directory,
        checkpoint=checkpoint,
        loader=loader,
        opened=opened,
        items=opened.items("test"),
        executor=LocalExecutor(),
        imports=["doubles"],
    )
    with xr.open_zarr(directory / "members.zarr", consolidated=False, chunks=None) as store:
        return store["y"].values


def test_members_are_the_same_for_any_chunk_and_differ_where_they_should(trained: tuple[Experiment, Path], tmp_path: Path) -> None:
    whole = drawn(trained, 5, tmp_path / "whole")
    assert np.array_equal(whole, drawn(trained, 2, tmp_path / "pairs"), equal_nan=True)
    assert np.isnan(whole[..., :2]).all() and np.isfinite(whole[..., 2:]).all()  # the first two cells are masked
    same = np.array_equal(whole[:, 0], whole[:, 1], equal_nan=True)
    assert same == (trained[0].name == "rollout")  # which is a regression; all others draw
    assert not np.array_equal(whole[0], whole[1], equal_nan=True)
    if trained[0].name == "rollout":
        axis = 2 if whole.shape[1] == 5 else 1
        assert whole.shape[axis] == 3 and not np.array_equal(whole.take(0, axis), whole.take(2, axis), equal_nan=True)
