import numpy as np
import pytest

from wxexp.metrics import Bias


def test_is_forecast_minus_truth(sums_of):
    (row,) = Bias().rows(sums_of(Bias(), np.zeros((3, 3)), np.full((3, 2, 3), 1.5)))
    assert (row.metric, row.units) == ("bias", "K") and row.value == row.low == row.high == pytest.approx(1.5)
    (row,) = Bias().rows(sums_of(Bias(), np.array([[1.0, -1.0]]), np.zeros((1, 2, 2))))
    assert row.value == 0.0
