"""Value curves of Finley's tornado forecasts (Wilks 2019, table 8.1) and of 500 forecasts of 10 members, frozen by a seed."""

import numpy as np
import pytest
import xarray as xr

from wxexp.reports.plots import value_curves
from wxexp.reports.plots.value import COSTS

DIMS = ("variable", "threshold", "exceeding", "event")


def of(*tables, thresholds=(1.0,)):
    names = [f"x{i}" for i in range(len(tables))]
    return xr.DataArray(np.array(tables, dtype=float), {"variable": names, "threshold": list(thresholds)}, DIMS)


def test_the_largest_value_is_the_peirce_score_at_the_frequency_of_the_event():
    """28 hits, 72 false alarms, 23 misses, 2680 correct negatives: PSS 0.523 as published."""
    figure, data = value_curves(of([[[2680, 23], [72, 28]]]), units={"x0": "1"}, lead_hours=24.0)
    data = data.isel(curve=0)
    assert float(data["largest"]) == pytest.approx(0.523, abs=5e-4) and float(data["frequency"]) == pytest.approx(51 / 2803)
    assert float(data["value"].max()) <= float(data["largest"])
    # With warnings 100 costs and 23 losses are paid: of a tenth of a loss 33, without warnings 51, with perfect ones 5.1.
    assert float(data["value"].sel(cost=0.1)) == pytest.approx((51 - 33) / (51 - 5.1))
    assert float(data["value"].sel(cost=0.9)) == pytest.approx(0.0, abs=1e-12)  # 113 > 51
    (axis,) = figure.axes
    assert axis.get_xscale() == "log" and axis.lines[0].get_ydata()[0] == 1.0 and figure.get_suptitle() == "+24 h"
    curve, dot = axis.lines[2].get_xydata(), axis.lines[3].get_xydata()
    assert curve[:, 1].max() == dot[0, 1] == float(data["largest"]) and dot[0, 0] == 51 / 2803
    assert (np.diff(curve[:, 0]) >= 0).all() and len(curve) == len(COSTS) + 1


def test_perfect_and_random_forecasts():
    perfect, random = [[[6, 0], [0, 0], [0, 4]]], [[[3, 2], [0, 0], [3, 2]]]
    figure, data = value_curves(of(perfect, random), units={"x0": "K", "x1": "K"})
    np.testing.assert_allclose(data["value"], np.stack([np.ones_like(COSTS), np.zeros_like(COSTS)]), atol=1e-12)
    assert figure.axes[0].get_xscale() == "linear" and "low" not in data
    assert [axis.get_title() for axis in figure.axes] == ["x0 (K)", "x1 (K)"]


def test_probabilities_by_the_best_of_their_thresholds_and_bands():
    rs = np.random.RandomState(31)
    p = rs.beta(0.5, 0.5, 500)
    o = rs.random_sample(500) < p
    k = (rs.random_sample((500, 10)) < p[:, None]).sum(axis=1)
    table = np.stack([np.bincount(k[o == event], minlength=11) for event in (False, True)], axis=-1)
    tables = of([np.zeros((11, 2)), table], thresholds=(0.0, 5.0))
    dims, shape = ("variable", "threshold", "cost"), (1, 2, len(COSTS))
    band = xr.Dataset({"value_low": (dims, np.full(shape, 0.2)), "value_high": (dims, np.full(shape, 0.7))})
    figure, data = value_curves(tables, bounds=band, units={"x0": "K"})
    assert data["threshold"].values.tolist() == [5.0]
    data = data.isel(curve=0)
    assert (data["low"] == 0.2).all() and (data["high"] == 0.7).all()
    peirce = [((k >= i) & o).sum() / o.sum() - ((k >= i) & ~o).sum() / (~o).sum() for i in range(12)]
    assert float(data["largest"]) == pytest.approx(max(peirce)) and float(data["frequency"]) == o.mean()
    # What is saved by acting where k ≥ i, for the best i, of what perfect warnings save: losses are 1; without warnings min(cost, s).
    cost = float(COSTS[np.abs(COSTS - 0.3).argmin()])
    paid = [((k >= i) * cost + ((k < i) & o)).mean() for i in range(12)]
    saved = (min(cost, o.mean()) - min(paid)) / (min(cost, o.mean()) - o.mean() * cost)
    assert float(data["value"].sel(cost=cost)) == pytest.approx(saved, abs=1e-12)
    (text,) = figure.axes[0].get_legend().get_texts()
    assert text.get_text().startswith("> 5: 0.") and text.get_text().endswith(" at 0.52")
