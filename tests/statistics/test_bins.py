import numpy as np
import pytest

from wxexp.statistics import Bins


def test_counts_equal_numpy_and_what_is_outside_is_kept():
    rng = np.random.default_rng(0)
    truth, members, w = (
        rng.standard_normal(300).astype(np.float32),
        rng.standard_normal((4, 300)).astype(np.float32),
        rng.random(300),
    )
    found = Bins(low=-1.0, high=2.0, count=12).reduce(truth, members, w[None])
    inside = np.histogram(truth, np.linspace(-1, 2, 13), weights=w)[0]
    np.testing.assert_allclose(found["truth"][0, 1:-1], inside, atol=1e-12)
    assert found["truth"][0, 0] == pytest.approx(w[truth < -1].sum()) and found["truth"][0, -1] == pytest.approx(w[truth >= 2].sum())
    np.testing.assert_allclose(
        found["members"][0, 1:-1], np.histogram(members, np.linspace(-1, 2, 13), weights=np.tile(w, (4, 1)))[0] / 4, atol=1e-12
    )
    assert found["members"].sum() == pytest.approx(w.sum())


def test_parts_add_up_exactly():
    """Weights that are whole numbers: any cut of cases and cells gives the same bits."""
    rng = np.random.default_rng(1)
    truth, members, w = rng.standard_normal(64), rng.standard_normal((4, 64)), rng.integers(1, 5, (1, 64)).astype(float)
    bins = Bins(low=-2.0, high=2.0, count=8)
    whole = bins.reduce(truth, members, w)
    parts = [bins.reduce(truth[s], members[:, s], w[:, s]) for s in (slice(0, 10), slice(10, 33), slice(33, 64))]
    for name in whole:
        np.testing.assert_array_equal(whole[name], sum(part[name] for part in reversed(parts)))


def test_a_value_on_an_edge_is_above_it_and_log_edges_are_powers():
    bins = Bins(low=0.1, high=100.0, count=3, spacing="log")
    np.testing.assert_allclose(bins.edges(), [0.1, 1, 10, 100], rtol=1e-12)
    found = bins.reduce(np.float32([0.0, 0.1, 1.0, 9.99, 10.0, 100.0]), np.zeros((2, 6), np.float32), np.ones((1, 6)))
    assert found["truth"].tolist() == [[1, 1, 2, 1, 1]] and found["members"].tolist() == [[6, 0, 0, 0, 0]]


def test_groups_missing_truth_and_missing_members():
    truth, members = np.array([0.5, np.nan, 0.5]), np.array([[0.5, np.nan, 0.5], [0.5, 0.5, np.nan]])
    found = Bins(low=0.0, high=1.0, count=1).reduce(truth, members, np.array([[2.0, 1.0, 0.0], [1.0, 1.0, 1.0]]))
    assert found["members"][0].tolist() == found["truth"][0].tolist() == [0, 2, 0] and np.isnan(found["members"][1]).all()


@pytest.mark.parametrize(
    "fields, message",
    [
        ({"low": 1.0, "high": 1.0}, "Bins.low must be below Bins.high, both finite, got 1.0 and 1.0"),
        ({"low": 0.0, "high": 1.0, "spacing": "log"}, "Bins.low must be positive for bins of log spacing, got 0.0"),
        ({"low": 0.0, "high": 1.0, "count": 0}, "Bins.count must be at least 1, got 0"),
    ],
)
def test_bad_fields(fields, message):
    with pytest.raises(ValueError, match=message):
        Bins(**fields)
