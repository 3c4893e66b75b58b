"""From the sums of a scored run to what is drawn."""

import numpy as np
import pytest
import xarray as xr

from wxexp.reports.diagrams import effective_sizes, exceedances, histograms, neighbourhoods
from wxexp.reports.plots.value import COSTS
from wxexp.statistics import Bins, Exceedances, Neighbourhoods
from wxexp.statistics.exceedances import exceedance_table
from wxexp.statistics.reliability import economic_value

STATISTICS = {
    "one": Exceedances(thresholds=(1.0,)),
    "others": Exceedances(thresholds=(0.0, 2.0, 1.0)),
    "bins": Bins(low=-6, high=6, count=60),
}
WIDE = {**STATISTICS, "wide": Bins(low=-600, high=600, count=60)}


@pytest.fixture(scope="module")
def sums():
    """30 cases of 400 cells, 8 members; a second variable is 100 times as large, and beyond the bins."""
    rng = np.random.default_rng(0)
    m = rng.standard_normal((30, 2, 400))
    y = (m + rng.standard_normal(m.shape)) * np.array([1.0, 100.0])[:, None]
    x = (m[:, :, None] + rng.standard_normal((30, 2, 8, 400))) * np.array([1.0, 100.0])[:, None, None]
    w = np.ones((1, 400))
    data = {}
    for name, one in WIDE.items():
        found = [[one.reduce(y[c, v], x[c, v], w) for v in range(2)] for c in range(30)]
        for key in found[0][0]:
            values = np.stack([[each[key][0] for each in row] for row in found])
            dims = ("threshold" if name == "one" else "threshold_3", "exceeding", "event") if key == "table" else (f"bin_{name}",)
            data[f"{name}.{key}"] = (("case", "variable", *dims), values)
    skill = np.abs(x - y[:, :, None]).mean(axis=2).sum(axis=-1)
    data |= {"pairs.skill": (("case", "variable"), skill), "pairs.pairs": (("case", "variable"), 0.0 * skill)}
    data["pairs.weight"] = (("case", "variable"), 0.0 * skill + 400.0)
    index = np.concatenate([np.arange(start, start + 10) for start in (0, 50, 100)])
    out = xr.Dataset(data, {"variable": ["t", "p"], "index": ("case", index)}, {"members": 8})
    return out, y, x


def test_thresholds_of_all_statistics_are_put_together_once(sums):
    data, y, x = sums
    found = exceedances(data, STATISTICS)
    assert found["threshold"].values.tolist() == [0.0, 1.0, 2.0]
    flat = (y[:, 0].ravel(), x[:, 0].swapaxes(0, 1).reshape(8, -1))
    table = exceedance_table(*flat, np.ones((1, 12_000)), np.array([0.0, 1.0, 2.0]))[0]
    np.testing.assert_allclose(found["table"].sel(variable="t"), table)


def test_bounds_hold_what_they_are_bounds_of(sums):
    """The members are as good as the truth: the frequency of the event given k of them is near k/M, and within the band mostly."""
    found = exceedances(sums[0], STATISTICS).sel(variable="t", threshold=0.0)
    assert (found["low"] <= found["high"]).all() and float((found["high"] - found["low"]).max()) < 0.12
    assert 0.5 < found["area_low"] < found["area_high"] < 1.0
    value = economic_value(found["table"].values, COSTS)
    assert ((found["value_low"] <= value + 1e-12) & (value <= found["value_high"] + 1e-12)).mean() > 0.95
    middle = found.isel(cost=len(COSTS) // 2)  # a cost of ½, the frequency of the event
    assert 0.1 < middle["value_low"] < middle["value_high"] < 0.9


def test_a_single_forecast_and_no_thresholds_have_none(sums):
    assert exceedances(sums[0], {}) is None and exceedances(sums[0].assign_attrs(members=1), STATISTICS) is None


def test_bins_are_those_that_hold_the_variable(sums):
    data, y, _ = sums
    assert list(histograms(data, STATISTICS)) == ["t"]
    found = histograms(data, WIDE)
    assert found["p"]["edges"].values[0] == -600 and found["t"]["edges"].values[0] == -6
    assert float(found["t"]["truth"].sum()) == 12_000 and found["t"].attrs["spacing"] == "linear"
    below = np.searchsorted(found["t"]["edges"], 0.0)
    assert float(found["t"]["truth"][: below + 1].sum()) == (y[:, 0] < 0).sum()


def test_independent_cases_count_fully_and_equal_ones_as_one_per_run(sums):
    data = sums[0]
    assert effective_sizes(data)["t"] > 18  # of 30, within the chance of a correlation of 27 pairs
    alike = data.copy()
    alike["pairs.skill"] = (("case", "variable"), np.repeat([1.0, 5.0, 2.0], 10)[:, None] * np.ones(2))
    far = np.concatenate([np.arange(start, start + 10) for start in (0, 500, 1000)])
    assert effective_sizes(alike.assign_coords(index=("case", far)))["t"] == pytest.approx(3.0, rel=0.12)
    assert effective_sizes(alike)["t"] < 3.0  # 40 steps are not far for what does not change in 10
    assert effective_sizes(data.drop_vars("pairs.skill")) == {}


def test_fractions_of_neighbourhoods_by_hand():
    """A ring of six cells, an event in one, forecast beside it: at 1 cell none is hit; of squares of 3 the fractions are 1/3 or 0."""
    truth, member = np.array([0.0, 0, 9, 0, 0, 0], dtype=np.float32), np.array([0.0, 0, 0, 9, 0, 0], dtype=np.float32)
    one, other = Neighbourhoods(thresholds=(5.0,), scales=(3, 1)), Neighbourhoods(thresholds=(1.0, 5.0), scales=(1, 5))
    data = {}
    for name, statistic in (("one", one), ("other", other)):
        for key, values in statistic.reduce(truth, member[None], np.ones((1, 6))).items():
            data[f"{name}.{key}"] = (("case", "variable", f"threshold_{name}", f"scale_{name}"), np.stack([values] * 9))
    sums = xr.Dataset(data, {"variable": ["pr"], "index": ("case", np.arange(9))}, {"members": 1})
    found = neighbourhoods(sums, {"one": one, "other": other}).sel(variable="pr")
    assert found["threshold"].values.tolist() == [1.0, 5.0] and found["scale"].values.tolist() == [1, 3, 5]
    np.testing.assert_allclose(found["frequency"], 1 / 6)
    # Middles 1 to 4: truth has 1/3 in 1, 2, 3, the member in 2, 3, 4: 1 − 2/9 / (3/9 + 3/9)
    np.testing.assert_allclose(found["fss"].sel(threshold=5.0), [0.0, 2 / 3, np.nan])
    np.testing.assert_allclose(found["fss"].sel(threshold=1.0), [0.0, np.nan, 1.0])  # the later one has no squares of 3 of it
    np.testing.assert_allclose(found["low"].sel(threshold=5.0, scale=3), 2 / 3)
    assert neighbourhoods(sums, {}) is None
