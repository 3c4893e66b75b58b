import json
import os
import signal

import pytest
from torch import nn

from wxexp.interfaces import Group
from wxexp.training import LocalSession, State, best_checkpoint, last_checkpoint, write
from wxexp.training.checkpoint import folder_name


def save(session, step, criterion=None):
    metrics = {} if criterion is None else {"criterion": criterion}
    state = State(step=step, samples=step, finished=False, metrics=metrics, best=None, stale=0, window={}, made_from={})
    folder = session.scratch / f"{folder_name(step)}.part"
    write(folder, learner=nn.Linear(1, 1), ema=None, optimizers={}, state=state)
    session.report(metrics, folder)


def names(session):
    return sorted(path.name for path in session.directory.iterdir())


def test_the_last_and_the_best_are_kept(tmp_path):
    session = LocalSession(tmp_path)
    assert session.restore() is None and last_checkpoint(tmp_path) is None and best_checkpoint(tmp_path) is None
    for step, criterion, kept in [
        (1, None, [1]),
        (2, 0.5, [2]),
        (3, 0.6, [2, 3]),
        (4, None, [2, 4]),
        (5, 0.5, [2, 5]),  # as good as the best, and later
        (6, 0.4, [6]),
        (7, 0.7, [6, 7]),
    ]:
        save(session, step, criterion)
        assert names(session) == ["scratch", *map(folder_name, kept)]
        assert session.restore() == last_checkpoint(tmp_path) == tmp_path / folder_name(step)
    assert best_checkpoint(tmp_path) == tmp_path / folder_name(6)
    assert list(session.scratch.iterdir()) == []


def test_what_was_half_written_is_ignored_and_removed(tmp_path):
    session = LocalSession(tmp_path)
    save(session, 3)
    for leftover in (tmp_path / "step-000000002.part", session.scratch / "step-000000009.part"):
        leftover.mkdir()
        (leftover / "state.json").write_text("half")
    (session.scratch / "mean.zarr").mkdir()  # a learner's, and not to be lost
    assert LocalSession(tmp_path).restore() == tmp_path / folder_name(3)
    assert names(session) == ["scratch", folder_name(3)]
    assert [path.name for path in session.scratch.iterdir()] == ["mean.zarr"]


def test_what_a_killed_process_did_not_come_to_delete_is_deleted(tmp_path):
    session = LocalSession(tmp_path)
    save(session, 3)
    old = (tmp_path / folder_name(3)).rename(tmp_path / "aside")
    save(session, 6)
    old.rename(tmp_path / folder_name(3))  # as after SIGKILL between taking over step 6 and deleting step 3
    assert LocalSession(tmp_path).restore() == tmp_path / folder_name(6)
    assert names(session) == ["scratch", folder_name(6)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks_the_second_ends(tmp_path, number):
    before = signal.getsignal(number)
    calls = []
    signal.signal(number, lambda *_: calls.append(1))
    try:
        with LocalSession(tmp_path) as session:
            assert not session.should_stop()
            os.kill(os.getpid(), number)
            assert session.should_stop() and calls == []
            os.kill(os.getpid(), number)
            assert calls == [1]
    finally:
        signal.signal(number, before)


def test_handlers_are_given_back(tmp_path):
    before = signal.getsignal(signal.SIGINT)
    with LocalSession(tmp_path):
        assert signal.getsignal(signal.SIGINT) != before
    assert signal.getsignal(signal.SIGINT) == before


def test_groups(tmp_path):
    assert LocalSession(tmp_path).group(1) == Group()
    with pytest.raises(ValueError, match="a group of 2 needs a number of processes that is a multiple of it, got 1"):
        LocalSession(tmp_path).group(2)


def test_best_is_read_from_the_checkpoints_themselves(tmp_path):
    """A session that starts again knows which one was best."""
    save(LocalSession(tmp_path), 1, 0.1)
    save(LocalSession(tmp_path), 2, 0.2)
    save(LocalSession(tmp_path), 3, 0.3)
    assert names(LocalSession(tmp_path)) == ["scratch", folder_name(1), folder_name(3)]
    assert json.loads((tmp_path / folder_name(1) / "state.json").read_text())["metrics"] == {"criterion": 0.1}
