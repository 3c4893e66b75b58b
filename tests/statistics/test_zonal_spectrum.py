import numpy as np
import pytest

from wxexp.statistics import ZonalSpectrum
from wxexp.statistics.zonal_spectrum import zonal_power


def test_digits_and_parseval():
    """numpy; the last wavenumber of an even number of columns counts once."""
    field = np.random.RandomState(41).standard_normal((32, 64))
    s = zonal_power(field)
    np.testing.assert_allclose(s.sum(axis=-1), (field**2).mean(axis=-1), rtol=1e-12)
    np.testing.assert_allclose(s[0, [0, 1, 2, 32]], [0.051410844225, 0.004310390534, 0.008109469464, 0.067673492914], atol=1e-11)
    odd = field[:, :63]
    np.testing.assert_allclose(zonal_power(odd).sum(axis=-1), (odd**2).mean(axis=-1), rtol=1e-12)


def test_waves_of_a_row_have_their_power_and_rows_their_weight():
    """2 + 3 cos(5 λ) in the first row: S_0 = 4, S_5 = 9/2; cos(2 λ) in the second."""
    x = 2 * np.pi * np.arange(16) / 16
    field = np.stack([2 + 3 * np.cos(5 * x), np.cos(2 * x)])
    weights = np.repeat([[[1.0], [3.0]]], 16, axis=2) / 16
    found = ZonalSpectrum().reduce(field, np.stack([field, 2 * field]), weights)
    expected = np.zeros((1, 1, 9))
    expected[0, 0, [0, 5, 2]] = [4, 4.5, 1.5]
    np.testing.assert_allclose(found["truth"], expected, atol=1e-13)
    np.testing.assert_allclose(found["members"], 2.5 * expected, atol=1e-13)
    np.testing.assert_allclose(found["mean"], 2.25 * expected, atol=1e-13)
    assert found["weight"] == pytest.approx(4)


def test_bands_groups_missing_truth_and_missing_members():
    rng = np.random.default_rng(0)
    truth, members = rng.standard_normal((4, 8)), rng.standard_normal((3, 4, 8))
    truth[0, 3], members[1, 3, 2] = np.nan, np.nan
    weights = np.ones((2, 4, 8))
    weights[1, 3] = 0
    found = ZonalSpectrum(bands=2).reduce(truth, members, weights)
    assert found["weight"].tolist() == [[8, 16], [8, 8]]
    np.testing.assert_allclose(found["truth"][1], 8 * zonal_power(truth[1:3]))
    assert np.isnan(found["members"][0, 1]).all() and np.isfinite(found["members"][0, 0]).all() and np.isfinite(found["members"][1]).all()
    assert ZonalSpectrum().reduce(truth[1], members[:, 1], np.ones((1, 8)))["truth"].shape == (1, 1, 5)  # a ring


def test_bad_bands():
    with pytest.raises(ValueError, match="ZonalSpectrum.bands must be at least 1, got 0"):
        ZonalSpectrum(bands=0)
    with pytest.raises(ValueError, match="ZonalSpectrum.bands must be at most 4, the number of rows, got 5"):
        ZonalSpectrum(bands=5).reduce(np.zeros((4, 8)), np.zeros((2, 4, 8)), np.ones((1, 4, 8)))
