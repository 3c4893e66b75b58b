import numpy as np
import pytest

from wxexp.metrics import BinnedSpreadSkill, SpreadSkill


def test_finds_what_the_ratio_of_all_does_not(sums_of):
    """Half of the cells with members of spread 1.5 for 0.5, half the reverse: every bin is 1 off, while the ratio is 1."""
    rng = np.random.default_rng(0)
    own, theirs = np.repeat([0.5, 1.5], 1000), np.repeat([1.5, 0.5], 1000)
    truth, members = own * rng.standard_normal((20, 2000)), theirs * rng.standard_normal((20, 200, 2000))
    (row,) = BinnedSpreadSkill(bins=2).rows(sums_of(BinnedSpreadSkill(), truth, members))
    assert (row.metric, row.units) == ("spread_skill_reliability", "K") and row.value == pytest.approx(1.0, abs=0.02)
    (ratio,) = SpreadSkill().rows(sums_of(SpreadSkill(), truth, members))
    assert ratio.value == pytest.approx(1.0, abs=0.02)


def test_is_small_where_members_and_truth_are_exchangeable(sums_of):
    """With spreads of 0.5 and 1.5 that the members know; about 0 for 4 members too, thanks to M / (M + 1)."""
    rng = np.random.default_rng(1)
    s = np.repeat([0.5, 3.0], 1000)
    truth, members = s * rng.standard_normal((20, 2000)), s * rng.standard_normal((20, 200, 2000))
    (row,) = BinnedSpreadSkill(bins=2).rows(sums_of(BinnedSpreadSkill(), truth, members))
    assert row.value < 0.02


def test_none_for_one_member_and_bad_bins(sums_of):
    assert BinnedSpreadSkill().rows(sums_of(BinnedSpreadSkill(), np.zeros((2, 3)), np.ones((2, 1, 3)))) == []
    with pytest.raises(ValueError, match="BinnedSpreadSkill.bins must be at least 1, got 0"):
        BinnedSpreadSkill(bins=0)
