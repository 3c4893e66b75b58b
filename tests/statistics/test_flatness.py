import numpy as np
import pytest

from wxexp.statistics.flatness import flatness, pit_histogram, pit_moments

COUNTS = np.array([167.0, 158, 169, 170, 165, 171])  # xskillscore, of 1000 cases and 5 members


def test_digits():
    """χ² = 0.68 against 1000 / 6 in each rank; a fifth of it is the δ of 5 members."""
    assert flatness(COUNTS, "chi2") == pytest.approx(0.68, abs=1e-10)
    assert flatness(COUNTS, "delta") == pytest.approx(0.136, abs=1e-10)
    assert flatness(COUNTS) == pytest.approx((0.33 + 8.67 + 2.33 + 3.33 + 1.67 + 4.33) / 1000, abs=2e-5)


def test_reliable_ensembles_have_a_delta_of_one():
    counts = np.random.default_rng(0).multinomial(500, np.full(9, 1 / 9), 4000).astype(float)
    assert flatness(counts, "delta").mean() == pytest.approx(1.0, abs=0.03)
    assert flatness(counts, "chi2").mean() == pytest.approx(8.0, abs=0.2)


def test_flat_one_sided_and_empty():
    one_sided = np.array([[0.0, 0, 0, 0, 7], [7, 0, 0, 0, 0]])
    for index in ("reliability", "chi2", "delta"):
        assert flatness(np.full((3, 5), 2.0), index).tolist() == [0, 0, 0] and np.isnan(flatness(np.zeros(4), index))
    assert flatness(one_sided) == pytest.approx([1.6, 1.6]) and flatness(one_sided, "delta") == pytest.approx([7, 7])


def test_probabilities_keep_their_sum_and_lie_evenly_within_ranks():
    np.testing.assert_allclose(pit_histogram(COUNTS, 6), COUNTS)
    np.testing.assert_allclose(pit_histogram(COUNTS, 3), [325, 339, 336])
    np.testing.assert_allclose(pit_histogram(COUNTS, 12), np.repeat(COUNTS, 2) / 2)
    np.testing.assert_allclose(pit_histogram(np.array([[3.0, 9, 6]]), 2), [[7.5, 10.5]])


def test_moments_of_the_uniform_and_of_one_rank():
    mean, variance = pit_moments(np.array([[4.0, 4, 4, 4], [0, 0, 0, 9], [9, 0, 0, 9]]))
    np.testing.assert_allclose(mean, [0.5, 0.875, 0.5])
    np.testing.assert_allclose(variance, [1 / 12, 1 / 192, 0.375**2 + 1 / 192])
