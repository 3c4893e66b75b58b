import numpy as np
import pytest

from wxexp.fields.grid import Grid
from wxexp.metrics import SphericalSpectralDistance, ZonalSpectralDistance

AREA = Grid("latlon", np.linspace(-90, 90, 13), np.arange(24) * 15.0).area()[None]


@pytest.mark.parametrize("metric, name", [(SphericalSpectralDistance(), "lsd_spherical"), (ZonalSpectralDistance(), "lsd_zonal")])
def test_doubled_amplitude_is_six_decibels_and_equal_fields_none(metric, name, sums_of):
    truth = np.random.default_rng(0).standard_normal((3, 13, 24))
    rows = [metric.rows(sums_of(metric, truth, factor * truth[:, None] + 5, weights=AREA)) for factor in (2, 1)]
    assert rows[0][0].metric == name and rows[0][0].units == "dB"
    assert [row.value for (row,) in rows] == pytest.approx([20 * np.log10(2), 0], abs=1e-6)


def test_spectra_are_averaged_before_the_logarithm(sums_of):
    """Two cases of white noise each other's truth: of each alone far apart, of both together equal."""
    truth = np.random.default_rng(1).standard_normal((2, 13, 24))
    for metric in (SphericalSpectralDistance(), ZonalSpectralDistance()):
        (row,) = metric.rows(sums_of(metric, truth, truth[::-1, None], weights=AREA))
        assert row.value == pytest.approx(0, abs=1e-9)


def test_bands_are_rows_of_the_table(sums_of):
    truth = np.random.default_rng(2).standard_normal((2, 13, 24))
    members = truth.copy()
    members[:, 7:] *= 2
    metric = ZonalSpectralDistance(bands=2)
    rows = metric.rows(sums_of(metric, truth, members[:, None], weights=AREA))
    assert {row.metric: row.value for row in rows} == {
        "lsd_zonal_1": pytest.approx(0, abs=1e-9),
        "lsd_zonal_2": pytest.approx(20 * np.log10(2)),
    }


def test_part_of_the_globe_has_no_spherical_spectrum(sums_of):
    part = AREA.copy()
    part[0, 3, 3] = 0
    metric = SphericalSpectralDistance()
    (row,) = metric.rows(sums_of(metric, np.ones((2, 13, 24)), np.ones((2, 2, 13, 24)), weights=part))
    assert np.isnan(row.value)


def test_bad_bands():
    with pytest.raises(ValueError, match="ZonalSpectralDistance.bands must be at least 1, got 0"):
        ZonalSpectralDistance(bands=0)
