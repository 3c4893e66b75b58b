"""Digits from scoringrules, of vectors scaled with the square root of their weight."""

import numpy as np
import pytest

from wxexp.metrics import EnergyScore


@pytest.mark.parametrize("estimator, value", [("fair", 1.225068096532), ("biased", 1.527515982088)])
def test_digits_of_four_cases_of_five_variables(estimator, value, sums_of):
    rs = np.random.RandomState(7)
    y, x = rs.standard_normal((4, 5)), 0.1 + 1.2 * rs.standard_normal((4, 6, 5))
    metric = EnergyScore(estimator=estimator)
    (row,) = metric.rows(sums_of(metric, y, x))
    assert row.value * np.sqrt(5) == pytest.approx(value, abs=1e-11) and row.units == "K"
    assert row.metric == ("energy_score" if estimator == "fair" else "energy_score_biased")
    assert abs(row.value * np.sqrt(5) - 1.181571906982) > 0.04  # of pairs of neighbours only, which changes with the order of members


@pytest.mark.parametrize("shift, digits", [(0.0, 1e-11), (1e6, 1e-8)])
@pytest.mark.parametrize("estimator, value", [("fair", 0.697760571117), ("biased", 0.817962169114)])
def test_digits_of_a_field_with_areas(estimator, value, shift, digits, sums_of):
    rs = np.random.RandomState(111)
    y, x = rs.standard_normal((8, 16)), rs.standard_normal((6, 8, 16))
    area = np.diff(np.sin(np.deg2rad(np.linspace(-90, 90, 9))))[:, None] * np.ones(16)
    metric = EnergyScore(estimator=estimator)
    (row,) = metric.rows(sums_of(metric, y[None] + shift, x[None] + shift, weights=area[None]))
    assert row.value == pytest.approx(value, abs=digits)


def test_blocks_of_cells_change_nothing(sums_of, monkeypatch):
    rs = np.random.RandomState(1)
    y, x = rs.standard_normal((1, 6, 7)), rs.standard_normal((1, 4, 6, 7))
    y[0, 2, 3] = np.nan
    whole = EnergyScore().rows(sums_of(EnergyScore(), y, x))[0].value
    monkeypatch.setattr("wxexp.statistics.field_distances.CELLS", 5)
    assert EnergyScore().rows(sums_of(EnergyScore(), y, x))[0].value == pytest.approx(whole, rel=1e-13)
    lost = x.copy()
    lost[0, 0, 2, 3] = np.nan  # where there is no truth
    assert EnergyScore().rows(sums_of(EnergyScore(), y, lost))[0].value == pytest.approx(whole, rel=1e-13)
    lost[0, 0, 0, 0] = np.nan
    assert np.isnan(EnergyScore().rows(sums_of(EnergyScore(), y, lost))[0].value)


def test_a_deterministic_source_and_a_case_without_truth(sums_of):
    """sqrt((9 + 16) / 2), and nothing of the second case."""
    truth, members = np.array([[0.0, 0.0], [np.nan, np.nan]]), np.array([[[3.0, 4.0]], [[1.0, 1.0]]])
    (row,) = EnergyScore().rows(sums_of(EnergyScore(), truth, members))
    assert row.value == pytest.approx(np.sqrt(12.5))


def test_bad_alpha():
    with pytest.raises(ValueError, match=r"EnergyScore.alpha must be in \[0, 1\], got 2"):
        EnergyScore(alpha=2.0)
