import numpy as np
import pytest

from wxexp.statistics import SpreadBins
from wxexp.statistics.spread_bins import EDGES, merged

SPREAD = [0.4859187778, 0.7371768911, 0.9752797266, 1.2798388489, 2.1442916197]
ERROR = [0.5428649479, 0.7998555248, 1.0252276877, 1.3273555750, 2.0520924066]


@pytest.fixture
def data():
    rs = np.random.RandomState(131)
    s = np.exp(0.5 * rs.standard_normal(5000))
    return s[:, None] * rs.standard_normal((5000, 20)), s * rs.standard_normal(5000)


def test_digits_of_five_bins_of_equal_count(data):
    """Numpy in float64, members drawn with the spread of the truth; the error is that of the mean times sqrt(20 / 21)."""
    x, y = data
    spread = np.sort(x.std(axis=1, ddof=1))
    edges = tuple(0.5 * (spread[i - 1] + spread[i]) for i in (1000, 2000, 3000, 4000))
    found = SpreadBins(edges=edges).reduce(y, x.T, np.ones((1, 5000)))
    assert found["weight"].tolist() == [[1000] * 5]
    np.testing.assert_allclose(np.sqrt(found["variance"][0] / 1000), SPREAD, atol=1e-9)
    np.testing.assert_allclose(np.sqrt(found["square"][0] / 1000 * 20 / 21), ERROR, atol=1e-9)


def test_the_bins_of_all_units_come_near(data):
    x, y = data
    found = SpreadBins().reduce(y, x.T, np.ones((1, 5000)))
    assert found["weight"].shape == (1, len(EDGES) + 1)
    weight, variance, square = merged(*(found[name] for name in ("weight", "variance", "square")), bins=5)
    assert weight.sum() == 5000 and abs(weight - 1000).max() < 450
    np.testing.assert_allclose(np.sqrt(variance / weight)[0], SPREAD, rtol=0.1)
    np.testing.assert_allclose(np.sqrt(square / weight * 20 / 21)[0], ERROR, rtol=0.1)


def test_merging_by_hand():
    weight, other = merged(np.array([1.0, 1, 0, 2, 4, 0]), np.array([5.0, 6, 0, 7, 8, 0]), bins=2)
    assert weight.tolist() == [4, 4] and other.tolist() == [18, 8]
    assert np.isnan(merged(np.zeros(4), bins=2)[0]).all()


def test_groups_missing_truth_and_missing_members():
    truth, members = np.array([0.0, np.nan, 1.0]), np.array([[1.0, 9.0, 1.0], [-1.0, 9.0, np.nan]])
    weights = np.array([[2.0, 1.0, 0.0], [1.0, 1.0, 1.0]])
    found = SpreadBins(edges=(1.0, 2.0)).reduce(truth, members, weights)  # s² = 2 in the first cell
    assert found["variance"][0].tolist() == [0, 4, 0] and found["weight"][0].tolist() == [0, 2, 0]
    assert np.isnan(found["square"][1]).all()
    assert np.isnan(SpreadBins().reduce(truth, members[:1], weights)["weight"]).all()


@pytest.mark.parametrize("edges", [(), (1.0, 1.0), (2.0, 1.0), (float("nan"),)])
def test_bad_edges(edges):
    with pytest.raises(ValueError, match="SpreadBins.edges must be one or more increasing numbers, got"):
        SpreadBins(edges=edges)
