import numpy as np
import pytest

from wxexp.metrics import CRPS, CRPSDecomposition


def values(sums_of, truth, members, **options):
    return [row.value for row in CRPSDecomposition().rows(sums_of(CRPSDecomposition(), truth, members, **options))]


def test_digits(sums_of):
    """Hersbach's decomposition of 1000 cases of 5 members; their sum is the biased CRPS of scoringrules."""
    rs = np.random.RandomState(11)
    y, x = rs.standard_normal(1000), rs.standard_normal((1000, 5))
    rows = CRPSDecomposition().rows(sums_of(CRPSDecomposition(), y.reshape(5, 200), x.reshape(5, 200, 5).swapaxes(1, 2)))
    assert [(row.metric, row.units) for row in rows] == [("crps_reliability", "K"), ("crps_potential", "K")]
    assert [row.value for row in rows] == pytest.approx([0.037827464074, 0.653089833688], abs=1e-10)
    assert sum(row.value for row in rows) == pytest.approx(0.690917297762, abs=1e-10)


@pytest.mark.parametrize("members", [2, 3, 20])
def test_adds_up_with_ties_and_weights_to_the_biased_crps(members, sums_of):
    rng = np.random.default_rng(members)
    y, x, w = rng.integers(0, 5, (3, 40)) / 2.0, rng.integers(0, 5, (3, members, 40)) / 2.0, rng.random((1, 40))
    metric = CRPS(estimator="biased")
    (row,) = metric.rows(sums_of(metric, y, x, weights=w))
    assert sum(values(sums_of, y, x, weights=w)) == pytest.approx(row.value, abs=1e-6)


def test_by_hand(sums_of):
    """Members 0 and 10, truth 0 (pysteps gives 0): the gap of 10 is above the truth, o = 1 against ½; members 1 and 2 below truth 5."""
    assert values(sums_of, np.zeros((1, 1)), np.array([[[0.0], [10.0]]])) == pytest.approx([2.5, 0])
    assert values(sums_of, np.full((1, 1), 5.0), np.array([[[1.0], [2.0]]])) == pytest.approx([3 * 1 + 1 * 0.25, 0])


def test_potential_is_what_a_bias_leaves(sums_of):
    """Of truth and members with a common shift of the members, reliability pays for the shift."""
    rng = np.random.default_rng(0)
    centre = rng.standard_normal((20, 1, 500))
    y, x = centre[:, 0] + rng.standard_normal((20, 500)), centre + rng.standard_normal((20, 20, 500))
    right, shifted = values(sums_of, y, x), values(sums_of, y, x + 2)
    assert right[0] < 0.01 < 0.5 < shifted[0] and shifted[1] < 1.35 * right[1]


def test_missing_members_and_one_member(sums_of):
    x = np.ones((1, 2, 3))
    x[0, 1, 1] = np.nan
    assert np.isnan(values(sums_of, np.zeros((1, 3)), x)).all()
    assert values(sums_of, np.zeros((1, 3)), x[:, :1]) == []
