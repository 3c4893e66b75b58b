import numpy as np
import pytest

from wxexp.metrics import CORP, Brier


def test_digits_and_bounds(sums_of):
    """scipy's isotonic_regression on the table of 500 beta-distributed probabilities."""
    rs = np.random.RandomState(31)
    p = rs.beta(0.5, 0.5, 500)
    truth, members = rs.random_sample(500) < p, rs.random_sample((500, 10)) < p[:, None]
    metric = CORP(thresholds=(0.5,))
    sums = sums_of(metric, truth.reshape(5, 100).astype(np.float32), members.reshape(5, 100, 10).swapaxes(1, 2).astype(np.float32))
    rows = {row.metric: row for row in metric.rows(sums)}
    assert {name: row.value for name, row in rows.items()} == {
        "corp_miscalibration_0.5": pytest.approx(0.003374242090, abs=1e-11),
        "corp_discrimination_0.5": pytest.approx(0.121118242090, abs=1e-11),
        "corp_uncertainty_0.5": pytest.approx(0.249424, abs=1e-11),
    }
    assert rows["corp_miscalibration_0.5"].low >= 0 and rows["corp_discrimination_0.5"].units == "1"


def test_adds_up_to_the_brier_score_at_several_thresholds(sums_of):
    rng = np.random.default_rng(1)
    truth, members = rng.standard_normal((4, 50)), rng.standard_normal((4, 6, 50))
    metric = CORP(thresholds=(0.0, 1.0))
    rows = [row.value for row in metric.rows(sums_of(metric, truth, members))]
    brier = [row.value for row in Brier(thresholds=(0.0, 1.0), estimator="biased").rows(sums_of(metric, truth, members))]
    assert [rows[0] - rows[1] + rows[2], rows[3] - rows[4] + rows[5]] == pytest.approx(brier, abs=1e-13)


def test_bad_thresholds():
    with pytest.raises(ValueError, match="CORP.thresholds must be one or more different numbers, finite, got"):
        CORP(thresholds=())
