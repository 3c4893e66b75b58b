"""Tables against isotonic regression of scipy, curves by hand, and digits of 500 beta-distributed probabilities."""

import numpy as np
import pytest
from scipy.optimize import isotonic_regression

from wxexp.statistics.reliability import calibrated, corp, economic_value, roc, shares

NUMBER = np.array([75, 56, 35, 31, 43, 24, 23, 31, 35, 54, 93])
EVENTS = np.array([3, 10, 6, 8, 22, 10, 14, 25, 26, 49, 89])
TABLE = np.stack([NUMBER - EVENTS, EVENTS], axis=-1).astype(float)


def test_digits_of_the_decomposition():
    """scipy 1.14 isotonic_regression; the Brier score is 0.13168 and the uncertainty 0.249424."""
    found = corp(TABLE)
    assert found.miscalibration == pytest.approx(0.003374242090, abs=1e-11)
    assert found.discrimination == pytest.approx(0.121118242090, abs=1e-11)
    assert found.miscalibration - found.discrimination + found.uncertainty == pytest.approx(0.13168, abs=1e-14)


@pytest.mark.parametrize("size", [2, 3, 9, 51])
def test_calibration_is_isotonic_regression(size):
    rng = np.random.default_rng(size)
    tables = rng.integers(1, 9, (40, size, 2)).astype(float) * rng.random((40, size, 1))
    found = calibrated(tables.reshape(4, 10, size, 2)).reshape(40, size)
    for table, own in zip(tables, found, strict=True):
        expected = isotonic_regression(table[:, 1] / table.sum(axis=1), weights=table.sum(axis=1)).x
        np.testing.assert_allclose(own, expected, atol=1e-12)


def test_numbers_of_members_that_never_occur_change_nothing():
    wide = np.insert(TABLE, [0, 4, 4, 11], 0.0, axis=0)
    kept = wide.sum(axis=1) > 0
    np.testing.assert_allclose(calibrated(wide)[kept], calibrated(TABLE), atol=1e-14)
    assert np.isnan(calibrated(wide)[~kept]).all() and np.isnan(shares(wide)[~kept]).all()
    np.testing.assert_allclose(shares(wide)[kept], EVENTS / NUMBER)


def test_a_calibrated_forecast_has_no_miscalibration_and_an_inverted_one_no_discrimination():
    """Of p = 0, ½, 1 and shares 0, ½, 1: Brier ½ · ¼; inverted, the best non-decreasing forecast is the frequency ½."""
    table = np.array([[10.0, 0], [10, 10], [0, 10]])
    straight, inverted = corp(table), corp(table[::-1])
    assert (straight.miscalibration, straight.discrimination) == (0, pytest.approx(0.25 - 0.125))
    assert inverted.discrimination == pytest.approx(0, abs=1e-15) and inverted.miscalibration == pytest.approx((20 + 5) / 40 - 0.25)


def test_missing_and_empty_tables():
    for table in (np.full((3, 2), np.nan), np.zeros((3, 2))):
        assert np.isnan(calibrated(table)).all() and np.isnan(corp(table).miscalibration)


def test_curve_and_its_area():
    """0.891886907435 is scores.roc_auc, the trapezoidal area."""
    alarms, hits = roc(TABLE)
    assert alarms[0] == hits[0] == 0 and alarms[-1] == hits[-1] == 1 and alarms.shape == (12,)
    assert hits[1] == 89 / 262 and alarms[1] == 4 / 238
    assert np.trapezoid(hits, alarms) == pytest.approx(0.891886907435, abs=1e-11)


def test_value_by_hand_at_several_costs():
    """Of 8 cases 2 events, in which both and one of 2 members warn; one warns in one of the others. A loss is 1."""
    found = economic_value(np.array([[5.0, 0], [1, 1], [0, 1]]), [0.1, 0.5])
    # Protection for 0.1: always 0.8, where one warns 0.3, perfect 0.2. For ½: never 2, where both warn ½ and a loss, perfect 1.
    np.testing.assert_allclose(found, [(0.8 - 0.3) / (0.8 - 0.2), (2 - 1.5) / (2 - 1)])
    assert np.isnan(economic_value(np.array([[3.0, 0], [1, 0]]), [0.5])).all()
