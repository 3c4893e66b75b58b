"""Whether the head of a joined cluster answers, without a cluster."""

import logging
import socket
import threading
from collections.abc import Callable
from types import SimpleNamespace

import pytest
import ray

from wxexp.launch import cluster


def watched(monkeypatch: pytest.MonkeyPatch, address: str, connect: Callable[..., object]) -> None:
    """Until it has looked at `address` ten times, or is done looking."""
    looks = threading.Semaphore(0)

    def look(*args: object, **kwargs: object) -> object:
        looks.release()
        return connect(*args, **kwargs)

    monkeypatch.setattr(cluster, "PATIENCE_SECONDS", 0.01)
    monkeypatch.setattr(ray, "get_runtime_context", lambda: SimpleNamespace(gcs_address=address))
    monkeypatch.setattr(socket, "create_connection", look)
    with cluster._watched("auto"):
        (thread,) = (each for each in threading.enumerate() if each.name == "watch")
        while thread.is_alive() and looks._value < 10:
            thread.join(0.01)
    thread.join(5)


@pytest.mark.parametrize("address", ["10.0.0.1:6379", "[fd00::1]:6379"])
def test_a_head_is_found_by_either_kind_of_address(address: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    asked = []

    def connect(at: tuple[str, int], timeout: float) -> object:
        asked.append(at)
        if "[" in at[0]:
            raise socket.gaierror("Name or service not known")
        return socket.socket()

    watched(monkeypatch, address, connect)
    assert set(asked) == {(address.rpartition(":")[0].strip("[]"), 6379)} and not caplog.records


def test_a_head_that_is_gone_is_said_once(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """After four looks in a row without an answer; one that answers in between makes it four again."""
    answers = iter([False, False, False, True, *[False] * 20])
    looks = []

    def connect(at: tuple[str, int], timeout: float) -> object:
        looks.append(at)
        if next(answers):
            return socket.socket()
        raise ConnectionRefusedError("nobody")

    with caplog.at_level(logging.ERROR):
        watched(monkeypatch, "10.0.0.1:6379", connect)
    assert len(looks) == 8 and [record.message[:47] for record in caplog.records] == ["the head of the cluster at auto is gone, and Ra"]
