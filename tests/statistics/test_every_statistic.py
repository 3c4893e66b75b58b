"""What every statistic must do, over every export: a new one is tested here before it has a test of its own."""

import numpy as np
import pytest

from wxexp.config.tree import exports
from wxexp.fields.grid import Grid
from wxexp.interfaces import Statistic

GIVEN = {
    "Bins": {"low": -2.0, "high": 2.0, "count": 5},
    "Exceedances": {"thresholds": (0.0, 1.0)},
    "Neighbourhoods": {"thresholds": (0.0,), "scales": (1, 3)},
    "PooledPairs": {"scales": (1, 2, 50)},
    "Quantiles": {"levels": (0.1, 0.5)},
    "TailPairs": {"thresholds": (0.5,)},
    "Variogram": {"lags": (1, 2)},
}
"""Values of fields that have no default."""

AREA = Grid("latlon", np.linspace(-90, 90, 9), np.arange(16) * 22.5).area()

every = pytest.mark.parametrize(
    "statistic", [cls(**GIVEN.get(name, {})) for name, cls in exports(Statistic).items()], ids=exports(Statistic)
)


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
