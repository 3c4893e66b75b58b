import numpy as np
import pytest

from wxexp.fields.grid import Grid
from wxexp.metrics import PatternCorrelation


def values(sums_of, *data, **options):
    return [row.value for row in PatternCorrelation().rows(sums_of(PatternCorrelation(), *data, **options))]


@pytest.mark.parametrize(
    "metric, name, value",
    [
        (PatternCorrelation(), "pattern_correlation", 0.606318051325),
        (PatternCorrelation(centred=False), "pattern_correlation_uncentred", 0.643034405973),
    ],
)
def test_digits(metric, name, value, sums_of):
    """The anomaly correlations of earth2studio and of WeatherBench 2, of anomalies from 0.3 everywhere, area-weighted."""
    rs = np.random.RandomState(61)
    f = rs.standard_normal((32, 64))
    y = 0.6 * f + 0.8 * rs.standard_normal((32, 64))
    area = Grid("latlon", -90 + 5.625 * (np.arange(32) + 0.5), np.arange(64) * 5.625).area()
    (row,) = metric.rows(sums_of(metric, y[None] - 0.3, f[None, None] - 0.3, weights=area[None]))
    assert row.metric == name and row.value == pytest.approx(value, abs=1e-10)


def test_cases_are_added_up_before_the_root_and_each_has_its_own_mean(sums_of):
    """cov 2 and 8, variances of truth 2 and 2, of forecast 2 and 32: (2 + 8) / sqrt(34 · 4)."""
    truth = np.array([[1.0, -1.0], [101.0, 99.0]])
    members = np.array([[[1.0, -1.0]], [[4.0, -4.0]]])
    assert values(sums_of, truth, members) == [pytest.approx(10 / np.sqrt(4 * 34))]


def test_of_the_ensemble_mean_linear_functions_constants_and_missing_values(sums_of):
    y = np.random.default_rng(0).standard_normal((2, 9))
    assert values(sums_of, y, np.stack([5 * y + 9, -y], axis=1)) == [pytest.approx(1)]
    assert values(sums_of, y, -3 * y[:, None]) == [pytest.approx(-1)] and np.isnan(values(sums_of, y, np.ones((2, 2, 9)))).all()
    y[0, 3] = np.nan
    assert values(sums_of, y, np.where(np.isnan(y), 7.0, y)[:, None]) == [pytest.approx(1)]
    assert np.isnan(values(sums_of, np.nan_to_num(y), y[:, None])).all()
