import numpy as np
import pytest

from wxexp.fields.grid import Grid
from wxexp.metrics import ACC, PatternCorrelation


def values(sums_of, *data, **options):
    metric = ACC(window_days=None)
    return {row.metric: row.value for row in metric.rows(sums_of(metric, *data, **options))}


def test_digits(sums_of):
    """The centred one of earth2studio and the uncentred one of WeatherBench 2, of anomalies from 0.3 everywhere, area-weighted."""
    rs = np.random.RandomState(61)
    f = rs.standard_normal((32, 64))
    y = 0.6 * f + 0.8 * rs.standard_normal((32, 64))
    area = Grid("latlon", -90 + 5.625 * (np.arange(32) + 0.5), np.arange(64) * 5.625).area()
    found = values(sums_of, y[None] - 0.3, f[None, None] - 0.3, weights=area[None])
    assert found == {"acc_centred": pytest.approx(0.606318051325, abs=1e-10), "acc_uncentred": pytest.approx(0.643034405973, abs=1e-10)}


def test_a_bias_of_the_region_is_forgiven_by_the_centred_one_only(sums_of):
    """Uncentred 1 · 3 + (-1) · 1 = 2 of sqrt(2 · 10), and of two cases (2 + 16) / sqrt((2 + 8) (10 + 50)), sums before the root."""
    truth, members = np.array([[1.0, -1.0], [2.0, -2.0]]), np.array([[[3.0, 1.0]], [[7.0, -1.0]]])
    assert values(sums_of, truth[:1], members[:1]) == {"acc_centred": pytest.approx(1), "acc_uncentred": pytest.approx(2 / 20**0.5)}
    assert values(sums_of, truth, members)["acc_uncentred"] == pytest.approx((2 + 16) / np.sqrt((2 + 8) * (10 + 50)))


def test_of_anomalies_it_is_the_pattern_correlation(sums_of):
    rng = np.random.default_rng(0)
    data = rng.standard_normal((3, 20)), rng.standard_normal((3, 4, 20))
    theirs = [row.value for c in (True, False) for row in PatternCorrelation(centred=c).rows(sums_of(PatternCorrelation(centred=c), *data))]
    assert list(values(sums_of, *data).values()) == theirs


def test_without_training_times_anomalies_have_to_be_given(sums_of):
    with pytest.raises(ValueError, match="known from training times, which there are not here; give anomalies and window_days=None"):
        sums_of(ACC(), np.zeros((1, 4)), np.zeros((1, 2, 4)))


@pytest.mark.parametrize("window", [0.0, 2.4, float("nan")])
def test_a_window_holds_its_pentad(window):
    with pytest.raises(ValueError, match=r"ACC.window_days must be at least 2.5, or None, got"):
        ACC(window_days=window)
