import numpy as np
import pytest

from wxexp.metrics import RMSE


def test_the_root_is_taken_after_the_mean_over_cases(sums_of):
    """Errors 1 and 7: sqrt(25) = 5, where the mean of roots is 4."""
    (row,) = RMSE().rows(sums_of(RMSE(), np.zeros((2, 3)), np.stack([np.ones((2, 3)), np.full((2, 3), 7.0)])))
    assert (row.metric, row.units) == ("rmse", "K") and row.value == pytest.approx(5.0)


def test_digits(sums_of, calibrated):
    (row,) = RMSE().rows(sums_of(RMSE(), *calibrated))
    assert row.value**2 == pytest.approx(1.087298044582, rel=1e-6)  # numpy, float64
