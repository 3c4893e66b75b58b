"""Digits from scoringrules (5 points, 8 members, above -0.5)."""

import numpy as np
import pytest
import scoringrules

from wxexp.metrics import CRPS, OutcomeCRPS


@pytest.fixture
def data():
    rs = np.random.RandomState(20240501)
    y, x = rs.standard_normal(5), 0.2 + 1.3 * rs.standard_normal((5, 8))
    return y[None], x.T[None]


def values(metric, sums):
    return {row.metric: row.value for row in metric.rows(sums)}


def test_digits(sums_of, data):
    metric = OutcomeCRPS(thresholds=(-0.5,))
    found = values(metric, sums_of(metric, *data))
    assert found == {"owcrps_-0.5": pytest.approx(0.289107359379, abs=1e-11), "owcrps_missed_-0.5": 0.0}


@pytest.mark.parametrize("tail, bound", [("upper", "a"), ("lower", "b")])
def test_both_tails_equal_scoringrules_over_the_cells_where_it_is_defined(tail, bound, sums_of, calibrated):
    truth, members = calibrated[0][:4], calibrated[1][:4]
    weights = np.random.RandomState(0).random_sample((1, 200))
    metric = OutcomeCRPS(thresholds=(0.7, -0.2), tail=tail)
    found = list(values(metric, sums_of(metric, truth, members, weights=weights)).values())
    for k, threshold in enumerate((0.7, -0.2)):
        with np.errstate(divide="ignore", invalid="ignore"):
            expected = scoringrules.owcrps_ensemble(truth, members, **{bound: threshold}, m_axis=1, backend="numpy")
        sign = 1 if tail == "upper" else -1
        inside = sign * truth >= sign * threshold
        known = ~np.isnan(np.where(inside, expected, 0.0))
        w = np.broadcast_to(weights, truth.shape)
        assert 0 < (~known).sum() < 100
        assert found[2 * k] == pytest.approx(np.average(np.where(inside, expected, 0.0)[known], weights=w[known]), rel=1e-12)
        assert found[2 * k + 1] == pytest.approx(w[~known].sum() / w[inside].sum(), rel=1e-12)


def test_of_a_tail_that_holds_everything_it_is_the_biased_crps(sums_of, data):
    metric, all_ = OutcomeCRPS(thresholds=(-100.0,)), CRPS(estimator="biased")
    assert values(metric, sums_of(metric, *data))["owcrps_-100"] == pytest.approx(0.728806225853, abs=1e-11)
    assert values(all_, sums_of(all_, *data))["crps_biased"] == pytest.approx(0.728806225853, abs=1e-6)


def test_by_hand(sums_of):
    """Truth 5, 7, 1 and none; above 5 are (6, 9) -> |1|, |4| less half of 3/2; nothing; the third does not matter."""
    truth = np.array([[5.0, 7.0, 1.0, np.nan]])
    members = np.array([[[6.0, 0.0, 50.0, 1.0], [9.0, 4.9, 50.0, 1.0], [2.0, 1.0, 50.0, 1.0]]])
    metric = OutcomeCRPS(thresholds=(5.0,))
    found = values(metric, sums_of(metric, truth, members))
    assert found == {"owcrps_5": pytest.approx((2.5 - 0.75) / 2), "owcrps_missed_5": 0.5}
    assert np.isnan(list(values(metric, sums_of(metric, np.full((1, 4), np.nan), members)).values())).all()


def test_who_never_forecasts_the_tail_is_not_perfect(sums_of):
    """Truth 9 in one of two cells, no member above 5: nothing is known of the tail. Where the truth has none either, nothing is wrong."""
    truth, members, metric = np.array([[9.0, 1.0]]), np.array([[[4.0, 1.0], [2.0, 0.0]]]), OutcomeCRPS(thresholds=(5.0, 10.0))
    found = values(metric, sums_of(metric, truth, members))
    assert np.isnan(found["owcrps_5"]) and found["owcrps_missed_5"] == 1
    assert found["owcrps_10"] == found["owcrps_missed_10"] == 0


def test_a_missing_member_outside_the_tail_is_seen_too(sums_of, data):
    data[1][0, 3, 1] = np.nan
    assert data[0][0, 1] < -0.5
    metric = OutcomeCRPS(thresholds=(-0.5,))
    assert np.isnan(list(values(metric, sums_of(metric, *data)).values())).all()


def test_bad_thresholds():
    with pytest.raises(ValueError, match="OutcomeCRPS.thresholds must be one or more different numbers, finite"):
        OutcomeCRPS(thresholds=())
