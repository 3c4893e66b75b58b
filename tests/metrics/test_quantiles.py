"""Quantile score, interval score and coverage; digits from scoringrules on numpy's linear quantiles (5 points, 8 members)."""

import numpy as np
import pytest

from wxexp.metrics import Coverage, IntervalScore, QuantileScore


@pytest.fixture
def data():
    rs = np.random.RandomState(20240501)
    y, x = rs.standard_normal(5), 0.2 + 1.3 * rs.standard_normal((5, 8))
    return y[None], x.T[None]


def table(metric, sums):
    return {row.metric: row.value for row in metric.rows(sums)}


def test_digits(sums_of, data):
    quantiles, interval = QuantileScore(levels=(0.1, 0.9)), IntervalScore()
    assert table(quantiles, sums_of(quantiles, *data)) == {
        "quantile_score_0.1": pytest.approx(0.227786998696, abs=1e-11),
        "quantile_score_0.9": pytest.approx(0.173138741563, abs=1e-11),
    }
    assert table(interval, sums_of(interval, *data))["interval_score_0.8"] == pytest.approx(4.009257402596, abs=1e-11)


def test_by_hand(sums_of):
    """Members 0, 1, ..., 10: the interval of 0.8 is [1, 9], closed. Truths 1, 9, 9.5, -3; weights 1, 1, 2, 0 and 1, 1, 1, 1."""
    truth, members = np.array([[1.0, 9.0, 9.5, -3.0]]), np.repeat(np.arange(11.0)[None, :, None], 4, axis=2)
    weights = np.array([[1.0, 1.0, 2.0, 0.0], [1.0, 1.0, 1.0, 1.0]])
    coverage, interval = Coverage(), IntervalScore()
    assert [row.value for row in coverage.rows(sums_of(coverage, truth, members, weights=weights))] == [0.5, 0.5]
    scores = [row.value for row in interval.rows(sums_of(interval, truth, members, weights=weights))]
    assert scores == pytest.approx([8 + 10 * 0.5 * 2 / 4, 8 + 10 * (0.5 + 4) / 4, 8, 8])


def test_a_perfect_ensemble_covers_less_than_the_level(sums_of):
    """Uniform truth and 9 uniform members: exactly 0.8 * 8 / 10."""
    rs = np.random.RandomState(3)
    metric = Coverage()
    (row,) = metric.rows(sums_of(metric, rs.random_sample((10, 4000)), rs.random_sample((10, 9, 4000))))
    assert (row.metric, row.units) == ("coverage_0.8", "1") and row.value == pytest.approx(0.64, abs=0.01)


def test_missing_truth_is_left_out_and_a_missing_member_is_not(sums_of):
    truth, members = np.array([[np.nan, 2.0]]), np.array([[[1.0, 1.0], [5.0, 3.0]]])
    for metric, first in [(QuantileScore(levels=(0.5,)), 0.0), (Coverage(levels=(0.5,)), 1.0)]:
        (row,) = metric.rows(sums_of(metric, truth, members))
        assert row.value == first
        lost = members.copy()
        lost[0, 1, 1] = np.nan
        (row,) = metric.rows(sums_of(metric, truth, lost))
        assert np.isnan(row.value)


def test_a_deterministic_source_has_quantile_scores_only(sums_of):
    truth, members = np.zeros((1, 2)), np.array([[[3.0, -1.0]]])
    metric = QuantileScore()
    assert table(metric, sums_of(metric, truth, members)) == pytest.approx(
        {"quantile_score_0.1": (2.7 + 0.1) / 2, "quantile_score_0.5": 1.0, "quantile_score_0.9": (0.3 + 0.9) / 2}
    )
    for none in (IntervalScore(), Coverage()):
        assert none.rows(sums_of(none, truth, members)) == []


@pytest.mark.parametrize("cls", [QuantileScore, IntervalScore, Coverage])
def test_bad_levels(cls):
    with pytest.raises(ValueError, match=rf"{cls.__name__}.levels must be one or more different numbers, in \(0, 1\), got \(1.0,\)"):
        cls(levels=(1.0,))
