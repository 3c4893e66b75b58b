"""What every statistic must do, over every export: a new one is tested here before it has a test of its own."""

import numpy as np
import pytest

from wxexp.config.tree import exports
from wxexp.fields.grid import Grid
from wxexp.interfaces import Statistic

GIVEN = {
    "Anomalies": {"window_days": None},  # no training times here
    "Bins": {"low": -2.0, "high": 2.0, "count": 5},
    "Exceedances": {"thresholds": (0.0, 1.0)},
    "FieldKernels": {"bandwidths": (0.5, 2.0)},
    "KernelPairs": {"bandwidths": (0.5, 2.0)},
    "Neighbourhoods": {"thresholds": (0.0,), "scales": (1, 3)},
    "OutcomePairs": {"thresholds": (0.5,)},
    "PooledPairs": {"scales": (1, 2, 50)},
    "Quantiles": {"levels": (0.1, 0.5)},
    "RescaledPairs": {"thresholds": (0.5,)},
    "SeepsErrors": {"dry": -0.2, "dry_fraction": 0.4, "heavy": 0.9},
    "TailPairs": {"thresholds": (0.5,)},
    "Variogram": {"lags": (1, 2)},
}
"""Values of fields that have no default."""

AREA = Grid("latlon", np.linspace(-90, 90, 9), np.arange(16) * 22.5).area()

EVERY = [cls(**GIVEN.get(name, {})) for name, cls in exports(Statistic).items()]
every = pytest.mark.parametrize("statistic", EVERY, ids=exports(Statistic))
points = pytest.mark.parametrize("statistic", [s for s in EVERY if s.scope == "point"], ids=lambda s: type(s).__name__)


@pytest.fixture
def world():
    """Truth, 5 members and weights of 3 groups: all, the north, and part of it."""
    rng = np.random.default_rng(0)
    weights = np.stack([AREA, AREA, AREA])
    weights[1, :4], weights[2, :4], weights[2, :, 9:] = 0, 0, 0
    return rng.standard_normal((9, 16)).astype(np.float32), rng.standard_normal((5, 9, 16)).astype(np.float32), weights


@every
def test_sums_are_named_shaped_and_finite(statistic, world):
    found = statistic.reduce(*world)
    assert found and set(statistic.dims) <= set(found)
    for name, values in found.items():
        assert values.dtype == np.float64 and values.shape[0] == 3 and values.ndim == 1 + len(statistic.dims.get(name, ())), name
        assert np.isfinite(values).all(), name
    assert all((statistic.reduce(*world)[name] == values).all() for name, values in found.items())


@every
def test_groups_do_not_know_each_other(statistic, world):
    together = statistic.reduce(*world)
    for g in range(3):
        for name, values in statistic.reduce(*world[:2], world[2][g : g + 1]).items():
            np.testing.assert_allclose(together[name][g], values[0], rtol=1e-12, atol=1e-12, err_msg=name)


@every
def test_what_has_no_weight_has_no_influence(statistic, world):
    truth, members, weights = world
    expected = statistic.reduce(truth, members, weights[1:])
    truth[:4], members[:, :4] = np.nan, np.inf
    members[2, 1] = np.nan
    for name, values in statistic.reduce(truth, members, weights[1:]).items():
        np.testing.assert_allclose(values, expected[name], rtol=1e-12, atol=1e-12, err_msg=name)


@points
@pytest.mark.parametrize("columns", [(5,), (1, 2, 11)])
def test_tiles_of_cells_add_up(statistic, columns, world):
    """Of what is known cell by cell; sums in another order only."""
    whole = statistic.reduce(*world)
    tiles = [statistic.reduce(*tile) for tile in zip(*(np.split(field, columns, axis=-1) for field in world), strict=True)]
    for name, values in whole.items():
        np.testing.assert_allclose(sum(tile[name] for tile in tiles), values, rtol=1e-12, atol=1e-12, err_msg=name)


@every
def test_the_order_of_members_does_not_matter(statistic, world):
    truth, members, weights = world
    expected = statistic.reduce(truth, members, weights)
    for name, values in statistic.reduce(truth, members[[3, 0, 4, 2, 1]], weights).items():
        np.testing.assert_allclose(values, expected[name], rtol=2e-6, atol=1e-6, err_msg=name)


@every
def test_a_missing_member_is_not_passed_over(statistic, world):
    truth, members, weights = world
    members[2, 7, 3] = np.nan
    found = statistic.reduce(truth, members, weights)
    assert any(np.isnan(values[0]).any() for values in found.values())


@every
def test_nothing_to_score_sums_to_nothing(statistic, world):
    truth, members, weights = world
    found = statistic.reduce(np.full_like(truth, np.nan), members, weights)
    assert all((values == 0).all() for name, values in found.items() if name not in ("box", "missing"))


@points
@pytest.mark.parametrize("count", [5, 1])
def test_sums_of_cells_are_those_of_groups_of_one_cell(statistic, count, world):
    """In any order, ties with the truth and missing members included."""
    truth, members, _ = world
    members = members[:count]
    members[0, 2, 3], members[-1, 4, 5], members[0, 6, 1] = truth[2, 3], truth[4, 5], np.nan
    at = np.arange(truth.size)[::-2]
    groups = (np.arange(truth.size) == at[:, None]).reshape(-1, *truth.shape).astype(float)
    with np.errstate(all="ignore"):
        found, expected = statistic.cells(truth, members, at), statistic.reduce(truth, members, groups)
        empty = statistic.cells(truth, members, at[:0])
    assert found.keys() == expected.keys() == empty.keys()
    for name, values in found.items():
        assert values.dtype == np.float64 and values.shape == expected[name].shape and empty[name].shape == (0, *values.shape[1:]), name
        np.testing.assert_allclose(values, expected[name], rtol=1e-6, atol=1e-7, err_msg=name)
