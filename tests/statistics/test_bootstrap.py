import numpy as np
import pytest

from wxexp.statistics.bootstrap import counts, interval, runs


def test_runs_break_where_the_index_does_not_rise_by_one():
    np.testing.assert_array_equal(runs([24, 25, 26, 52, 53, 54, 80, 82]), [0, 0, 0, 1, 1, 1, 2, 3])
    np.testing.assert_array_equal(runs([7]), [0])


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
