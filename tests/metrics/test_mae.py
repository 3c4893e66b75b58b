import numpy as np
import pytest

from wxexp.metrics import MAE


def test_of_the_ensemble_mean(sums_of):
    """Means 2 and 5 over truths 0 and 6, weights 1 and 3."""
    truth, members = np.array([[0.0, 6.0]]), np.array([[[1.0, 5.0], [3.0, 5.0]]])
    (row,) = MAE().rows(sums_of(MAE(), truth, members, weights=np.array([[1.0, 3.0]])))
    assert (row.metric, row.units) == ("mae", "K") and row.value == pytest.approx((2 + 3) / 4)
