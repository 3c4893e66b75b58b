import numpy as np
import pytest

from wxexp.scoring import CaseSums
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


def test_one_run_of_contiguous_cases_is_one_block_and_has_no_interval(values):
    s = sums(range(9), values)
    assert {(r.low, r.high) for r in s.rows("total", lambda total: total(s[Errors()]["error"]))} == {(None, None)}


def test_the_interval_is_of_block_totals(values):
    """Three blocks: every draw's total is a sum of three of the three blocks' totals."""
    s = sums([0, 1, 2, 10, 11, 12, 20, 21, 22], values)
    seen = []

    def value(total):
        seen.append(total(s[Errors()]["error"]))
        return seen[-1]

    rows = s.rows("total", value)
    blocks = values.reshape(3, 3, -1).sum(axis=1)
    possible = {round(blocks[[i, j, k], 0].sum(), 6) for i in range(3) for j in range(3) for k in range(3)}
    assert seen[1].shape == (400, 2, 2, 1) and set(np.round(seen[1][:, 0, 0, 0], 6)) == possible
    assert (rows[0].low, rows[0].high) == pytest.approx(tuple(np.quantile(seen[1][:, 0, 0, 0], [0.025, 0.975])))


def test_the_interval_is_reproducible(values):
    index = [0, 1, 2, 10, 11, 12, 20, 21, 22]

    def bounds(seed):
        s = sums(index, values, seed=seed, draws=20)
        return [(r.low, r.high) for r in s.rows("total", lambda total: total(s[Errors()]["error"]))]

    assert bounds(1) == bounds(1) != bounds(2)
