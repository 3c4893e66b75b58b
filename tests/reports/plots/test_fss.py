import numpy as np
import pytest
import xarray as xr

from wxexp.reports.plots import fss_by_scale


@pytest.fixture
def scores():
    """Of scales 1, 3, 9: useful from 3 cells at the first threshold, dips below at the second, never anything at the third."""
    fss = [[[0.3, 0.7, 0.9], [0.8, 0.5, 0.9], [np.nan] * 3], [[0.1, 0.2, 0.3], [np.nan, 0.9, np.nan], [np.nan] * 3]]
    frequency = [[0.2, 0.1, 0.0], [0.5, 0.4, 0.0]]
    dims = ("variable", "threshold", "scale")
    return xr.Dataset(
        {"fss": (dims, np.array(fss)), "frequency": (dims[:2], np.array(frequency))},
        {"variable": ["pr", "t"], "threshold": [1.0, 5.0, 50.0], "scale": [1, 3, 9]},
    )


def test_useful_and_random_lines_and_the_least_useful_scale(scores):
    figure, data = fss_by_scale(scores, units={"pr": "mm d-1", "t": "K"}, cell_km=10.0, lead_hours=6.0)
    np.testing.assert_allclose(data["useful"], [[0.6, 0.55, 0.5], [0.75, 0.7, 0.5]])
    np.testing.assert_allclose(data["random"], scores["frequency"])
    np.testing.assert_array_equal(data["least"], [[3, 9, np.nan], [np.nan, 3, np.nan]])
    first, second = figure.axes
    labels = [text.get_text() for text in first.get_legend().get_texts()]
    assert labels == ["> 1: useful from 30 km", "> 5: useful from 90 km"] and first.get_title() == "pr (mm d⁻¹)"
    assert [text.get_text() for text in second.get_legend().get_texts()] == ["> 1: not useful", "> 5: useful from 30 km"]
    np.testing.assert_array_equal(first.lines[0].get_xdata(), [10, 30, 90])
    assert first.lines[1].get_ydata()[0] == pytest.approx(0.6) and first.lines[2].get_ydata()[0] == pytest.approx(0.2)
    assert first.get_xlabel() == "side of the square (km)" and figure.get_suptitle() == "+6 h"


def test_without_the_observed_frequency_nothing_is_called_useful(scores):
    scores["frequency"] = scores["frequency"] * np.nan
    figure, data = fss_by_scale(scores, units={"pr": "mm d-1", "t": "K"})
    assert np.isnan(data["least"]).all() and figure.axes[0].get_legend().get_texts()[0].get_text() == "> 1"
    assert figure.axes[0].get_xlabel() == "side of the square (cells)"
