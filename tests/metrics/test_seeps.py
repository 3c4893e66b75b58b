"""Digits from `seeps` of the package scores."""

from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from wxexp.fields.grid import Grid
from wxexp.interfaces import Item
from wxexp.metrics import SEEPS
from wxexp.statistics import SeepsErrors
from wxexp.statistics.seeps_errors import climate, penalties


def value(metric, sums):
    (row,) = metric.rows(sums)
    assert (row.metric, row.units) == ("seeps", "1")
    return row.value


def test_the_matrix_of_a_dry_fraction():
    """Rows are what was forecast, columns what came: dry, light, heavy."""
    expected = [[0, 0.833333333333, 3.333333333333], [1.25, 0, 2.5], [1.875, 0.625, 0]]
    np.testing.assert_allclose(penalties(np.array(0.4)), expected, atol=1e-11)


@pytest.mark.parametrize("p", [0.1, 0.37, 0.85])
def test_who_knows_the_climate_only_has_1_and_no_constant_forecast_is_better(p):
    """Rodwell et al. 2010: categories of probability p, 2 (1 − p) / 3 and (1 − p) / 3."""
    s, share = penalties(np.array(p)), np.array([p, 2 * (1 - p) / 3, (1 - p) / 3])
    np.testing.assert_allclose(s @ share, [1, 1, 1], atol=1e-14)


def test_digits_of_six_cases(sums_of):
    forecast, truth = np.array([0.0, 1, 10, 0, 10, 1]), np.array([0.0, 0, 0, 10, 1, 1])
    metric = SEEPS(dry_fraction=0.4, heavy=5.0)
    assert value(metric, sums_of(metric, truth[:, None], forecast[:, None, None])) == pytest.approx(1.180555555556, abs=1e-11)
    assert value(metric, sums_of(metric, truth[None], forecast[None, None])) == pytest.approx(1.180555555556, abs=1e-11)


def test_members_weights_and_climates_of_each_cell():
    """Some cells are too dry or too wet, and some truths exactly at the dry threshold."""
    rs = np.random.RandomState(5)
    y, x = rs.gamma(0.6, 4, (6, 30)), rs.gamma(0.6, 4, (6, 4, 30))
    p, heavy = rs.uniform(0.05, 0.95, 30), rs.uniform(2, 6, 30)
    y[0, :5] = 0.25
    reduce = SeepsErrors(by="all").reducer({"dry_fraction": p[None], "heavy": heavy[None]}, time="2001-01-01")
    for weights, expected in ((np.ones(30), 0.9939639132388489), (np.arange(1.0, 31.0), 1.0088457776177573)):
        found = [reduce(truth, members, weights[None]) for truth, members in zip(y, x, strict=True)]
        assert found[0]["weight"] == weights[(p >= 0.1) & (p <= 0.85)].sum()
        assert sum(f["error"][0] for f in found) / sum(f["weight"][0] for f in found) == pytest.approx(expected, abs=1e-12)


def test_a_value_equal_to_a_boundary_is_below_it_and_counts(sums_of):
    """Of truth and members: 0.25 is dry and 5 is light."""
    metric = SEEPS(dry_fraction=0.4, heavy=5.0)
    truth, members = np.array([[0.25, 5.0, 0.25]]), np.array([[[0.0, 1.0, 5.0]]])
    assert value(metric, sums_of(metric, truth, members)) == pytest.approx(1.25 / 3)


def test_missing_values(sums_of):
    metric, truth, members = SEEPS(dry_fraction=0.4, heavy=5.0), np.array([[9.0, np.nan]]), np.array([[[1.0, np.nan], [9.0, 0.0]]])
    assert value(metric, sums_of(metric, truth, members)) == pytest.approx(2.5 / 2)
    members[0, 1, 0] = np.nan
    assert np.isnan(value(metric, sums_of(metric, truth, members)))


