import numpy as np
import pytest

from wxexp.reports.plots import spread_skill


def test_bins_of_a_reliable_ensemble():
    """Digits of an independent calculation from NumPy's frozen RandomState stream: spread without, error with sqrt(M / (M + 1))."""
    old = np.random.RandomState(131)
    scale = np.exp(0.5 * old.standard_normal(5000))
    members = scale[:, None] * old.standard_normal((5000, 20))
    truth = scale * old.standard_normal(5000)
    pairs = (members.var(axis=1, ddof=1), (members.mean(axis=1) - truth) ** 2, np.ones(5000))
    figure, data = spread_skill({"t": pairs}, units={"t": "K"}, members=20, bins=5)
    spread = [0.4859187778, 0.7371768911, 0.9752797266, 1.2798388489, 2.1442916197]
    skill = [0.5428649479, 0.7998555248, 1.0252276877, 1.3273555750, 2.0520924066]
    np.testing.assert_allclose(data["spread"].values[0] * np.sqrt(20 / 21), spread, rtol=1e-9)
    np.testing.assert_allclose(data["skill"].values[0] * np.sqrt(20 / 21), skill, rtol=1e-9)
    drawn = figure.axes[0].lines[1].get_xydata()
    np.testing.assert_array_equal(drawn, np.stack([data["spread"].values[0], data["skill"].values[0]], axis=1))


def test_weights_and_missing_cells():
    """s^2 = 1 and 4 with weights 3 and 1: the mean variance is 7/4, the mean squared error 2, and (M + 1) / M = 2 for one pair."""
    variance, error, weight = np.array([1.0, 4.0, 9.0, np.nan]), np.array([2.0, 2.0, 2.0, 2.0]), np.array([3.0, 1.0, 0.0, 5.0])
    _, data = spread_skill({"t": (variance, error, weight)}, units={"t": "K"}, members=2, bins=1)
    assert data["spread"].item() ** 2 == pytest.approx(1.5 * 7 / 4) and data["skill"].item() ** 2 == pytest.approx(2)
    assert data["ratio"].item() ** 2 == pytest.approx(1.5 * 7 / 8)


def test_fewer_cells_than_bins_and_none():
    one = np.ones(2)
    _, data = spread_skill({"t": (one, one, one), "p": (one, one, 0 * one)}, units={"t": "K", "p": "mm"}, members=4, bins=3)
    assert np.isfinite(data["skill"].values).tolist() == [[True, True, False], [False] * 3]
