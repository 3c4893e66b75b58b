import numpy as np
import pytest
from scipy import stats

from wxexp.reports.plots import quantile_quantile
from wxexp.statistics import Bins


def histogram(bins, truth, members):
    sums = bins.reduce(truth, members[None], np.ones((1, truth.size)))
    return bins.edges(), sums["truth"][0], sums["members"][0]


def test_quantiles_of_normal_truth_and_wider_members():
    """Members with 1.5 times the spread and 1 more: the points lie on 1 + 1.5 times the truth."""
    level = (np.arange(100_000) + 0.5) / 100_000
    z = stats.norm.ppf(level)
    figure, data = quantile_quantile({"t": histogram(Bins(low=-9.0, high=9.0, count=360), z, 1.0 + 1.5 * z)}, units={"t": "K"})
    for side, expected in (("truth", stats.norm.ppf(data["level"])), ("members", 1.0 + 1.5 * stats.norm.ppf(data["level"]))):
        assert data[side].sel(variable="t").values == pytest.approx(expected, abs=0.06), side
    assert figure.axes[0].get_xlabel() == "truth (K)" and float(data["level"].max()) == 0.9999


def test_precipitation_has_logarithmic_axes_and_what_is_outside_is_left_out():
    x = np.concatenate([np.zeros(600), np.exp(np.linspace(-2.0, 4.0, 400))])
    bins = Bins(low=0.05, high=200.0, count=80, spacing="log")
    figure, data = quantile_quantile({"pr": histogram(bins, x, x)}, units={"pr": "mm d-1"}, logarithmic=True)
    assert figure.axes[0].get_xscale() == "log" and np.isnan(data["truth"].sel(level=0.5, method="nearest")).all()
    np.testing.assert_array_equal(data["truth"], data["members"])
