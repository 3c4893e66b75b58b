"""How much cases tell, by how far apart they are, against the variance of means of many autoregressive series."""

import numpy as np
import pytest

from wxexp.statistics.spacing import Spacing, instants, memory

TIMES = {
    "every day": np.arange(200),
    "every second day": np.arange(0, 400, 2),
    "working days": np.array([t for t in range(280) if t % 7 < 5]),
    "a gap": np.array([*range(100), *range(150, 250)]),
    "three of every six days": np.array([t for t in range(400) if t % 6 < 3]),
    "three of every 28 days": np.array([t for t in range(28 * 60) if t % 28 < 3]),
    "any day": np.flatnonzero(np.random.default_rng(1).random(400) < 0.5),
}


def autoregressive(r, times, count, seed=0):
    """[case, count], of variance 1."""
    z = np.random.default_rng(seed).standard_normal((times[-1] + 1, count)) * np.sqrt(1 - r**2)
    z[0] /= np.sqrt(1 - r**2)
    for i in range(1, len(z)):
        z[i] += r * z[i - 1]
    return z[times]


@pytest.mark.parametrize("times", TIMES.values(), ids=TIMES)
def test_as_many_independent_cases_as_the_variance_of_the_mean_says(times):
    """Var(mean) is 1 / n'; of 300 series it is known to 8 %."""
    series = autoregressive(0.8, times, 300)
    spacing = Spacing(times * 24.0)
    r = spacing.correlation(series)
    assert r.mean() == pytest.approx(0.8 ** np.bincount(np.diff(times)).argmax(), abs=0.03)
    assert spacing.sizes(r).mean() == pytest.approx(1 / np.var(series.mean(axis=0)), rel=0.2)
    assert spacing.sizes(r).mean() < 0.45 * len(times)


def test_independent_cases_are_worth_what_they_are():
    for times in TIMES.values():
        found = Spacing(times).sizes(Spacing(times).correlation(autoregressive(0.0, times, 100)))
        assert (found <= len(times)).all() and found.mean() > 0.92 * len(times)


def test_sums_over_pairs_by_hand():
    """Five times, whose usual step is 1, and r = 1/2: n² / Σ 2^-|t_i − t_j|."""
    pairs = sum(2.0**-x for x in (1, 2.5, 3.5, 10, 1.5, 2.5, 9, 1, 7.5, 6.5))
    assert Spacing([0, 1, 2.5, 3.5, 10]).sizes(np.array([0.5, np.nan]))[0] == pytest.approx(25 / (5 + 2 * pairs), rel=1e-9)
    assert np.isnan(Spacing([0, 1, 2.5, 10]).sizes(np.nan))
    assert Spacing([0, 1, 2, 3]).sizes(0.6) == pytest.approx(1.0)  # 4 × 0.4 / 1.6


def test_runs_end_at_gaps_that_are_longer_than_cases_remember():
    times = [0, 2, 4, 10, 12, 14, 16, 40]
    assert Spacing(times).runs().tolist() == [0, 0, 0, 1, 1, 1, 1, 2]
    assert Spacing(times).runs(3.0).tolist() == [0] * 7 + [1] and not Spacing(times).runs(12.0).any()
    assert not Spacing(np.cumsum([31, 28, 31, 30, 31, 30])).runs().any() and Spacing([5.0]).runs().tolist() == [0]
    np.testing.assert_allclose(memory(np.array([np.exp(-3), np.exp(-0.3), 0.0, -0.5, 1.0, np.nan])), [1, 10, 0, 0, np.inf, 0])


def test_series_that_say_nothing():
    spacing = Spacing([0, 1, 2, 5, 6, 7])
    series = np.stack([np.ones(6), [0, 1, np.nan, 2, 1, 0]], axis=1)
    assert np.isnan(spacing.correlation(series)).all() and np.isnan(spacing.sizes(spacing.correlation(series))).all()
    with pytest.raises(ValueError, match="times of cases must increase, got 3 and then 3"):
        Spacing([1, 3, 3, 4])


def test_times_are_those_of_the_calendar_where_it_has_them():
    assert instants(["2001-01-01T00:00:00", "2001-01-02T12:00:00"], [7, 8]).tolist() == [978307200.0, 978307200.0 + 36 * 3600]
    assert instants(["2001-02-30T00:00:00", "2001-03-01T00:00:00"], [7, 9]).tolist() == [7.0, 9.0]
    assert instants(["2001-01-02", "2001-01-01"], [7, 9]).tolist() == [7.0, 9.0]
