import numpy as np
import pytest
from matplotlib.colors import Normalize

from wxexp.fields.grid import Grid
from wxexp.reports.panels import area_mean, blocks, dataset, draw_field, proportion
from wxexp.reports.style import new_figure


def test_blocks_repeat_and_cut_partial_ones():
    got = blocks(np.array([[1, 2], [3, 4]]), 2, (3, 4))
    np.testing.assert_array_equal(got, [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4]])
    np.testing.assert_array_equal(blocks(np.array([5, 6]), 3, (5,)), [5, 5, 5, 6, 6])


def test_area_mean_weighs_by_area_and_skips_missing_cells():
    grid = Grid("latlon", np.array([-60.0, 0.0, 60.0]), np.array([0.0, 1.0]))
    # Edges at 90, 30, -30, -90: bands sin 90 - sin 30 = 1/2 and 2 sin 30 = 1.
    values = np.array([[4.0, 4.0], [1.0, np.nan], [np.nan, np.nan]])
    assert area_mean(grid, values) == pytest.approx((0.5 * 4 + 0.5 * 4 + 1 * 1) / (0.5 + 0.5 + 1))
    assert np.isnan(area_mean(grid, np.full((3, 2), np.nan)))


def test_maps_are_as_high_as_the_region():
    """At 60 degrees a degree of longitude is half as long as one of latitude."""
    square = Grid("latlon", 59.5 + np.linspace(0, 1, 11), np.linspace(0, 2, 21))
    assert proportion(square) == pytest.approx(1.0)
    lat, lon = np.meshgrid(np.arange(5.0), np.arange(9.0), indexing="ij")
    assert proportion(Grid("projected", lat, lon, dx_km=2.0, dy_km=3.0)) == pytest.approx(3 * 4 / (2 * 8))


@pytest.mark.parametrize("kind", ["latlon", "projected", "cells"])
def test_the_values_are_drawn_and_missing_cells_are_grey(kind):
    rows, columns = np.meshgrid(np.arange(3.0), np.arange(4.0), indexing="ij")
    grids = {
        "latlon": Grid("latlon", np.arange(3.0), np.arange(4.0)),
        "projected": Grid("projected", rows, columns),
        "cells": Grid("cells", rows.ravel(), columns.ravel()),
    }
    grid = grids[kind]
    values = np.arange(12.0).reshape(grid.shape)
    values.flat[5] = np.nan
    figure = new_figure(2.0)
    drawn = draw_field(figure.subplots(), grid, values, Normalize(0, 11), "viridis")
    shown = np.ma.asarray(drawn.get_array())
    np.testing.assert_array_equal(np.sort(shown.compressed()), [v for v in range(12) if v != 5])
    figure.draw_without_rendering()
    assert dataset(grid, {"a": (("member",), values[None])})["a"].dims == ("member", *grid.dims)
