import numpy as np
import pytest
import xarray as xr

from wxexp.fields.grid import Grid
from wxexp.reports.plots import maps

GRID = Grid("latlon", np.array([-60.0, 0.0, 60.0]), np.arange(4.0))  # bands of relative area 1 : 2 : 1


def drawn(figure, start):
    return next(axis for axis in figure.axes if axis.get_title().startswith(start))


def test_titles_and_norms():
    field = np.repeat([[1.0], [2.0], [5.0]], 4, axis=1)
    dims = GRID.dims
    ratio = np.array([[0.5, 0.5, 0.5, 0.5], [1.0, 1.0, 1.0, 1.0], [1.2, 1.2, 1.2, 1.2]])
    scores = xr.Dataset({"bias": (dims, field - 3), "spread_skill": (dims, ratio), "crps": (dims, field), "mae_bicubic": (dims, 2 * field)})
    figure, data = maps(scores, grid=GRID, variable="pr", units="mm d-1")
    assert data["crps"].attrs["summary"] == pytest.approx((1 * 1 + 2 * 2 + 1 * 5) / 4)
    assert data["spread_skill"].attrs["summary"] == 1.0  # a mean of ratios would mean nothing
    assert drawn(figure, "CRPS").get_title() == "CRPS: mean 2.5"
    assert drawn(figure, "MAE of bicubic").collections[0].norm.vmax == drawn(figure, "CRPS").collections[0].norm.vmax
    bias, ratio = drawn(figure, "bias").collections[0].norm, drawn(figure, "spread").collections[0].norm
    assert bias(0.0) == 0.5 and ratio(1.0) == pytest.approx(0.5)


def test_single_forecasts_and_gaps():
    field = np.ones(GRID.shape)
    field[0] = np.nan
    figure, data = maps(xr.Dataset({"crps": (GRID.dims, field)}), grid=GRID, variable="t", units="K", deterministic=True)
    assert drawn(figure, "MAE").get_title() == "MAE: mean 1"
    np.testing.assert_array_equal(data["crps"], field)


def test_lines_on_a_ring():
    ring = Grid("ring", None, np.arange(8.0))
    figure, _ = maps(xr.Dataset({"bias": (("x",), np.arange(8.0))}), grid=ring, variable="x1", units="1", lead_hours=6.0)
    np.testing.assert_array_equal(figure.axes[0].lines[0].get_ydata(), np.arange(8.0))
    assert figure.get_suptitle() == "x1 +6 h"


def test_maps_of_other_metrics_have_their_own_units_centres_and_words():
    field = np.repeat([[-0.5], [0.25], [1.0]], 4, axis=1)
    none = {"units": "1"}
    fields = {"crpss_bicubic": field, "pit_bias": field / 2, "pit_dispersion": field + 1, "brier_5": field**2, "brier_10": field**4}
    scores = xr.Dataset({name: xr.Variable(GRID.dims, x, none) for name, x in fields.items()} | {"twcrps_5": (GRID.dims, field**2)})
    figure, data = maps(scores, grid=GRID, variable="pr", units="mm d-1")
    norms = {axis.get_title().partition(":")[0]: axis.collections[0].norm for axis in figure.axes if axis.get_title()}
    assert list(norms) == ["CRPS skill over bicubic", "PIT bias", "PIT dispersion", "Brier score 5", "Brier score 10", "CRPS above 5"]
    assert norms["CRPS skill over bicubic"](0.0) == norms["PIT bias"](0.0) == 0.5 and norms["PIT dispersion"](1.0) == pytest.approx(0.5)
    assert norms["Brier score 5"].vmax > norms["Brier score 10"].vmin and norms["Brier score 5"](0.5) != norms["Brier score 10"](0.5)
    assert data["brier_5"].attrs["units"] == "1" and data["twcrps_5"].attrs["units"] == "mm d-1"
    assert drawn(figure, "CRPS above").get_title() == "CRPS above 5: mean 0.344"  # (0.25 + 2 × 0.0625 + 1) / 4
    assert data["pit_dispersion"].attrs["summary"] == 1.25  # of the median cell
