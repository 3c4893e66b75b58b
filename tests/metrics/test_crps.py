import numpy as np
import pytest

from wxexp.metrics import CRPS

# Digits: scoringrules and numpy in float64 (fair; biased). Theory: 1 / sqrt(pi) and (1 + 1/M) / sqrt(pi).
FAIR, BIASED = 0.560728328331, 0.617190349031


@pytest.mark.parametrize(
    "metric, name, value",
    [
        (CRPS(), "crps", FAIR),
        (CRPS(estimator="biased"), "crps_biased", BIASED),
        (CRPS(estimator="almost_fair", alpha=0.9), "crps_almost_fair", 0.9 * FAIR + 0.1 * BIASED),
    ],
)
def test_digits(metric, name, value, sums_of, calibrated):
    (row,) = metric.rows(sums_of(metric, *calibrated))
    assert (row.metric, row.variable, row.source, row.group, row.units, row.lead_hours) == (name, "t", "forecast", "all", "K", None)
    assert row.value == pytest.approx(value, rel=1e-6)
    assert row.low < row.value < row.high


def test_a_deterministic_source_has_its_absolute_error(sums_of):
    truth = np.array([[1.0, 2.0, 3.0, 4.0]])
    for estimator in ("fair", "biased", "almost_fair"):
        metric = CRPS(estimator=estimator)
        members, weights = np.array([[[2.0, 2.0, 2.0, 2.0]]]), np.array([[1.0, 1.0, 1.0, 0.0]])
        (row,) = metric.rows(sums_of(metric, truth, members, weights=weights, index=[0]))
        assert row.value == pytest.approx(2 / 3) and row.low is None and row.high is None  # one case: no interval


def test_weights_and_cases_are_pooled_not_averaged(sums_of):
    """Case 1 has one cell with truth, case 2 three: its error counts three times."""
    truth = np.array([[0.0, np.nan, np.nan], [0.0, 0.0, 0.0]])
    members = np.stack([np.full((1, 3), 4.0), np.full((1, 3), 8.0)])
    (row,) = CRPS().rows(sums_of(CRPS(), truth, members))
    assert row.value == pytest.approx((4 + 3 * 8) / 4)


def test_nothing_scored_is_nan(sums_of):
    (row,) = CRPS().rows(sums_of(CRPS(), np.full((2, 3), np.nan), np.ones((2, 2, 3))))
    assert np.isnan(row.value) and row.low is None


def test_alpha_out_of_range():
    with pytest.raises(ValueError, match=r"CRPS.alpha must be in \[0, 1\], got 2"):
        CRPS(alpha=2.0)
