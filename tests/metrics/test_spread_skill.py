import numpy as np
import pytest

from wxexp.metrics import SpreadSkill


def test_digits_of_a_calibrated_ensemble(sums_of, calibrated):
    """1.006225534043 with (M + 1) / M, whose theory is 1; without it 0.959398403053, whose theory is sqrt(10 / 11)."""
    (row,) = SpreadSkill().rows(sums_of(SpreadSkill(), *calibrated))
    assert (row.metric, row.units) == ("spread_skill", "1")
    assert row.value == pytest.approx(1.006225534043, rel=1e-6) and row.low < 1.0 < row.high
    assert row.value / np.sqrt(11 / 10) == pytest.approx(0.959398403053, rel=1e-6)


def test_debiased_digits(sums_of, calibrated):
    """The error without what the mean of 10 members adds to it."""
    metric = SpreadSkill(estimator="debiased")
    (row,) = metric.rows(sums_of(metric, *calibrated))
    assert row.metric == "spread_skill_debiased" and row.value == pytest.approx(1.006854502341, rel=1e-6)


@pytest.mark.parametrize("members", [2, 4, 8, 50])
def test_is_one_for_any_number_of_exchangeable_members(members, sums_of):
    rng = np.random.default_rng(members)
    truth, x = rng.standard_normal((20, 2000)), rng.standard_normal((20, members, 2000))
    (row,) = SpreadSkill().rows(sums_of(SpreadSkill(), truth, x))
    assert row.value == pytest.approx(1.0, abs=0.02)


def test_half_the_spread_is_below_half(sums_of):
    """Members N(0, 1/4), truth N(0, 1): sqrt(11/10 · 1/4 / (1 + 1/40))."""
    rng = np.random.default_rng(0)
    truth, x = rng.standard_normal((20, 2000)), 0.5 * rng.standard_normal((20, 10, 2000))
    (row,) = SpreadSkill().rows(sums_of(SpreadSkill(), truth, x))
    assert row.value == pytest.approx(np.sqrt(1.1 * 0.25 / 1.025), abs=0.02)


def test_a_deterministic_source_has_none(sums_of):
    assert SpreadSkill().rows(sums_of(SpreadSkill(), np.zeros((2, 3)), np.ones((2, 1, 3)))) == []
