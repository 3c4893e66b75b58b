import numpy as np
import pytest

from wxexp.statistics import Exceedances
from wxexp.statistics.exceedances import exceedance_table


def test_the_table_of_500_binomial_draws():
    rs = np.random.RandomState(31)
    p = rs.beta(0.5, 0.5, 500)
    truth, members = rs.random_sample(500) < p, rs.random_sample((500, 10)) < p[:, None]
    table = Exceedances(thresholds=(0.5,)).reduce(truth.astype(np.float32), members.T.astype(np.float32), np.ones((1, 500)))["table"]
    assert table.shape == (1, 1, 11, 2)
    assert table[0, 0].sum(axis=1).tolist() == [75, 56, 35, 31, 43, 24, 23, 31, 35, 54, 93]
    assert table[0, 0, :, 1].tolist() == [3, 10, 6, 8, 22, 10, 14, 25, 26, 49, 89]


def test_equal_does_not_exceed_missing_truth_is_not_counted_and_groups_have_their_weights():
    truth = np.array([[0.1, 2.0], [np.nan, 0.0]], np.float32)
    members = np.stack([truth, np.full((2, 2), 0.1, np.float32)])
    members[:, 1, 0] = np.nan  # without truth it does not matter
    weights = np.array([[[1.0, 2.0], [4.0, 8.0]], [[0.0, 3.0], [1.0, 0.0]]])
    table = Exceedances(thresholds=(0.1, -1.0)).reduce(truth, members, weights)["table"]
    np.testing.assert_array_equal(table[:, 0], [[[9, 0], [0, 2], [0, 0]], [[0, 0], [0, 3], [0, 0]]])
    np.testing.assert_array_equal(table[:, 1], [[[0, 0], [0, 0], [0, 11]], [[0, 0], [0, 0], [0, 3]]])


def test_a_missing_member_makes_its_groups_missing_only():
    members = np.zeros((3, 4))
    members[1, 2] = np.nan
    table = Exceedances(thresholds=(0.0,)).reduce(np.ones(4), members, np.array([[1.0, 1, 1, 1], [1, 1, 0, 1]]))["table"]
    assert np.isnan(table[0]).all() and table[1, 0, 0, 1] == 3


def test_shapes_that_do_not_match():
    with pytest.raises(ValueError, match=r"for truth of shape \(4,\), got \(2, 3\), \(1, 4\)"):
        Exceedances(thresholds=(0.0,)).reduce(np.ones(4), np.ones((2, 3)), np.ones((1, 4)))


def test_thresholds_of_each_cell():
    """The quantile of each cell is as common everywhere, whatever its climate: the table of the anomalies at one threshold."""
    rng = np.random.default_rng(0)
    climate = np.array([-40.0, 0.0, 300.0, 7.0], np.float32)
    y, x = rng.integers(-4, 4, 4).astype(np.float32), rng.integers(-4, 4, (5, 4)).astype(np.float32)
    weights = rng.random((2, 4))
    own = exceedance_table(y + climate, x + climate, weights, np.stack([climate, climate + 2]))
    np.testing.assert_array_equal(own, Exceedances(thresholds=(0.0, 2.0)).reduce(y, x, weights)["table"])
    unknown = np.where([True, False, True, True], climate, np.nan)[None]
    np.testing.assert_allclose(exceedance_table(y + climate, x + climate, weights, unknown).sum((1, 2, 3)), weights[:, [0, 2, 3]].sum(1))
    with pytest.raises(ValueError, match=r"thresholds must be \[T\] or \[T, \*S\] for truth of shape \(4,\), got \(1, 3\)"):
        exceedance_table(y, x, weights, np.zeros((1, 3)))
