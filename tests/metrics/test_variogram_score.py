"""Digits from scoringrules, over all ordered pairs of five variables: those at lags 1 to 4, twice."""

import numpy as np
import pytest

from wxexp.metrics import VariogramScore
from wxexp.statistics import Variogram

LAGS = (1, 2, 3, 4)


@pytest.fixture
def data():
    rs = np.random.RandomState(7)
    return rs.standard_normal((4, 5)), 0.1 + 1.2 * rs.standard_normal((4, 6, 5))


@pytest.mark.parametrize("order, biased", [(0.5, 4.952623657071), (1.0, 18.795927434510)])
def test_digits(order, biased, data):
    statistic = Variogram(lags=LAGS, order=order)
    sums = [statistic.reduce(y, x, np.ones((1, 5))) for y, x in zip(*data, strict=True)]
    assert 2 * sum(s["square"].sum() for s in sums) / 4 == pytest.approx(biased, abs=1e-11)
    assert sums[0]["weight"].tolist() == [[4, 3, 2, 1]]


@pytest.mark.parametrize("estimator, value", [("fair", 4.254924171937), ("biased", 4.952623657071)])
def test_digits_of_the_rows(estimator, value, sums_of, data):
    metric = VariogramScore(lags=LAGS, estimator=estimator)
    rows = metric.rows(sums_of(metric, *data))
    assert 2 * sum(row.value * pairs for row, pairs in zip(rows, (4, 3, 2, 1), strict=True)) == pytest.approx(value, abs=1e-11)
    assert rows[0].metric == ("variogram_score_1" if estimator == "fair" else "variogram_score_biased_1") and rows[0].units == "K"


def test_pairs_of_a_field_by_hand(sums_of):
    """Squares of one member against a truth of zero, |d|: columns 1, 3 and 5 apart in rows, 4, 6, 8 between them; then with a hole."""
    members = np.array([[[[0.0, 1.0, 4.0], [4.0, 7.0, 12.0]]]])
    metric = VariogramScore(lags=(1, 2, 5))
    values = [row.value for row in metric.rows(sums_of(metric, np.zeros((1, 2, 3)), members))]
    assert values[:2] == pytest.approx([(1 + 3 + 3 + 5 + 4 + 6 + 8) / 7, (4 + 8) / 2]) and np.isnan(values[2])
    truth = np.zeros((1, 2, 3))
    truth[0, 0, 0] = np.nan
    assert metric.rows(sums_of(metric, truth, members))[0].value == pytest.approx((3 + 3 + 5 + 6 + 8) / 5)
    weights = np.array([[[2.0, 1.0, 0.0], [0.0, 3.0, 0.0]]])
    assert metric.rows(sums_of(metric, np.zeros((1, 2, 3)), members, weights=weights))[0].value == pytest.approx((1.5 * 1 + 2 * 6) / 3.5)


def test_a_missing_member(sums_of, data):
    truth, members = data
    members[1, 2, 3] = np.nan
    metric = VariogramScore(lags=(2, 4))
    values = [row.value for row in metric.rows(sums_of(metric, truth, members))]
    assert np.isnan(values[0]) and np.isfinite(values[1])  # of the pair (0, 4) it is no part


def test_bad_fields():
    for lags in ((), (0,), (1, 1)):
        with pytest.raises(ValueError, match="VariogramScore.lags must be one or more different numbers of cells, at least 1"):
            VariogramScore(lags=lags)
    with pytest.raises(ValueError, match="Variogram.order must be positive, got 0"):
        Variogram(lags=(1,), order=0.0)
