import numpy as np
import pytest

from wxexp.metrics import RankHistogram


def test_digits(sums_of):
    """Counts [167, 158, 169, 170, 165, 171] of 1000 (xskillscore), each against 1000 / 6."""
    rs = np.random.RandomState(11)
    y, x = rs.standard_normal(1000), rs.standard_normal((1000, 5))
    (row,) = RankHistogram().rows(sums_of(RankHistogram(), y.reshape(5, 200), x.reshape(5, 200, 5).swapaxes(1, 2)))
    counts = np.array([167, 158, 169, 170, 165, 171])
    assert (row.metric, row.units) == ("rank_histogram", "1")
    assert row.value == pytest.approx(np.abs(counts / 1000 - 1 / 6).sum(), abs=1e-12)


@pytest.mark.parametrize("index, expected", [("chi2", 0.68), ("delta", 0.136)])
def test_digits_of_the_other_indices(index, expected, sums_of):
    rs = np.random.RandomState(11)
    y, x = rs.standard_normal(1000), rs.standard_normal((1000, 5))
    metric = RankHistogram(index=index)
    (row,) = metric.rows(sums_of(metric, y.reshape(5, 200), x.reshape(5, 200, 5).swapaxes(1, 2), index=range(5)))
    assert row.metric == f"rank_histogram_{index}" and row.value == pytest.approx(expected, abs=1e-9)


def test_truth_above_all_members_is_the_largest_value(sums_of):
    (row,) = RankHistogram().rows(sums_of(RankHistogram(), np.ones((2, 3)), np.zeros((2, 4, 3))))
    assert row.value == pytest.approx(2 * 4 / 5)


def test_ties_with_all_members_are_flat(sums_of):
    """Dry days: truth and all members are zero."""
    (row,) = RankHistogram().rows(sums_of(RankHistogram(), np.zeros((2, 3)), np.zeros((2, 4, 3))))
    assert row.value == pytest.approx(0.0, abs=1e-12)


def test_a_deterministic_source_has_none(sums_of):
    assert RankHistogram().rows(sums_of(RankHistogram(), np.zeros((2, 3)), np.ones((2, 1, 3)))) == []
