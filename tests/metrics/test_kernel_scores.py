"""Digits from scoringrules: `gksuv_ensemble` of 5 points and 8 members, `gksmv_ensemble` of 4 cases, 6 members and 5 variables."""

import numpy as np
import pytest
import scoringrules

from wxexp.metrics import FieldKernelScore, KernelScore


def value(metric, sums):
    (row,) = metric.rows(sums)
    assert row.units == "1"
    return row.value


@pytest.fixture
def points():
    rs = np.random.RandomState(20240501)
    y, x = rs.standard_normal(5), 0.2 + 1.3 * rs.standard_normal((5, 8))
    return y[None], x.T[None]


@pytest.fixture
def vectors():
    rs = np.random.RandomState(7)
    return rs.standard_normal((4, 5)), 0.1 + 1.2 * rs.standard_normal((4, 6, 5))


def test_digits(sums_of, points):
    metric = KernelScore(bandwidths=(1.0,), estimator="biased")
    assert value(metric, sums_of(metric, *points)) == pytest.approx(0.241410457431, abs=1e-11)


def test_digits_of_fields(sums_of, vectors):
    """The norm of scoringrules is √5 times the root mean square of five variables."""
    metric = FieldKernelScore(bandwidths=(5**-0.5,), estimator="biased")
    assert value(metric, sums_of(metric, *vectors)) == pytest.approx(0.537430044923, abs=1e-11)


@pytest.mark.parametrize("estimator, theirs", [("fair", "fair"), ("biased", "nrg")])
def test_bandwidths_and_weights_equal_scoringrules(estimator, theirs, sums_of, points, vectors):
    metric, w = KernelScore(bandwidths=(0.5, 3.0), estimator=estimator), np.array([1.0, 0.0, 2.0, 0.5, 4.0])
    rows = metric.rows(sums_of(metric, *points, weights=w[None]))
    for row, h in zip(rows, (0.5, 3.0), strict=True):
        expected = scoringrules.gksuv_ensemble(points[0][0] / h, points[1][0].T / h, estimator=theirs, backend="numpy")
        assert row.value == pytest.approx(np.average(expected, weights=w), abs=1e-12)
    assert [row.metric.removeprefix("kernel_score").removeprefix("_biased") for row in rows] == ["_0.5", "_3"]
    y, x = (a * np.sqrt(w / w.sum()) / 0.7 for a in vectors)
    metric = FieldKernelScore(bandwidths=(0.7,), estimator=estimator)
    expected = scoringrules.gksmv_ensemble(y, x, estimator=theirs, backend="numpy").mean()
    assert value(metric, sums_of(metric, *vectors, weights=w[None])) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("cls", [KernelScore, FieldKernelScore])
def test_limits_of_the_bandwidth(cls, sums_of, points):
    """Far above all distances the squared error of the mean over 2h², by half of s²/M in the fair form; far below ½ + ½/M."""
    truth, members = points
    square = (members[0].mean(axis=0) - truth[0]) ** 2
    for estimator, less in (("biased", 0.0), ("fair", members[0].var(axis=0, ddof=1) / 8)):
        metric = cls(bandwidths=(1e4,), estimator=estimator)
        assert 2e8 * value(metric, sums_of(metric, *points)) == pytest.approx((square - less).mean(), rel=1e-6)
    metric = cls(bandwidths=(1e-6,), estimator="biased")
    assert value(metric, sums_of(metric, *points)) == pytest.approx(0.5 + 0.5 / 8, abs=1e-12)


@pytest.mark.parametrize("cls", [KernelScore, FieldKernelScore])
def test_a_deterministic_source_and_missing_values(cls, sums_of, points):
    metric = cls(bandwidths=(2.0,))
    truth, members = np.array([[0.0, np.nan]]), np.array([[[2.0, np.nan]]])
    assert value(metric, sums_of(metric, truth, members)) == pytest.approx(1 - np.exp(-0.5))
    points[1][0, 3, 1] = np.nan
    assert np.isnan(value(metric, sums_of(metric, *points)))


@pytest.mark.parametrize("cls", [KernelScore, FieldKernelScore])
def test_bad_fields(cls):
    for bandwidths in ((), (0.0,), (1.0, 1.0)):
        with pytest.raises(ValueError, match=rf"{cls.__name__}.bandwidths must be one or more different numbers, in \(0, inf\), got"):
            cls(bandwidths=bandwidths)
    with pytest.raises(ValueError, match=rf"{cls.__name__}.alpha must be in \[0, 1\], got 3"):
        cls(bandwidths=(1.0,), alpha=3.0)
