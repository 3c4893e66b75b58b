import tracemalloc

import numpy as np
import pytest
from scipy.optimize import brentq

from wxexp.statistics.bootstrap import block_length, clusters, counts, interval, moving_counts, runs


def test_runs_break_where_times_do_not_rise_by_their_usual_step():
    np.testing.assert_array_equal(runs([24, 25, 26, 52, 53, 54, 80, 82]), [0, 0, 0, 1, 1, 1, 2, 3])
    np.testing.assert_array_equal(runs([7]), [0])
    np.testing.assert_array_equal(runs([0, 6, 12, 24, 30, 36]), [0, 0, 0, 1, 1, 1])


def test_blocks_stay_together_and_as_many_are_drawn_as_there_are():
    blocks = np.array([0, 0, 0, 1, 1, 2])
    c = counts(blocks, draws=500, seed=0)
    assert c.shape == (500, 6) and c.dtype == np.float64
    np.testing.assert_array_equal(c[:, [0, 0, 3]], c[:, [1, 2, 4]])
    np.testing.assert_array_equal(c[:, [0, 3, 5]].sum(axis=1), 3)
    np.testing.assert_allclose(c.mean(axis=0), 1.0, atol=0.15)


def test_a_seed_is_its_draws():
    blocks = np.arange(9)
    np.testing.assert_array_equal(counts(blocks, draws=20, seed=5), counts(blocks, draws=20, seed=5))
    assert (counts(blocks, draws=20, seed=5) != counts(blocks, draws=20, seed=6)).any()


def test_interval_of_a_mean_is_that_of_theory():
    """Independent cases: ± 1.96 s / sqrt(n)."""
    x = np.random.default_rng(0).standard_normal(400)
    low, high = interval(counts(np.arange(400), draws=4000, seed=1) @ x / 400)
    assert (high - low) / 2 == pytest.approx(1.96 * x.std() / 20, rel=0.05)


def test_correlated_cases_need_blocks():
    """Runs of ten equal values carry the information of one: the interval is sqrt(10) wider than if cases were taken as independent."""
    x = np.repeat(np.random.default_rng(2).standard_normal(60), 10)
    blocked, single = (np.ptp(interval(counts(b, draws=4000, seed=3) @ x / 600)) for b in (np.repeat(np.arange(60), 10), np.arange(600)))
    assert blocked / single == pytest.approx(np.sqrt(10), rel=0.08)


def test_moving_blocks_stay_within_runs_and_have_as_many_cases_as_there_are():
    """Runs of 5, 1 and 3 cases, blocks of 3: starts 0, 1, 2, the whole of the second, the whole of the third."""
    index = [0, 1, 2, 3, 4, 9, 20, 21, 22]
    c = moving_counts(index, length=3, draws=2000, seed=0)
    assert c.shape == (2000, 9) and (c.sum(axis=1) == 9).all() and c.min() >= 0
    whole = moving_counts(index, length=1, draws=4000, seed=0)
    np.testing.assert_allclose(whole.mean(axis=0), 1.0, atol=0.1)
    np.testing.assert_array_equal(c, moving_counts(index, length=3, draws=2000, seed=0))
    with pytest.raises(ValueError, match="length must be at least 1, got 0"):
        moving_counts(index, length=0, draws=2, seed=0)


@pytest.mark.parametrize("step", [2, 0.25])
def test_strided_times_have_the_blocks_of_their_numbers(step):
    number = np.array([0, 1, 2, 3, 4, 5, 6, 20, 21, 22, 23, 24])
    every, strided = (moving_counts(x, length=4, draws=50, seed=0) for x in (number, step * number))
    np.testing.assert_array_equal(every, strided)


def test_a_block_spans_time():
    """Steps of 1 and 2 in turn in one run, 1.5 on average: blocks of 4 cases are those within 5.25 of their first."""
    times = np.cumsum([0, *[1, 2] * 20])
    c = moving_counts(times, length=4, draws=4000, seed=0, run=np.zeros(41, dtype=int))
    assert (c.sum(axis=1) == 41).all()
    edges = (np.diff(c, axis=1) > 0).sum()  # blocks that begin
    assert c[:, 10:30].mean() == pytest.approx(1.0, abs=0.12) and edges > 4000 * 5
    assert all((times[i : i + 4] - times[i] < 5.25).all() for i in range(30))


def test_clusters_are_runs_or_parts_of_long_ones():
    assert clusters([24, 25, 26, 52, 53, 54, 80]).tolist() == [0, 0, 0, 1, 1, 1, 2]
    assert clusters(np.arange(0, 54, 2)).tolist() == np.repeat(np.arange(9), 3).tolist()  # 27^(1/3) = 3
    assert np.bincount(clusters([*range(100), *range(500, 600)])).tolist() == [6] * 16 + [4] + [6] * 16 + [4]
    assert clusters(range(5)).tolist() == [0] * 5


def test_moving_blocks_are_as_wide_as_correlated_cases_need():
    """An autoregressive series of 0.6: the mean has the variance (1 + 0.6) / (1 − 0.6) = 4 times that of independent cases."""
    z = np.random.default_rng(4).standard_normal(3000)
    for i in range(1, 3000):
        z[i] += 0.6 * z[i - 1]
    low, high = interval(moving_counts(np.arange(3000), length=30, draws=2000, seed=1) @ z / 3000)
    assert (high - low) / (2 * 1.96 * z.std() / np.sqrt(3000)) == pytest.approx(2.0, rel=0.12)


def test_draws_need_little_more_memory_than_what_they_give():
    """The blocks that are drawn, and how often each case is in them, 8 bytes each; the rest is by and by."""
    moving_counts(np.arange(50), length=2, draws=2, seed=0)
    tracemalloc.start()
    c = moving_counts(np.arange(2000), length=2, draws=500, seed=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert c.sum() == 500 * 2000 and peak < 3 * c.nbytes


@pytest.mark.parametrize(("size", "effective"), [(100, 100.0), (100, 25.0), (365, 40.0), (30, 1e-9)])
def test_length_of_blocks_solves_the_equation_of_wilks(size, effective):
    """L = (n − L + 1)^(2/3 (1 − n'/n)), by a root finder."""
    root = brentq(lambda x: x - (size - x + 1) ** (2 / 3 * (1 - effective / size)), 1e-9, size)
    assert block_length(size, effective) == np.ceil(root - 1e-9)


def test_length_of_blocks_of_a_series_that_says_nothing():
    assert [block_length(size, np.nan) for size in (8, 27, 28, 1000)] == [2, 3, 4, 10]
