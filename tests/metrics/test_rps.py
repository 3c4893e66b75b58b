import numpy as np
import pytest

from wxexp.metrics import RPS


@pytest.mark.parametrize("estimator, name, value", [("fair", "rps", 0.414285714286), ("biased", "rps_biased", 0.46875)])
def test_digits(estimator, name, value, sums_of):
    """scoringrules.rps_score of 5 cases of 8 members in 3 classes."""
    rs = np.random.RandomState(20240501)
    y, x = rs.standard_normal(5), 0.2 + 1.3 * rs.standard_normal((5, 8))
    metric = RPS(thresholds=(-0.43, 0.43), estimator=estimator)
    (row,) = metric.rows(sums_of(metric, y[None], x.T[None]))
    assert (row.metric, row.units) == (name, "1") and row.value == pytest.approx(value, abs=1e-11)


def test_a_deterministic_source_has_the_classes_it_is_off_by(sums_of):
    metric = RPS(thresholds=(1.0, 2.0, 3.0))
    (row,) = metric.rows(sums_of(metric, np.array([[0.0, 5.0, 2.5, np.nan]]), np.array([[[9.0, 1.5, 2.6, 0.0]]])))
    assert row.value == pytest.approx((3 + 2 + 0) / 3)


def test_bad_thresholds():
    with pytest.raises(ValueError, match="RPS.thresholds must be one or more different numbers, finite"):
        RPS(thresholds=(1.0, 1.0))
