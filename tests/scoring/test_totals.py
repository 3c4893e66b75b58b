"""Totals do not depend on the order blocks come in, nor on where the process was killed."""

import itertools

import numpy as np
import pytest

from wxexp.scoring import totals
from wxexp.scoring.totals import Totals

SUMS = [{"maps/0": np.random.default_rng(block).standard_normal((2, 3)) * 10.0**block} for block in range(4)]
WANT = ((SUMS[0]["maps/0"] + SUMS[1]["maps/0"]) + SUMS[2]["maps/0"]) + SUMS[3]["maps/0"]


def test_any_order_gives_the_bits_of_time_order(tmp_path):
    assert not np.array_equal(SUMS[3]["maps/0"] + SUMS[2]["maps/0"] + SUMS[1]["maps/0"] + SUMS[0]["maps/0"], WANT)
    for order in itertools.permutations(range(4)):
        found = Totals(tmp_path / str(order), 0)
        for block in order:
            found = Totals(tmp_path / str(order), 0)  # as after a restart
            found.add(block, SUMS[block])
        np.testing.assert_array_equal(found.read("maps/0"), WANT)
        assert [path.name for path in (tmp_path / str(order)).iterdir()] == ["total-0-4.npz"]


def test_only_blocks_that_come_early_wait(tmp_path):
    found, other = Totals(tmp_path, 1), Totals(tmp_path, 11)
    for block in (0, 1, 3):
        found.add(block, SUMS[block])
    other.add(2, SUMS[2])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["total-1-2.npz", "waiting-1-3.npz", "waiting-11-2.npz"]
    assert (found.count, Totals(tmp_path, 1).count, Totals(tmp_path, 11).count) == (2, 2, 0)


@pytest.mark.parametrize("writes", range(6))
def test_a_kill_at_any_write_changes_no_bit(writes, tmp_path, monkeypatch):
    """A block is marked as done after it was added: one that was being added when the process died comes again."""
    write, left = totals._write, [writes]

    def dies(path, arrays):
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        write(path, arrays)

    monkeypatch.setattr(totals, "_write", dies)
    done, order = set(), [1, 0, 3, 2]
    try:
        for block in order:
            Totals(tmp_path, 0).add(block, SUMS[block])
            done.add(block)
    except KeyboardInterrupt:
        left[0] = 99
    again = sorted(done)[-1:] + [block for block in order if block not in done]  # and one whose mark was lost
    for block in again:
        Totals(tmp_path, 0).add(block, SUMS[block])
    np.testing.assert_array_equal(Totals(tmp_path, 0).read("maps/0"), WANT)
