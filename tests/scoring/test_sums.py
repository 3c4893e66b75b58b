import itertools

import numpy as np
import pytest

from wxexp.scoring import CaseSums
from wxexp.scoring.sums import Resampling
from wxexp.statistics import Errors


def sums(index, values, draws=400, seed=0):
    plan = {
        "sources": ["forecast"],
        "variables": ["a", "b"],
        "units": ["K", "mm"],
        "leads": [6.0, 12.0],
        "groups": ["all"],
        "cases": [{"index": i, "time": str(i), "lead_hours": 0.0} for i in index],
        "statistics": ["errors"],
    }
    return CaseSums("forecast", 3, {"errors/error": values}, plan=plan, draws=draws, seed=seed)


@pytest.fixture
def values():
    return np.random.default_rng(0).standard_normal((9, 2, 2, 1)) + np.array([1.0, 10.0])[:, None, None] + np.array([0.0, 100.0])[:, None]


def test_rows_run_over_leads_variables_and_groups(values):
    s = sums(range(9), values)
    rows = s.rows("total", lambda total: total(s[Errors()]["error"]))
    assert [(r.lead_hours, r.variable, r.units) for r in rows] == [(6.0, "a", "K"), (6.0, "b", "mm"), (12.0, "a", "K"), (12.0, "b", "mm")]
    np.testing.assert_allclose([r.value for r in rows], values.sum(axis=0).ravel(), rtol=1e-12)
    assert {r.units for r in s.rows("x", lambda total: total(s[Errors()]["error"]), units="1", source="other")} == {"1"}


def total_of(s):
    return lambda total: total(s[Errors()]["error"])


def test_fewer_than_eight_cases_of_one_run_have_no_interval(values):
    s = sums(range(7), values[:7])
    assert {(r.low, r.high) for r in s.rows("total", total_of(s))} == {(None, None)}


def autoregressive(r, size, seed):
    z = np.random.default_rng(seed).standard_normal(size)
    z[0] /= np.sqrt(1 - r**2)
    for i in range(1, size):
        z[i] += r * z[i - 1]
    return z


def widths(r, size):
    """Of the interval of a mean of autoregressive cases, over the width that theory gives it, on average over series."""
    found = []
    for seed in range(12):
        x = autoregressive(r, size, seed)
        s = sums(range(size), np.broadcast_to(x[:, None, None, None], (size, 2, 2, 1)), draws=300)
        row = s.rows("total", total_of(s))[0]
        assert row.low < row.value < row.high
        found.append((row.high - row.low) / (2 * 1.96 * np.sqrt(size / (1 - r) ** 2)))
    return np.mean(found)


def test_one_run_has_moving_blocks_as_long_as_its_cases_are_alike():
    """The sum of n autoregressive cases has variance n / (1 − r)²; of independent draws of single cases it would be n / (1 − r²)."""
    assert widths(0.0, 400) == pytest.approx(1.0, abs=0.1)
    assert widths(0.8, 1600) == pytest.approx(1.0, abs=0.15)  # 1/3 if cases were taken as independent


def covered(times, r, count=300):
    """Of `count` autoregressive series at these times, how many intervals of 95 % hold the mean of the process, 0."""
    z = np.random.default_rng(5).standard_normal((times[-1] + 1, count))
    z[0] /= np.sqrt(1 - r**2)
    for i in range(1, len(z)):
        z[i] += r * z[i - 1]
    x, ones = z[times], np.ones((len(times), 1))
    _, low, high = Resampling(slice(None), times, draws=300, seed=0).bounded(lambda total: total(x) / total(ones))
    return np.mean((low < 0) & (high > 0))


STRIDED = {
    "every second day": np.arange(0, 600, 2),
    "working days": np.array([t for t in range(420) if t % 7 < 5]),
    "three of every six days": np.array([t for t in range(480) if t % 6 < 3]),
    "a gap": np.array([*range(150), *range(250, 400)]),
    "months": np.cumsum([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] * 20),
}


