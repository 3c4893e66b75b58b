"""Digits from scoringrules and scores (5 points, 8 members, above 0.5)."""

import numpy as np
import pytest
import scoringrules

from wxexp.metrics import CRPS, ThresholdCRPS

FAIR, BIASED = 0.358047838597, 0.407782913464


@pytest.fixture
def data():
    rs = np.random.RandomState(20240501)
    y, x = rs.standard_normal(5), 0.2 + 1.3 * rs.standard_normal((5, 8))
    return y[None], x.T[None]


@pytest.mark.parametrize(
    "options, name, value",
    [
        ({}, "twcrps_0.5", FAIR),
        ({"estimator": "biased"}, "twcrps_biased_0.5", BIASED),
        ({"estimator": "almost_fair", "alpha": 0.5}, "twcrps_almost_fair_0.5", (FAIR + BIASED) / 2),
    ],
)
def test_digits(options, name, value, sums_of, data):
    metric = ThresholdCRPS(thresholds=(0.5,), **options)
    (row,) = metric.rows(sums_of(metric, *data))
    assert (row.metric, row.units) == (name, "K") and row.value == pytest.approx(value, abs=1e-6)


def test_lower_tail_and_several_thresholds_equal_scoringrules(sums_of, calibrated):
    truth, members = calibrated[0][:3], calibrated[1][:3]
    metric = ThresholdCRPS(thresholds=(1.5, -1.0), tail="lower", estimator="biased")
    for row, threshold in zip(metric.rows(sums_of(metric, truth, members)), (1.5, -1.0), strict=True):
        expected = scoringrules.twcrps_ensemble(truth, members, b=threshold, m_axis=1, estimator="nrg", backend="numpy").mean()
        assert row.value == pytest.approx(expected, abs=1e-6)
    assert row.metric == "twcrps_below_biased_-1"


def test_the_two_tails_add_up_to_the_crps(sums_of, data):
    values = [
        m.rows(sums_of(m, *data))[0].value for m in (ThresholdCRPS(thresholds=(0.1,)), ThresholdCRPS(thresholds=(0.1,), tail="lower"))
    ]
    assert sum(values) == pytest.approx(CRPS().rows(sums_of(CRPS(), *data))[0].value, abs=1e-6)


def test_a_deterministic_source_has_its_error_above_the_threshold(sums_of):
    """|max(x, 5) - max(y, 5)| = 2, 0, 1; no truth in the last cell."""
    metric = ThresholdCRPS(thresholds=(5.0,))
    (row,) = metric.rows(sums_of(metric, np.array([[3.0, 1.0, 6.0, np.nan]]), np.array([[[7.0, 4.0, 0.0, 9.0]]])))
    assert row.value == pytest.approx(1.0) and row.metric == "twcrps_5"


def test_bad_fields():
    with pytest.raises(ValueError, match=r"ThresholdCRPS.alpha must be in \[0, 1\], got -1"):
        ThresholdCRPS(thresholds=(1.0,), alpha=-1.0)
    with pytest.raises(ValueError, match="ThresholdCRPS.thresholds must be one or more different numbers, finite"):
        ThresholdCRPS(thresholds=())
