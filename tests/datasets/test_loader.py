import threading
import time

import numpy as np
import pytest
import torch

import wxexp as wx
from wxexp.datasets.loader import Stream, prefetch


@pytest.fixture(scope="module")
def opened():
    source = wx.datasets.SyntheticFields(cells=(16, 20), times=40, factor=4)
    partition = wx.datasets.Cyclic(period=10, train=(0, 7), valid=(7, 8), test=(8, 10))
    return wx.datasets.Downscaling(source=source, targets=("tas", "pr"), factor=4, patch=(8, 8), partition=partition).open()


def same(a, b):
    pairs = ((a.target, b.target), (a.condition, b.condition), (a.static, b.static), (a.origin, b.origin), (a.key, b.key))
    return all(torch.equal(x, y) for x, y in pairs) and (a.time == b.time).all()


def test_every_epoch_has_every_item_once_in_another_order(opened):
    stream = Stream(opened, seed=1, batch_size=4)
    times = np.concatenate([stream.batch(step, range(4)).time for step in range(14)])  # 56 places: two epochs of 28
    known = [item.time for item in opened.items("train")]
    assert sorted(times[:28]) == sorted(times[28:]) == sorted(known)
    assert list(times[:28]) != list(times[28:]) and list(times[:28]) != known


def test_a_sample_does_not_depend_on_who_reads_it(opened):
    whole = Stream(opened, seed=1, batch_size=6).batch(5, range(6))
    fresh = Stream(opened, seed=1, batch_size=6)
    assert whole.key.tolist() == [30, 31, 32, 33, 34, 35]
    for places in ([1, 3, 5], [4]):
        assert same(fresh.batch(5, places), whole.rows(torch.tensor(places)))


def test_seeds_differ(opened):
    a, b = (Stream(opened, seed=seed, batch_size=8).batch(0, range(8)) for seed in (1, 2))
    assert list(a.time) != list(b.time) and not torch.equal(a.origin, b.origin)


def test_prefetch_keeps_the_order_and_works_ahead():
    made = []
    results = prefetch(lambda step: made.append(step) or step * step, range(20), depth=3)
    assert next(results) == 0
    until = time.monotonic() + 5
    while len(made) < 4 and time.monotonic() < until:
        time.sleep(0.01)
    assert 4 <= len(made) <= 5  # three wait, one may be in the maker's hand
    assert [0, *results] == [step * step for step in range(20)]


def test_prefetch_raises_where_the_result_would_have_been():
    def make(step):
        if step == 3:
            raise ValueError("step 3 is bad")
        return step

    seen = []
    with pytest.raises(ValueError, match="step 3 is bad"):
        for value in prefetch(make, range(10)):
            seen.append(value)
    assert seen == [0, 1, 2]


def test_leaving_the_loop_ends_the_thread():
    for value in prefetch(lambda step: step, iter(range(10**9)), depth=2):
        if value == 5:
            break
    results = prefetch(lambda step: step, range(10**9), depth=2)
    next(results)
    results.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "prefetch"]