def test_the_climate_of_a_cell():
    """4 of 10 dry; of the six wet values 1 to 6 the two above 1 + 2/3 · 5; never wet; no values; a single wet one, the rest missing."""
    fields = np.full((10, 4), np.nan)
    fields[:, 0] = [0, 6, 0.25, 1, 3, 0, 2, 5, 4, 0.1]
    fields[:, 1] = 0
    fields[2:5, 3] = [0, 7, 0]
    p, heavy = climate(fields, 0.25)
    np.testing.assert_allclose(p, [0.4, 1, np.nan, 2 / 3], rtol=1e-6)
    np.testing.assert_allclose(heavy, [1 + 2 / 3 * 5, np.nan, np.nan, 7], rtol=1e-6)
    wet = np.random.default_rng(0).gamma(1.0, size=(50, 3)).astype(np.float32)
    np.testing.assert_allclose(climate(wet, 0.0)[1], np.quantile(wet, 2 / 3, axis=0), rtol=1e-6)


class Months:
    """Thirty days of January and of July, of two cells: gamma rain, in July on few days."""

    codec, grid = SimpleNamespace(targets=("pr",)), Grid("latlon", np.array([0.0]), np.array([0.0, 1.0]))

    def items(self, split):
        assert split == "train"
        return [
            Item(i, f"2001-{month}-{day:02}", 24.0) for i, (month, day) in enumerate((m, d) for m in ("01", "07") for d in range(1, 31))
        ]

    def truth(self, item):
        rng = np.random.default_rng(item.index)
        rain = rng.gamma(1.0, 8.0, (1, 2)) * (rng.random((1, 2)) < (0.7 if item.time < "2001-02" else 0.4))
        return xr.Dataset({"pr": (("lat", "lon"), rain.astype(np.float32))})


def test_the_climate_is_that_of_the_month_in_which_the_forecast_is_valid():
    opened = Months()
    fields = np.stack([opened.truth(item)["pr"].values for item in opened.items("train")])
    statistic, weights = SeepsErrors(), np.ones((1, 1, 2))
    fitted = {key: values[0] for key, values in statistic.fit(opened).items()}
    assert fitted["dry_fraction"].shape == (12, 1, 2) and np.isnan(fitted["heavy"][2]).all()
    truth, members = np.array([[0.0, 30.0]]), np.array([[[3.0, 3.0]]])
    for time, part in (("2003-06-30", fields[30:]), ("2003-12-31", fields[:30])):
        p, heavy = (part <= 0.25).mean(axis=0)[0], [np.quantile(cell[cell > 0.25], 2 / 3) for cell in part[:, 0].T]
        assert (np.array(heavy) < 30).all() and (np.array(heavy) > 3).all() and ((p > 0.1) & (p < 0.85)).all()
        found = statistic.reducer(fitted, time=time, hours=24.0)(truth, members, weights)
        assert found["error"] == pytest.approx(0.5 / p[0] + 1.5 / (1 - p[1]), rel=1e-5) and found["weight"] == 2
    with pytest.raises(ValueError, match="SEEPS: no training time is in month 3, that of 0 hours after 2003-03-05: use by='all'"):
        statistic.reducer(fitted, time="2003-03-05", hours=0.0)
    both = SeepsErrors(by="all").fit(opened)["dry_fraction"]
    np.testing.assert_allclose(both[0, 0], (fields <= 0.25).mean(axis=0), rtol=1e-6)


def test_without_a_climate_it_is_refused():
    with pytest.raises(ValueError, match="the climate is known from training times, which there are not here; give dry_fraction and heavy"):
        SEEPS().needs()[0].reduce(np.zeros(3), np.zeros((2, 3)), np.ones((1, 3)))


@pytest.mark.parametrize(
    "options, message",
    [
        ({"heavy": 5.0}, "dry_fraction and heavy are given both or neither, got dry_fraction=None, heavy=5.0"),
        ({"dry_fraction": 0.05, "heavy": 5.0}, r"dry_fraction must be in fractions, \(0.1, 0.85\), got 0.05"),
        ({"dry_fraction": 0.5, "heavy": 0.2}, "heavy must be above dry, 0.25, got 0.2"),
        ({"fractions": (0.8, 0.2)}, r"fractions must be two increasing numbers in \(0, 1\), got \(0.8, 0.2\)"),
        ({"dry": float("nan")}, "dry must be finite, got nan"),
    ],
)
def test_bad_fields(options, message):
    with pytest.raises(ValueError, match=message):
        SEEPS(**options)
