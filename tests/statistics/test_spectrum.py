import numpy as np
import pytest

from wxexp.statistics import Spectrum
from wxexp.statistics.spectra import power_spectrum


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    return rng.standard_normal((14, 20)), rng.standard_normal((3, 14, 20))


def test_uses_the_largest_box_of_each_group(data):
    truth, members = data
    weights = np.ones((2, 14, 20))
    weights[0, :, 3], weights[1, 10:] = 0.0, 0.0
    members[:, :, 3] = np.nan
    members[:, 10:] = np.where(np.arange(20) > 3, members[:, 10:], np.nan)
    found = Spectrum().reduce(truth, members, weights)
    np.testing.assert_array_equal(found["box"], [[0, 14, 4, 20], [0, 10, 0, 20]])
    np.testing.assert_array_equal(found["truth"][0], power_spectrum(truth[:, 4:]))
    np.testing.assert_array_equal(found["truth"][1, :5], power_spectrum(truth[:10]))
    np.testing.assert_array_equal(found["truth"][1, 5:], 0.0)
    assert np.isfinite(found["members"][0]).all() and np.isnan(found["members"][1, :5]).all()  # NaN members propagate


def test_spectra_of_members_not_of_their_mean(data):
    """The mean of M independent members has 1/M of their power."""
    truth, _ = data
    members = np.random.default_rng(1).standard_normal((200, 14, 20))
    found = Spectrum(window="none").reduce(truth, members, np.ones((1, 14, 20)))
    assert found["members"][0].mean() == pytest.approx(1.0, rel=0.05)
    assert found["mean"][0].mean() == pytest.approx(1 / 200, rel=0.5)


def test_a_case_without_truth_is_not_counted(data):
    truth, members = data
    assert Spectrum().reduce(truth, members, np.ones((1, 14, 20)))["count"] == 1.0
    truth[2, 2] = np.nan
    found = Spectrum().reduce(truth, members, np.ones((1, 14, 20)))
    assert found["count"] == 0.0 and not found["truth"].any() and not found["members"].any()


def test_one_dimension():
    rng = np.random.default_rng(2)
    found = Spectrum(window="none").reduce(rng.standard_normal(40), rng.standard_normal((2, 40)), np.ones((1, 40)))
    assert found["truth"].shape == (1, 20) and found["box"].tolist() == [[0.0, 40.0]]
