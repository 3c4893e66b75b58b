"""Diagrams of the table in Ferro and Stephenson's setting: 500 forecasts of 10 members, frozen by a seed."""

import numpy as np
import pytest
import xarray as xr

from wxexp.reports.plots import events, reliability, roc_curves

UNITS = {"a": "K", "b": "mm d-1"}


def tables():
    """Variable a: the table whose scores libraries gave; b: an event that is never there beside one that always is."""
    rs = np.random.RandomState(31)
    p = rs.beta(0.5, 0.5, 500)
    o = rs.random_sample(500) < p
    k = (rs.random_sample((500, 10)) < p[:, None]).sum(axis=1)
    known = np.stack([np.bincount(k[o == event], minlength=11) for event in (False, True)], axis=-1).astype(float)
    never, always = np.zeros((11, 2)), np.zeros((11, 2))
    never[0, 0] = always[-1, 1] = 500
    found = np.stack([[known, never], [known[::-1, ::-1], always]])
    return xr.DataArray(found, {"variable": ["a", "b"], "threshold": [1.0, 5.0]}, ("variable", "threshold", "exceeding", "event"))


def test_only_what_can_be_told_apart_is_drawn():
    assert events(tables()) == [(0, 0), (1, 0)]


def test_reliability_has_the_parts_of_the_brier_score():
    """scipy's isotonic_regression: MCB 0.003374242090, DSC 0.121118242090; UNC 0.249424."""
    figure, data = reliability(tables(), units=UNITS, lead_hours=24.0)
    here = data.isel(panel=0)
    assert float(here["miscalibration"]) == pytest.approx(0.003374242090, abs=1e-11)
    assert float(here["discrimination"]) == pytest.approx(0.121118242090, abs=1e-11)
    assert float(here["uncertainty"]) == pytest.approx(0.249424, abs=1e-12)
    np.testing.assert_allclose(here["weight"] * 500, [75, 56, 35, 31, 43, 24, 23, 31, 35, 54, 93])
    np.testing.assert_allclose(here["frequency"][[0, 1, -1]], [3 / 75, 10 / 56, 89 / 93])
    assert (np.diff(here["calibrated"]) >= 0).all() and "low" not in data
    assert [axis.get_title() for axis in figure.axes[:2]] == ["a > 1 K", "b > 1 mm d⁻¹"]
    assert data["variable"].values.tolist() == ["a", "b"] and data["threshold"].values.tolist() == [1.0, 1.0]


def test_the_band_is_the_one_given():
    bounds = xr.Dataset(
        {name: (("variable", "threshold", "exceeding"), np.full((2, 2, 11), x)) for name, x in (("low", 0.2), ("high", 0.7))}
    )
    _, data = reliability(tables(), bounds=bounds, units=UNITS)
    assert (data["low"] == 0.2).all() and (data["high"] == 0.7).all()


def test_the_area_below_the_roc_curve():
    """scores.roc_auc of the same table: 0.891886907435."""
    figure, data = roc_curves(tables(), units=UNITS)
    assert data["area"].values == pytest.approx([0.891886907435] * 2, abs=1e-11)
    assert data.sizes["point"] == 12
    np.testing.assert_array_equal(data["hits"][:, [0, -1]], [[0.0, 1.0]] * 2)
    assert [axis.get_title() for axis in figure.axes] == ["a (K)", "b (mm d⁻¹)"]
    (text,) = figure.axes[0].get_legend().get_texts()
    assert text.get_text() == "> 1: area 0.892"
