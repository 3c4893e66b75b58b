"""Sharing Aim's files with other processes."""

import time

import pytest
from aimrocks.errors import RocksIOError

from wxexp.tracking import aim as view

LOCKED = RocksIOError(b"IO error: While lock file: /x/.aim/meta/index/LOCK: Resource temporarily unavailable")
FULL = RocksIOError(b"IO error: No space left on device: While appending to file: /x/.aim/meta/index/000004.log: No space left on device")


def test_what_another_process_writes_is_waited_for() -> None:
    errors = [LOCKED, LOCKED]

    def use() -> str:
        if errors:
            raise errors.pop()
        return "used"

    assert view._patiently(use) == "used" and errors == []


@pytest.mark.parametrize(("error", "seconds"), [(LOCKED, 0.3), (FULL, 0.0)])
def test_not_for_ever_and_nothing_else(error: Exception, seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    def use() -> None:
        raise error

    monkeypatch.setattr(view, "PATIENCE", 0.3)
    before = time.monotonic()
    with pytest.raises(OSError, match="^IO error: .*(unavailable|on device)$"):
        view._patiently(use)
    assert seconds <= time.monotonic() - before < seconds + 0.25
