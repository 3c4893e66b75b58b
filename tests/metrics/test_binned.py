"""Metrics of histograms: N(0, 1) truth, members that are shifted or widened, closed forms."""

import numpy as np
import pytest
from scipy import stats

from wxexp.metrics import LogHistogramDistance, Perkins, QuantileBias, Wasserstein

FIELDS = {"low": -6.0, "high": 6.0, "count": 240}


@pytest.fixture
def world():
    """Quantiles of the normal at 2000 even probabilities, for truth; the same, shifted or widened, in each of 2 members, shuffled."""
    z = stats.norm.ppf((np.arange(2000) + 0.5) / 2000)
    rng = np.random.default_rng(0)

    def make(shift=0.0, factor=1.0):
        x = np.stack([factor * rng.permutation(z) + shift for _ in range(2)])
        return rng.permutation(z).reshape(4, 500), x.reshape(2, 4, 500).swapaxes(0, 1)

    return make


def values(sums_of, metric, data):
    return {row.metric: (row.value, row.units) for row in metric.rows(sums_of(metric, *data))}


def test_perkins_of_shifted_normals(sums_of, world):
    """2 Φ(−d / 2)."""
    metric = Perkins(**FIELDS)
    assert values(sums_of, metric, world()) == {"perkins": (pytest.approx(1.0, abs=1e-12), "1")}
    assert values(sums_of, metric, world(shift=1.0))["perkins"][0] == pytest.approx(2 * stats.norm.cdf(-0.5), abs=0.01)


def test_wasserstein_of_shifted_and_widened_normals(sums_of, world):
    metric = Wasserstein(**FIELDS)
    assert values(sums_of, metric, world(shift=0.5)) == {"wasserstein": (pytest.approx(0.5, abs=1e-3), "K")}
    assert values(sums_of, metric, world(factor=1.5))["wasserstein"][0] == pytest.approx(0.5 * np.sqrt(2 / np.pi), abs=3e-3)


def test_quantile_biases_of_widened_normals(sums_of, world):
    """0.5 z of each level."""
    metric = QuantileBias(**FIELDS, levels=(0.1, 0.5, 0.99))
    found = values(sums_of, metric, world(factor=1.5))
    assert found == {f"quantile_bias_{level}": (pytest.approx(0.5 * stats.norm.ppf(level), abs=0.05), "K") for level in (0.1, 0.5, 0.99)}
    assert np.isnan(values(sums_of, QuantileBias(low=-1.0, high=1.0, levels=(0.99,)), world())["quantile_bias_0.99"][0])


def test_log_histogram_distance(sums_of):
    """Shares ¼ and ¾ against ½ and ½: sqrt of the mean of ln² ½ and ln² 3/2."""
    metric = LogHistogramDistance(low=0.0, high=2.0, count=2)
    found = values(sums_of, metric, (np.array([[0.5, 1.5, 0.5, 1.5]]), np.array([[[0.5, 1.5, 1.5, 1.5]]])))
    expected = np.sqrt((np.log(0.5) ** 2 + np.log(1.5) ** 2) / 2)
    assert found == {"log_histogram_distance": (pytest.approx(expected), "1")}


@pytest.mark.parametrize("cls", [LogHistogramDistance, Perkins, QuantileBias, Wasserstein])
def test_bad_bins(cls):
    with pytest.raises(ValueError, match=f"{cls.__name__}.low must be below {cls.__name__}.high, both finite, got 3.0 and 1.0"):
        cls(low=3.0, high=1.0)


def test_bad_levels():
    with pytest.raises(ValueError, match=r"QuantileBias.levels must be one or more different numbers, in \(0, 1\), got"):
        QuantileBias(low=0.0, high=1.0, levels=(1.0,))
