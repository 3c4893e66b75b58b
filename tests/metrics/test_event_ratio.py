import numpy as np
import pytest

from wxexp.metrics import EventRatio


def test_by_hand(sums_of):
    """Truth 2 of 8 in (1, 10], one above; members 3 of 16 and 4 of 16; a case without events adds to both."""
    truth = np.array([[5.0, 10.0, 20.0, 0.0], [0.0, 0.0, 1.0, 0.0]])
    members = np.array([[[5.0, 5.0, 20.0, 0.0], [11.0, 11.0, 0.0, 0.0]], [[0.0, 0, 0, 0], [10.0, 99.0, 0.0, 0.0]]])
    metric = EventRatio(edges=(1.0, 10.0))
    rows = {row.metric: (row.value, row.units) for row in metric.rows(sums_of(metric, truth, members))}
    assert rows == {
        "event_ratio_1_10": (pytest.approx((3 / 16) / (2 / 8)), "1"),
        "event_frequency_1_10": (pytest.approx(2 / 8), "1"),
        "event_ratio_10": (pytest.approx((4 / 16) / (1 / 8)), "1"),
        "event_frequency_10": (pytest.approx(1 / 8), "1"),
    }


def test_nothing_observed_is_nan_and_says_so(sums_of):
    metric = EventRatio(edges=(1.0,))
    rows = {row.metric: row.value for row in metric.rows(sums_of(metric, np.zeros((2, 3)), np.ones((2, 2, 3)) * 5))}
    assert np.isnan(rows["event_ratio_1"]) and rows["event_frequency_1"] == 0


def test_an_empty_class_is_empty_under_any_weights(sums_of):
    """The same truth exceeds both edges, with other numbers of members, so in other orders of summation."""
    rng = np.random.default_rng(0)
    truth, members = np.where(rng.random((5, 300)) < 0.3, 20.0, 0.0), 30 * rng.random((5, 7, 300))
    metric = EventRatio(edges=(1.0, 10.0))
    rows = {row.metric: row.value for row in metric.rows(sums_of(metric, truth, members, weights=rng.random((1, 300))))}
    assert np.isnan(rows["event_ratio_1_10"]) and rows["event_frequency_1_10"] == 0 and np.isfinite(rows["event_ratio_10"])


def test_bad_edges():
    with pytest.raises(ValueError, match=r"EventRatio.edges must increase, got \(10.0, 1.0\)"):
        EventRatio(edges=(10.0, 1.0))
