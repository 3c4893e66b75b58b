"""Metrics of the table of exceedances: 500 beta-distributed probabilities, 10 members; digits from scores, scoringrules and numpy."""

import numpy as np
import pytest
import scoringrules

from wxexp.metrics import Brier, BrierDecomposition, FrequencyBias, Ignorance, ROCArea


@pytest.fixture
def events():
    rs = np.random.RandomState(31)
    p = rs.beta(0.5, 0.5, 500)
    truth = rs.random_sample(500) < p
    members = rs.random_sample((500, 10)) < p[:, None]
    return truth.reshape(5, 100).astype(np.float32), members.reshape(5, 100, 10).swapaxes(1, 2).astype(np.float32)


@pytest.mark.parametrize(
    "metric, name, value",
    [
        (Brier(thresholds=(0.5,)), "brier_0.5", 0.119244444444),
        (Brier(thresholds=(0.5,), estimator="biased"), "brier_biased_0.5", 0.13168),
        (ROCArea(thresholds=(0.5,)), "roc_area_0.5", 0.891886907435),
        (Ignorance(thresholds=(0.5,)), "ignorance_0.5", 0.413036193100),
    ],
)
def test_digits(metric, name, value, sums_of, events):
    (row,) = metric.rows(sums_of(metric, *events))
    assert (row.metric, row.units) == (name, "1") and row.value == pytest.approx(value, abs=1e-11)
    assert row.low < row.value < row.high


def test_the_decomposition_adds_up_and_has_these_digits(sums_of, events):
    metric = BrierDecomposition(thresholds=(0.5,))
    rows = {row.metric: row.value for row in metric.rows(sums_of(metric, *events))}
    assert rows == {
        "brier_reliability_0.5": pytest.approx(0.003787207209, abs=1e-11),
        "brier_resolution_0.5": pytest.approx(0.121531207209, abs=1e-11),
        "brier_uncertainty_0.5": pytest.approx(0.249424, abs=1e-11),
    }
    reliability, resolution, uncertainty = rows.values()
    assert reliability - resolution + uncertainty == pytest.approx(0.13168, abs=1e-14)


def test_several_thresholds_and_weights_equal_scoringrules(sums_of):
    rs = np.random.RandomState(5)
    y, x, w = rs.standard_normal((3, 40)), rs.standard_normal((3, 7, 40)), rs.random_sample(40)
    metric = Brier(thresholds=(-1.0, 0.25), estimator="biased")
    for row, threshold in zip(metric.rows(sums_of(metric, y, x, weights=w[None])), (-1.0, 0.25), strict=True):
        score = scoringrules.brier_score((y > threshold).astype(float), (x > threshold).mean(axis=1), backend="numpy")
        assert row.value == pytest.approx(np.average(score, weights=np.broadcast_to(w, y.shape)), abs=1e-12)
        assert row.metric == ("brier_biased_-1" if threshold == -1 else "brier_biased_0.25")


def test_a_deterministic_source_has_the_share_of_its_mistakes(sums_of):
    """Of 4 cells one false alarm; hit rate 1, false alarm rate 1/3, so the area is (1 + 2/3) / 2."""
    truth, members = np.array([[0.0, 0.0, 9.0, 0.0]]), np.array([[[0.0, 7.0, 8.0, 1.0]]])
    for metric, value in [(Brier(thresholds=(5.0,)), 0.25), (ROCArea(thresholds=(5.0,)), 5 / 6)]:
        (row,) = metric.rows(sums_of(metric, truth, members))
        assert row.value == pytest.approx(value) and row.metric.endswith("_5")


def test_frequency_bias_is_a_ratio_of_sums(sums_of):
    """Four of sixteen member cells exceed, one of eight of truth; the second case has no event, and alone no ratio."""
    truth, members = (
        np.array([[9.0, 0, 0, 0], [0.0, 0, 0, 0]]),
        np.array([[[9.0, 9, 0, 0], [9.0, 0, 0, 0]], [[0.0, 0, 0, 0], [9.0, 0, 0, 0]]]),
    )
    metric = FrequencyBias(thresholds=(5.0,))
    (row,) = metric.rows(sums_of(metric, truth, members))
    assert (row.metric, row.units) == ("frequency_bias_5", "1") and row.value == pytest.approx(2.0)
    (dry,) = metric.rows(sums_of(metric, truth[1:], members[1:]))
    assert np.isnan(dry.value)


def test_a_deterministic_source_has_no_ignorance(sums_of):
    metric = Ignorance(thresholds=(5.0,))
    assert metric.rows(sums_of(metric, np.zeros((1, 3)), np.ones((1, 1, 3)))) == []


def test_without_events_there_is_no_roc_area(sums_of):
    metric = ROCArea(thresholds=(5.0,))
    (row,) = metric.rows(sums_of(metric, np.zeros((2, 3)), np.ones((2, 4, 3))))
    assert np.isnan(row.value) and row.low is None


@pytest.mark.parametrize("cls", [Brier, BrierDecomposition, FrequencyBias, Ignorance, ROCArea])
@pytest.mark.parametrize("bad", [(), (1.0, 1.0), (float("nan"),), (float("inf"),)])
def test_bad_thresholds(cls, bad):
    with pytest.raises(ValueError, match=f"{cls.__name__}.thresholds must be one or more different numbers, finite, got"):
        cls(thresholds=bad)
