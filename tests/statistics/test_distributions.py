import numpy as np
import pytest
from scipy import stats

from wxexp.statistics.distributions import log_distance, overlap, quantiles, wasserstein

EDGES = np.linspace(-6, 6, 1201)


def normal(mean=0.0, std=1.0):
    """The shares of the bins, and of what is outside, exactly."""
    return np.diff(stats.norm.cdf(EDGES, mean, std), prepend=0.0, append=1.0)


@pytest.mark.parametrize("mean, std, distance", [(0.5, 1.0, 0.5), (-0.3, 1.0, 0.3), (0.0, 1.4, 0.4 * np.sqrt(2 / np.pi))])
def test_distance_of_shifted_and_widened_normals(mean, std, distance):
    """|shift|, and |σ − 1| E|Z|; the Gaussian of 1.4 has 2e-5 beyond the bins."""
    assert wasserstein(normal(), normal(mean, std), EDGES) == pytest.approx(distance, abs=3e-5)


def test_distance_of_uneven_bins_by_hand():
    """The mass of [0, 1] moved to [1, 3], from 0.5 to 2 on average; from one outermost edge to the other; from both outside into [0, 1]."""
    edges = np.array([0.0, 1.0, 3.0])
    assert wasserstein(np.array([0.0, 4, 0, 0]), np.array([0.0, 0, 2, 0]), edges) == pytest.approx(1.5)
    assert wasserstein(np.array([1.0, 0, 0, 0]), np.array([0.0, 0, 0, 1]), edges) == pytest.approx(3)
    # F − G runs from +1/2 to −1/2 over [0, 1] and back to 0 over [1, 3]
    assert wasserstein(np.array([1.0, 0, 1, 0]), np.array([0.0, 1, 0, 0]), edges) == pytest.approx(0.25 + 0.5)


def test_distance_equals_scipy_of_samples_within_a_bin():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal(500), 0.7 * rng.standard_normal(800) + 0.4
    one, other = (np.pad(np.histogram(x, EDGES)[0], 1).astype(float) for x in (a, b))
    assert wasserstein(one, other, EDGES) == pytest.approx(stats.wasserstein_distance(a, b), abs=0.01)


def test_quantiles_of_a_normal_and_outside_the_bins():
    levels = np.array([0.001, 0.5, 0.9, 0.999])
    np.testing.assert_allclose(quantiles(normal(), EDGES, levels), stats.norm.ppf(levels), atol=1e-4)
    found = quantiles(np.array([[2.0, 1, 0, 6, 1], [0, 1, 1, 1, 0]]), np.array([0.0, 1, 2, 4]), np.array([0.1, 0.25, 0.6, 0.95]))
    assert np.isnan(found[0, [0, 3]]).all() and found[0, 1:3] == pytest.approx([0.5, 3.0])
    assert found[1] == pytest.approx([0.3, 0.75, 1.8, 3.7])
    assert np.isnan(quantiles(np.zeros(5), np.array([0.0, 1, 2, 4]), levels)).all()


def test_overlap_of_normals():
    """Of two unit normals d apart it is 2 Φ(−d / 2)."""
    assert overlap(normal(), normal(1.0)) == pytest.approx(2 * stats.norm.cdf(-0.5), abs=1e-12)
    assert overlap(np.array([1.0, 2, 1]), np.array([3.0, 6, 3])) == 1 and overlap(np.array([1.0, 0, 0]), np.array([0.0, 3, 3])) == 0


def test_log_distance_by_hand():
    """Shares ½, ¼, ¼ against ¼, ½, ¼: ln 2 twice, 0 once; an empty bin is left out."""
    one, other = np.array([0.0, 2, 1, 1, 0]), np.array([0.0, 1, 2, 1, 0])
    assert log_distance(one, other) == pytest.approx(np.log(2) * np.sqrt(2 / 3)) and log_distance(one, 5 * one) == 0
    assert np.isnan(log_distance(np.array([1.0, 0]), np.array([0.0, 1])))
