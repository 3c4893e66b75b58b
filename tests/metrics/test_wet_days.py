import numpy as np
import pytest

from wxexp.metrics import WetDays


def values(sums_of, metric, *data, **options):
    return {row.metric: row.value for row in metric.rows(sums_of(metric, *data, **options))}


def test_drizzle_by_hand(sums_of):
    """Truth: 2 of 4 cells wet with 6 mm on average; members 5 of 8 with 14 / 5 mm; 0.9 mm is dry and 1 mm is not."""
    truth, members = np.array([[0.0, 10.0, 2.0, 0.9]]), np.array([[[1.0, 2.0, 2.0, 0.9], [0.5, 8.0, 0.0, 1.0]]])
    found = values(sums_of, WetDays(), truth, members)
    assert found == {"wet_ratio_1": pytest.approx((5 / 8) / (2 / 4)), "sdii_ratio_1": pytest.approx((14 / 5) / 6)}


def test_weights_missing_truth_and_missing_members(sums_of):
    truth, members = np.array([[4.0, np.nan, 2.0]]), np.array([[[2.0, 9.0, 0.0], [2.0, np.nan, 4.0]]])
    weights = np.array([[1.0, 5.0, 3.0]])
    metric = WetDays(threshold=0.5)
    assert values(sums_of, metric, truth, members, weights=weights) == {
        "wet_ratio_0.5": pytest.approx((1 + 1.5) / 4),
        "sdii_ratio_0.5": pytest.approx((2 + 6) / 2.5 / (10 / 4)),
    }
    members[0, 0, 2] = np.nan
    assert np.isnan(list(values(sums_of, metric, truth, members, weights=weights).values())).all()


def test_never_wet_is_nan(sums_of):
    assert np.isnan(list(values(sums_of, WetDays(), np.zeros((2, 3)), np.ones((2, 2, 3))).values())).all()


def test_bad_threshold():
    with pytest.raises(ValueError, match="WetAmounts.threshold must be finite, got nan"):
        WetDays(threshold=float("nan"))
