import numpy as np
import pytest

from wxexp.metrics import RMSE, MemberRMSE


def test_is_the_root_of_the_mean_over_members_and_cells(sums_of, calibrated):
    truth, members = calibrated
    (row,) = MemberRMSE().rows(sums_of(MemberRMSE(), truth, members))
    assert (row.metric, row.units) == ("member_rmse", "K")
    assert row.value == pytest.approx(np.sqrt(np.mean((members - truth[:, None]) ** 2)), rel=1e-6)
    assert row.value == pytest.approx(np.sqrt(2), rel=0.01)  # exchangeable, variance 1
    (mean,) = RMSE().rows(sums_of(RMSE(), truth, members))
    assert mean.value == pytest.approx(np.sqrt(1.087298044582), rel=1e-6) and mean.value < row.value


def test_of_one_member_it_is_its_rmse(sums_of):
    (row,) = MemberRMSE().rows(sums_of(MemberRMSE(), np.zeros((1, 2)), np.array([[[3.0, 4.0]]])))
    assert row.value == pytest.approx(np.sqrt(12.5))
