import numpy as np
import xarray as xr

from wxexp.reports.plots import spectra

K = np.arange(0, 17)


def power(sources, names=("t",), **coords):
    truth = np.where(K > 0, np.maximum(K, 1.0) ** -3.0, 5.0)
    values = np.stack([np.tile(factor * truth, (len(names), 1)) for factor in sources.values()])
    coords = {"source": list(sources), "variable": list(names), "wavenumber": K, **coords}
    return xr.DataArray(values, dims=("source", "variable", "wavenumber"), coords=coords)


def test_ratio_to_truth():
    """Twice the amplitude is four times the power; wavenumber 0 has no wavelength and is not drawn."""
    figure, data = spectra(power({"truth": 1.0, "members": 4.0, "mean": 0.25}), units={"t": "K"})
    assert data["wavenumber"].values.tolist() == list(range(1, 17))
    np.testing.assert_allclose(data["ratio"].sel(source="members"), 4.0)
    np.testing.assert_allclose(data["ratio"].sel(source="mean"), 0.25)
    upper, lower = figure.axes
    assert upper.get_xscale() == upper.get_yscale() == lower.get_yscale() == "log" and upper.get_ylabel() == "power (K²)"
    slope = np.polyfit(*np.log(upper.lines[0].get_xydata().T), 1)[0]
    np.testing.assert_allclose(slope, -3.0)
    assert upper.lines[0].get_color() == "#000000" and upper.lines[2].get_linestyle() == "--"


def test_long_waves_are_at_the_left():
    wavelength = ("wavenumber", np.where(K > 0, 400.0 / np.maximum(K, 1), np.inf))
    figure, data = spectra(power({"truth": 1.0, "bicubic": 0.1}, ("t", "p"), wavelength_km=wavelength), units={"t": "K", "p": "mm d-1"})
    left, right = figure.axes[0].get_xlim()
    assert left > 400 > 25 > right and {axis.get_xlabel() for axis in figure.axes} == {"", "wavelength (km)"}
    assert data["wavelength_km"].values[0] == 400.0


def test_without_truth_there_is_no_ratio():
    figure, data = spectra(power({"members": 1.0}), units={"t": "K"})
    assert set(data) == {"power"} and len(figure.axes) == 1
