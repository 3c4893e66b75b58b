import numpy as np
import pytest
from scipy import stats

from wxexp.metrics import DawidSebastiani, ErrorSpread


@pytest.fixture
def data():
    rs = np.random.RandomState(20240501)
    y, x = rs.standard_normal(5), 0.2 + 1.3 * rs.standard_normal((5, 8))
    return y[None], x.T[None]


def values(metric, sums):
    return [row.value for row in metric.rows(sums)]


def test_digits(sums_of, data):
    """scoringrules for the first; for the second the skewness of scipy.stats, which scoringrules has without its factor of M."""
    assert values(DawidSebastiani(), sums_of(DawidSebastiani(), *data)) == [pytest.approx(1.299641663717, abs=1e-11)]
    assert values(ErrorSpread(), sums_of(ErrorSpread(), *data)) == [pytest.approx(3.538554388516, abs=1e-11)]


def test_error_spread_with_weights_equals_scipy(sums_of):
    rng = np.random.default_rng(0)
    y, x, w = rng.standard_normal((2, 30)), rng.gamma(2.0, size=(2, 5, 30)), rng.random(30)
    e, v, g = x.mean(1) - y, x.var(1, ddof=1), stats.skew(x, axis=1, bias=False)
    expected = np.average((v - e**2 - e * np.sqrt(v) * g) ** 2, weights=np.broadcast_to(w, y.shape))
    assert values(ErrorSpread(), sums_of(ErrorSpread(), y, x, weights=w[None])) == [pytest.approx(expected)]


def test_the_right_spread_has_the_best_score(sums_of):
    rng = np.random.default_rng(1)
    y, x = rng.standard_normal((20, 2000)), rng.standard_normal((20, 30, 2000))
    for metric in (DawidSebastiani(), ErrorSpread()):
        scores = {s: values(metric, sums_of(metric, y, s * x))[0] for s in (0.6, 1.0, 1.5)}
        assert min(scores, key=scores.__getitem__) == 1.0


def test_few_and_missing_members(sums_of):
    y, x = np.zeros((1, 3)), np.arange(9.0).reshape(1, 3, 3)
    assert values(DawidSebastiani(), sums_of(DawidSebastiani(), y, x[:, :1])) == []
    assert values(ErrorSpread(), sums_of(ErrorSpread(), y, x[:, :2])) == []
    x[0, 1, 1] = np.nan
    assert np.isnan(values(ErrorSpread(), sums_of(ErrorSpread(), y, x))).all()
    assert values(ErrorSpread(), sums_of(ErrorSpread(), y, 0 * np.nan_to_num(x))) == [0.0]
