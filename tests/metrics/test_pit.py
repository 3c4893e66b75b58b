import numpy as np
import pytest

from wxexp.metrics import PIT


def values(sums_of, truth, members):
    return [row.value for row in PIT().rows(sums_of(PIT(), truth, members))]


def test_calibrated_biased_and_too_narrow(sums_of):
    rng = np.random.default_rng(0)
    y, x = rng.standard_normal((20, 2000)), rng.standard_normal((20, 15, 2000))
    bias, dispersion = values(sums_of, y, x)
    assert bias == pytest.approx(0, abs=0.01) and dispersion == pytest.approx(1, abs=0.02)
    # P(X < Y) for Y = N(0.5, 1), X = N(0, 1) is Φ(0.5 / √2) = 0.63817; the transform of 15 members is within its rank: 15/16 of it + 1/32
    assert values(sums_of, y + 0.5, x)[0] == pytest.approx((0.63817 - 0.5) * 15 / 16, abs=0.01)
    assert values(sums_of, y, 0.5 * x)[1] > 1.5 and values(sums_of, y, 2 * x)[1] < 0.6


def test_truth_among_equal_members_is_uniform(sums_of):
    rows = PIT().rows(sums_of(PIT(), np.zeros((2, 3)), np.zeros((2, 4, 3))))
    assert [row.metric for row in rows] == ["pit_bias", "pit_dispersion"]
    assert [row.value for row in rows] == pytest.approx([0, 1]) and rows[0].units == "1"


def test_a_deterministic_source_has_none(sums_of):
    assert values(sums_of, np.zeros((2, 3)), np.ones((2, 1, 3))) == []


@pytest.mark.parametrize("truth, value", [(-1.0, -0.4), (1.0, 0.4)])
def test_bias_is_the_mean_of_the_cumulative_histogram(truth, value, sums_of):
    """Mean of (k + 1)/(M + 1) − F_k: with all truth below, or above, 4 members, 4 + 3 + 2 + 1 fifths over 5."""
    assert values(sums_of, np.full((2, 3), truth), np.zeros((2, 4, 3)))[0] == pytest.approx(value)
