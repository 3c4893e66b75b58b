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
    assert drawn(figure, "CRPS").get_title() == "CRPS: mean 2.5 mm d⁻¹"
    assert drawn(figure, "MAE of bicubic").collections[0].norm.vmax == drawn(figure, "CRPS").collections[0].norm.vmax
    bias, ratio = drawn(figure, "bias").collections[0].norm, drawn(figure, "spread").collections[0].norm
    assert bias(0.0) == 0.5 and ratio(1.0) == pytest.approx(0.5)


def test_single_forecasts_and_gaps():
    field = np.ones(GRID.shape)
    field[0] = np.nan
    figure, data = maps(xr.Dataset({"crps": (GRID.dims, field)}), grid=GRID, variable="t", units="K", deterministic=True)
    assert drawn(figure, "MAE").get_title() == "MAE: mean 1 K"
    np.testing.assert_array_equal(data["crps"], field)


def test_lines_on_a_ring():
    ring = Grid("ring", None, np.arange(8.0))
    figure, _ = maps(xr.Dataset({"bias": (("x",), np.arange(8.0))}), grid=ring, variable="x1", units="1", lead_hours=6.0)
    np.testing.assert_array_equal(figure.axes[0].lines[0].get_ydata(), np.arange(8.0))
    assert figure.get_suptitle() == "x1 +6 h"
