import numpy as np
import pytest

from wxexp.metrics import CRPS, WeightedIntervalScore


def test_digits(sums_of):
    """Medians 0 and 1, quartiles and 5 % quantiles 1 and 2 from them: 0.34 and 0.32 (scoringrules with numba; numpy leaves |y| out)."""
    at = np.interp(np.arange(21), [0, 1, 5, 10, 15, 19, 20], [-3, -2, -1, 0, 1, 2, 3])  # quantiles 0.05, 0.25, ... are members 1, 5, ...
    metric = WeightedIntervalScore(levels=(0.5, 0.9))
    for y, shift, value in ((0.3, 0.0, 0.34), (1.2, 1.0, 0.32)):
        (row,) = metric.rows(sums_of(metric, np.full((1, 1), y), (at + shift)[None, :, None]))
        assert (row.metric, row.units) == ("weighted_interval_score", "K") and row.value == pytest.approx(value, abs=1e-6)


def test_many_levels_near_the_crps(sums_of):
    """CRPS = 2 ∫ QS_τ dτ, of the biased form."""
    rng = np.random.default_rng(0)
    y, x = rng.standard_normal((2, 50)), rng.standard_normal((2, 200, 50))
    metric = WeightedIntervalScore(levels=tuple(np.arange(0.02, 0.999, 0.02).round(2).tolist()))
    (row,) = metric.rows(sums_of(metric, y, x))
    biased = CRPS(estimator="biased")
    assert row.value == pytest.approx(biased.rows(sums_of(biased, y, x))[0].value, rel=0.01)


def test_none_for_one_member_and_bad_levels(sums_of):
    metric = WeightedIntervalScore()
    assert metric.rows(sums_of(metric, np.zeros((1, 2)), np.ones((1, 1, 2)))) == []
    with pytest.raises(ValueError, match=r"WeightedIntervalScore.levels must be one or more different numbers, in \(0, 1\), got"):
        WeightedIntervalScore(levels=(0.0,))
