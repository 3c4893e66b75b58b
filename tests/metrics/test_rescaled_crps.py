"""Digits from scoringrules (5 points, 8 members, above -0.5)."""

import numpy as np
import pytest
import scoringrules

from wxexp.metrics import RescaledCRPS, ThresholdCRPS


@pytest.fixture
def data():
    rs = np.random.RandomState(20240501)
    y, x = rs.standard_normal(5), 0.2 + 1.3 * rs.standard_normal((5, 8))
    return y[None], x.T[None]


def test_digits(sums_of, data):
    metric = RescaledCRPS(thresholds=(-0.5,), estimator="biased")
    (row,) = metric.rows(sums_of(metric, *data))
    assert (row.metric, row.units) == ("vrcrps_biased_-0.5", "K") and row.value == pytest.approx(0.549090624405, abs=1e-11)


def test_lower_tail_and_several_thresholds_equal_scoringrules(sums_of, calibrated):
    truth, members = calibrated[0][:3], calibrated[1][:3]
    metric = RescaledCRPS(thresholds=(1.5, -1.0), tail="lower", estimator="biased")
    rows = metric.rows(sums_of(metric, truth, members))
    for row, threshold in zip(rows, (1.5, -1.0), strict=True):
        points = truth.reshape(-1), members.swapaxes(0, 1).reshape(10, -1)
        expected = scoringrules.vrcrps_ensemble(*points, b=threshold, m_axis=0, backend="numpy").mean()
        assert row.value == pytest.approx(expected, abs=1e-12)
    assert rows[1].metric == "vrcrps_below_biased_-1"


@pytest.mark.parametrize("estimator", ["fair", "biased", "almost_fair"])
@pytest.mark.parametrize("tail", ["upper", "lower"])
def test_about_the_threshold_it_is_the_threshold_weighted_score(estimator, tail, sums_of, data):
    """Allen, Ginsbourger and Ziegel 2023; the digits for the upper tail of 0.5 are 0.358047838597 (fair), 0.407782913464 (biased)."""
    one, other = (
        m.rows(sums_of(m, *data))[0].value
        for m in (
            RescaledCRPS(thresholds=(0.5,), tail=tail, centre=0.5, estimator=estimator),
            ThresholdCRPS(thresholds=(0.5,), tail=tail, estimator=estimator),
        )
    )
    assert one == pytest.approx(other, abs=1e-6)
    if tail == "upper" and estimator != "almost_fair":
        assert one == pytest.approx({"fair": 0.358047838597, "biased": 0.407782913464}[estimator], abs=1e-11)


def test_a_deterministic_source(sums_of):
    """About 0, above 5: both in, |7 − 6|; only the member, 8; only the truth, 9; neither; no truth."""
    metric = RescaledCRPS(thresholds=(5.0,))
    (row,) = metric.rows(sums_of(metric, np.array([[6.0, 1.0, 9.0, 2.0, np.nan]]), np.array([[[7.0, 8.0, 4.0, 0.0, 9.0]]])))
    assert row.value == pytest.approx((1 + 8 + 9 + 0) / 4)


def test_bad_fields():
    with pytest.raises(ValueError, match="RescaledCRPS.centre must be finite, got inf"):
        RescaledCRPS(thresholds=(1.0,), centre=float("inf"))
    with pytest.raises(ValueError, match=r"RescaledCRPS.alpha must be in \[0, 1\], got -1"):
        RescaledCRPS(thresholds=(1.0,), alpha=-1.0)
    with pytest.raises(ValueError, match="RescaledCRPS.thresholds must be one or more different numbers, finite"):
        RescaledCRPS(thresholds=(1.0, 1.0))
