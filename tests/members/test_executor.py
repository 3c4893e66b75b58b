import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import members_factories as factories
import numpy as np
import pytest
import torch

from wxexp.interfaces import Failure
from wxexp.members.executor import LocalExecutor

HERE = Path(__file__).parent


def gone(pid: int, *, seconds: float = 5) -> bool:
    """Whether a process ends; a zombie that nobody has waited for yet has ended."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def test_in_this_process():
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        found = LocalExecutor(0).map(factories.squares, {"bad": 2}, range(4), in_flight=1)
        assert next(found) == (0, (0, os.getpid(), 1)), "one thread"
        rest = dict(found)
        assert rest[3] == (9, os.getpid(), 1)
        assert isinstance(rest[2], Failure) and rest[2].error == "ValueError: 2 is bad" and "line" in rest[2].traceback
        assert torch.get_num_threads() == 2, "as before"
    finally:
        torch.set_num_threads(threads)


def test_two_processes(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "")
    pulled = []

    def items():
        for i in range(12):
            pulled.append(i)
            yield i

    found = {}
    for item, result in LocalExecutor(2).map(factories.squares, {"bad": 5}, items(), in_flight=3):
        found[item] = result
        assert len(pulled) <= len(found) + 3 - 1, "no more than 3 are begun and not given out"
    assert isinstance(bad := found.pop(5), Failure) and bad.error == "ValueError: 5 is bad" and "members_factories" in bad.traceback
    assert {item: result[0] for item, result in found.items()} == {i: i * i for i in range(12) if i != 5}
    pids = {pid for _, pid, _ in found.values()}
    assert os.getpid() not in pids and 1 <= len(pids) <= 2
    assert {threads for *_, threads in found.values()} == {1}
    assert all(gone(pid, seconds=0.1) for pid in pids), "workers end with the map"


def test_an_item_whose_worker_dies(tmp_path):
    """Item 0 kills one worker, and is done by the next; item 1 kills every worker it is given to."""
    (tmp_path / "0").write_text("1")
    (tmp_path / "1").write_text("1000")
    found = dict(LocalExecutor(2).map(factories.deadly, {"folder": str(tmp_path)}, range(3), in_flight=3))
    assert (found[0], found[2]) == (0, 2)
    assert isinstance(found[1], Failure) and "3 workers died of this item" in found[1].error and "SIGKILL" in found[1].error
    assert (tmp_path / "1").read_text() == "997"


def test_a_broken_factory_ends_the_map():
    with pytest.raises(ValueError, match="there is no data here"):
        list(LocalExecutor(0).map(factories.broken, None, range(3), in_flight=1))
    with pytest.raises(ValueError, match="there is no data here"):
        list(LocalExecutor(1).map(factories.broken, None, range(3), in_flight=1))


def test_arrays_come_back_and_stopping_early_ends_workers():
    """10 results of 720 kB are more than a pipe holds."""
    found = LocalExecutor(1).map(factories.array, None, range(10), in_flight=10)
    item, result = next(found)
    assert np.array_equal(result, np.full((300, 300), item))
    (child,) = factories.children()
    found.close()
    assert gone(child, seconds=0.1)


@pytest.mark.parametrize(("how", "status"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_workers_end_with_their_driver(tmp_path, how, status):
    program = f"""
import sys; sys.path.insert(0, {str(HERE)!r})
import members_factories as factories
from wxexp.members.executor import LocalExecutor
try:
    list(LocalExecutor(2).map(factories.sleepy, {{"folder": {str(tmp_path)!r}}}, range(3), in_flight=3))
except KeyboardInterrupt:
    sys.exit(130)
"""
    driver = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 60
    while len(workers := [int(path.name) for path in tmp_path.iterdir()]) < 2:
        assert time.monotonic() < end and driver.poll() is None
        time.sleep(0.02)
    driver.send_signal(how)
    _, errors = driver.communicate(timeout=5)
    assert driver.returncode == status and errors == ""
    assert all(gone(pid) for pid in workers)


def test_what_cannot_be():
    with pytest.raises(ValueError, match="LocalExecutor.workers must be at least 0, got -1"):
        LocalExecutor(-1)
    with pytest.raises(ValueError, match="in_flight must be at least 1, got 0"):
        LocalExecutor(0).map(factories.squares, {}, [1], in_flight=0)
    with pytest.raises(ValueError, match="a function that can be imported, got .*test_executor:.*lambda"):
        LocalExecutor(1).map(lambda tree: None, {}, [1], in_flight=1)


def test_a_failure_is_raised_as_what_it_was():
    told = Failure("FloatingPointError: pr is not finite", "...").exception("drawing members 0 to 3 of 2001-01-01")
    assert type(told) is FloatingPointError and str(told) == "drawing members 0 to 3 of 2001-01-01: pr is not finite"
    assert type(Failure("FileNotFoundError: x", "").exception("reading")) is OSError
    bug = Failure("KeyError: 'x'", "Traceback ...").exception("scoring")
    assert type(bug) is RuntimeError and str(bug) == "scoring: KeyError: 'x'\nTraceback ..."
