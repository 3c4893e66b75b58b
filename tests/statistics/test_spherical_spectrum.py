import numpy as np
import pytest
from scipy.special import sph_harm_y

from wxexp.fields.grid import Grid
from wxexp.statistics import SphericalSpectrum

LATITUDES = {
    "gauss": np.rad2deg(np.arcsin(np.polynomial.legendre.leggauss(24)[0])),
    "poles": np.linspace(-90, 90, 25),
    "centres": -90 + 7.5 * (np.arange(24) + 0.5),
    "centres from the north": 90 - 7.5 * (np.arange(24) + 0.5),
}


@pytest.mark.parametrize("lat", LATITUDES.values(), ids=LATITUDES.keys())
def test_harmonics_have_their_power_at_their_degree_on_any_global_grid(lat):
    """3 √2 Re Y_52 + 2 Y_30: C_5 = 9, C_3 = 4; members 2 and 0 times it, whose mean is it."""
    grid = Grid("latlon", lat, np.arange(48) * 7.5)
    theta, phi = np.meshgrid(np.deg2rad(90 - lat), np.deg2rad(grid.lon), indexing="ij")
    f = 3 * np.sqrt(2) * sph_harm_y(5, 2, theta, phi).real + 2 * sph_harm_y(3, 0, theta, phi).real
    found = SphericalSpectrum().reduce(f, np.stack([2 * f, 0 * f]), grid.area()[None])
    expected = np.zeros(found["truth"].shape)
    expected[0, [3, 5]] = [4, 9]
    np.testing.assert_allclose(found["truth"], expected, atol=1e-12)
    np.testing.assert_allclose(found["members"], 2 * expected, atol=1e-12)
    np.testing.assert_allclose(found["mean"], expected, atol=1e-12)
    assert found["count"].tolist() == [1]


def test_only_whole_globes_are_counted():
    area = Grid("latlon", LATITUDES["poles"], np.arange(48) * 7.5).area()
    part = area.copy()
    part[3, 4] = 0
    y, x = np.ones((25, 48)), np.ones((2, 25, 48))
    found = SphericalSpectrum().reduce(y, x, np.stack([part, area]))
    assert found["count"].tolist() == [0, 1] and found["truth"][:, 0] == pytest.approx([0, 4 * np.pi])
    assert SphericalSpectrum().reduce(y, x, part[None])["truth"].shape == (1, 24)
    y[0, 0] = np.nan
    assert SphericalSpectrum().reduce(y, x, area[None])["count"].tolist() == [0]
    x[1, 2, 3] = np.nan
    assert np.isnan(SphericalSpectrum().reduce(np.ones((25, 48)), x, area[None])["members"][0, :13]).all()


def test_regional_and_flat_grids_are_refused():
    for area in (np.ones((24, 48)), Grid("latlon", np.linspace(30, 60, 24), np.arange(48.0)).area()):
        with pytest.raises(ValueError, match="SphericalSpectrum needs a global grid with rows at Gaussian latitudes"):
            SphericalSpectrum().reduce(np.ones((24, 48)), np.ones((2, 24, 48)), area[None])
    with pytest.raises(ValueError, match=r"SphericalSpectrum needs fields of latitude and longitude, got shape \(8,\)"):
        SphericalSpectrum().reduce(np.ones(8), np.ones((2, 8)), np.ones((1, 8)))