@pytest.mark.parametrize("times", STRIDED.values(), ids=STRIDED)
def test_intervals_hold_what_they_should_of_cases_that_are_not_every_day(times):
    """95 % of independent cases, and 81 to 90 % of dependent ones; with single cases taken as independent it is 43 to 64 %."""
    assert covered(times, 0.0) == pytest.approx(0.945, abs=0.03)
    assert covered(times, 0.8 ** (1 / 30) if times[0] > 2 else 0.8) > 0.8


FEW = {
    "two weeks": (7, 7),
    "four runs of three": (3, 3, 3, 3),
    "five working weeks": (5, 5, 5, 5, 5),
    "a long one and some days": (1, 1, 1, 1, 1, 1, 1, 40),
}


@pytest.mark.parametrize("sizes", FEW.values(), ids=FEW)
def test_intervals_of_few_runs_hold_about_as_much_as_they_say(sizes):
    """Of independent cases; of two runs drawn as they are it is 1/2, because the mean of one is below and of the other above."""
    times = np.concatenate([100 * run + np.arange(size) for run, size in enumerate(sizes)])
    assert 0.86 < covered(times, 0.0) < 0.97
    assert covered(times, 0.5) > 0.7


def test_some_days_that_are_left_out_make_no_interval_wider():
    every = np.arange(365)
    some = np.delete(every, np.arange(2, 26, 3))  # eight runs of two days or three, and one of 340
    x = np.random.default_rng(8).standard_normal((365, 50))
    width = []
    for times in (every, some):
        _, low, high = Resampling(slice(None), times, draws=300, seed=0).bounded(lambda total, n=times: total(x[n]) / len(n))
        width.append((high - low).mean())
    assert width[1] / width[0] == pytest.approx(1.0, abs=0.05)


def test_fewer_than_eight_cases_have_no_interval_either_in_several_runs(values):
    s = sums([0, 1, 2, 10, 11, 12, 20], values[:7])
    assert {(r.low, r.high) for r in s.rows("total", total_of(s))} == {(None, None)}


def test_every_lead_variable_and_group_has_blocks_of_its_own():
    """A variable of independent cases beside one that hardly changes from case to case."""
    x = np.stack([autoregressive(0.0, 200, 1), autoregressive(0.9, 200, 2)], axis=1)[:, None, :, None] * np.ones((1, 2, 1, 1))
    both, alone = sums(range(200), x), sums(range(200), np.repeat(x[:, :, :1], 2, axis=2))
    found = [[(r.low, r.high) for r in s.rows("total", total_of(s))] for s in (both, alone)]
    assert found[0][0] == found[1][0] and found[0][1] != found[1][1]


def test_the_interval_is_of_block_totals(values):
    """Eight blocks of three: every draw's total is a sum of eight of the eight blocks' totals."""
    values = np.repeat(values[:8], 3, axis=0) + np.random.default_rng(1).integers(0, 9, 24)[:, None, None, None]
    s = sums([day + 10 * block for block in range(8) for day in range(3)], values)
    seen = []

    def value(total):
        seen.append(total(s[Errors()]["error"]))
        return seen[-1]

    rows = s.rows("total", value)
    blocks = values.reshape(8, 3, -1).sum(axis=1)
    possible = {round(blocks[list(drawn), 0].sum(), 6) for drawn in itertools.combinations_with_replacement(range(8), 8)}
    assert seen[-1].shape == (400, 2, 2, 1) and set(np.round(seen[-1][:, 0, 0, 0], 6)) < possible
    assert (rows[0].low, rows[0].high) == pytest.approx(tuple(np.quantile(seen[-1][:, 0, 0, 0], [0.025, 0.975])))


def test_the_interval_is_reproducible(values):
    index = [0, 1, 2, 10, 11, 12, 20, 21, 22]

    def bounds(seed):
        s = sums(index, values, seed=seed, draws=20)
        return [(r.low, r.high) for r in s.rows("total", lambda total: total(s[Errors()]["error"]))]

    assert bounds(1) == bounds(1) != bounds(2)
