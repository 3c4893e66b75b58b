import numpy as np
import pytest

from wxexp.fields.grid import Grid
from wxexp.fields.seeds import stream
from wxexp.reports.plots import postage_stamps

GRID = Grid("latlon", np.linspace(45, 50, 6), np.linspace(-80, -70, 8))
RING = Grid("ring", None, np.arange(10.0))


def titles(figure):
    return [axis.get_title() for axis in figure.axes if axis.get_title()]


@pytest.mark.parametrize("grid", [GRID, RING])
def test_drawn_fields_are_those_given(grid):
    noise = stream("stamps")
    members, truth = noise.standard_normal((5, *grid.shape)), noise.standard_normal(grid.shape)
    members[:, ..., 0] = np.nan
    figure, data = postage_stamps(
        members, grid=grid, variable="t", units="K", time="1990-01-25T06:00:00", truth=truth, coarse=np.ones(grid.shape), lead_hours=12.0
    )
    np.testing.assert_array_equal(data["truth"], truth)
    np.testing.assert_array_equal(data["members"], members[:4])
    np.testing.assert_allclose(data["mean"], np.add.reduce(members) / 5)
    np.testing.assert_allclose(data["spread"] ** 2, ((members - members.mean(0)) ** 2).sum(0) / 4)
    assert (
        np.isnan(data["coarse"].values[..., 0]).all() and (data["coarse"].values[..., 1:] == 1).all()
    )  # no input where there is no output
    assert figure.get_suptitle() == "t 1990-01-25 06:00 +12 h"
    if grid is GRID:
        assert titles(figure) == ["truth", "coarse input", "mean of 5 members", "spread", *(f"member {i}" for i in range(1, 5))]


def test_fields_share_one_norm():
    """A truth beyond all members must not be cut to their range."""
    members = stream("stamps").random((4, *GRID.shape))
    figure, _ = postage_stamps(members, grid=GRID, variable="t", units="K", time="1990-01-25", truth=members[0] + 100)
    norms = [axis.collections[0].norm for axis in figure.axes if axis.get_title() in ("truth", "member 1", "member 3")]
    assert len({(norm.vmin, norm.vmax) for norm in norms}) == 1 and norms[0].vmax > 100


@pytest.mark.parametrize("grid", [GRID, RING])
def test_a_single_forecast_has_an_error_instead_of_a_spread(grid):
    forecast = np.full((1, *grid.shape), 2.0)
    figure, data = postage_stamps(forecast, grid=grid, variable="t", units="K", time="1990-01-25", truth=np.full(grid.shape, 0.5))
    assert "spread" not in data and (data["error"] == 1.5).all()
    if grid is GRID:
        assert titles(figure) == ["truth", "forecast", "forecast − truth"]


def test_members_without_truth_or_input():
    figure, data = postage_stamps(stream("x").random((2, *GRID.shape)), grid=GRID, variable="t", units="K", time="1990-01-25")
    assert titles(figure) == ["mean of 2 members", "spread", "member 1", "member 2"] and set(data) == {"mean", "spread", "members"}
