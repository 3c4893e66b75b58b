"""Indices of series: against plain loops over members, years and cells, and against libraries."""

import itertools

import numpy as np
import pandas as pd
import pytest
import scoringrules
import xarray as xr
from scipy import stats

from wxexp.scoring import climate_indices

DAYS = pd.date_range("2001-12-20", "2006-01-10")


def series(members, days=DAYS, units="mm/day", seed=0):
    x = np.random.default_rng(seed).gamma(0.4, 6.0, (len(days), members, 2, 3)).astype(np.float32)
    coords = {"time": days, "member": np.arange(members), "lat": [40.0, 50.0], "lon": [0.0, 1.0, 2.0]}
    data = xr.Dataset({"pr": (("time", "member", "lat", "lon"), x, {"units": units})}, coords=coords)
    return data if members > 1 else data.isel(member=0, drop=True)


def by_hand(x, wet=1.0):
    """Of the days of a year in a cell."""
    runs = [(w, len(list(run))) for w, run in itertools.groupby(x >= wet)]
    cdd, cwd = (max([n for w, n in runs if w is np.bool_(kind)], default=0) for kind in (False, True))
    return {"rx1day": x.max(), "cdd": cdd, "cwd": cwd, "wet_days": (x >= wet).sum(), "sdii": x[x >= wet].mean()}


def test_every_member_year_and_cell():
    truth, members = series(1, seed=1), series(3)
    found = climate_indices(truth, members, variable="pr")
    assert found["year"].values.tolist() == [2001, 2002, 2003, 2004, 2005, 2006] and found["cdd_truth"].dims == ("year", "lat", "lon")
    for year, row, column in itertools.product((2001, 2002, 2004), (0, 1), (0, 2)):
        of_truth = by_hand(truth["pr"].sel(time=str(year)).values[:, row, column])
        of_member = by_hand(members["pr"].sel(time=str(year)).values[:, 2, row, column])
        for name in of_truth:
            at = {"year": found["year"].values.tolist().index(year), "lat": row, "lon": column}
            assert found[f"{name}_truth"].isel(at) == pytest.approx(of_truth[name], rel=1e-6)
            assert found[name].isel(at | {"member": 2}) == pytest.approx(of_member[name], rel=1e-6)
    for name in ("rx1day", "cdd", "sdii"):
        y, x = found[f"{name}_truth"].values, np.moveaxis(found[name].values, 0, -1)
        expected = scoringrules.crps_ensemble(y, x, estimator="fair", backend="numpy").mean(axis=0)
        np.testing.assert_allclose(found[f"{name}_crps"], expected, rtol=1e-5)
    assert [found[name].attrs["units"] for name in ("rx1day", "cwd", "sdii_crps", "wet_days_truth")] == ["mm/day", "days", "mm/day", "days"]


def test_blocks_of_days_change_nothing(monkeypatch):
    """Of 5 days, across the end of a year and through spells."""
    truth, members = (data.sel(time=slice("2001-12-20", "2002-02-28")) for data in (series(1, seed=1), series(3)))
    expected = climate_indices(truth, members, variable="pr")
    monkeypatch.setattr("wxexp.scoring.climate.BLOCK", 5 * 3 * 6)
    xr.testing.assert_identical(climate_indices(truth, members, variable="pr"), expected)


def test_return_levels_of_a_known_law():
    """One value a year is its maximum; the levels of 2 members in 3 cells are on average those of the law."""
    days = pd.date_range("2001-01-01", "2060-12-31")
    first = days.is_year_start
    law, rng = stats.genextreme(-0.1, loc=40.0, scale=10.0), np.random.default_rng(0)
    members, truth = series(2, days), series(1, days)
    members, truth = (data.isel(lat=[0]) * 0.0 for data in (members, truth))
    members["pr"][first] = law.rvs(members["pr"][first].shape, random_state=rng)
    truth["pr"][first] = law.rvs(truth["pr"][first].shape, random_state=rng)
    found = climate_indices(truth, members, variable="pr", return_periods=(2, 20))
    assert found["return_level"].dims == ("member", "period", "lat", "lon") and found["period"].values.tolist() == [2, 20]
    # standard errors of 6 series of 60 years are 0.7 and 3
    levels = found["return_level"].mean(("member", "lat", "lon")).values - law.isf([1 / 2, 1 / 20])
    assert abs(levels[0]) < 2 and abs(levels[1]) < 9
    y, x = found["return_level_truth"].values, found["return_level"].values
    fair = np.abs(x - y).mean(axis=0) - np.abs(x[0] - x[1]) / 2
    np.testing.assert_allclose(found["return_level_crps"], fair, rtol=1e-4, atol=1e-4)


def test_matched_converted_and_in_any_order():
    """Latitudes the other way, another unit and shuffled times: the same."""
    truth, members = series(1, seed=1), series(3)
    expected = climate_indices(truth, members, variable="pr")
    other = members.isel(lat=slice(None, None, -1), time=np.random.default_rng(0).permutation(len(DAYS))) / 86400
    other["pr"].attrs["units"] = "kg m-2 s-1"
    found = climate_indices(truth, other.rename(member="realization"), variable="pr")
    np.testing.assert_allclose(found["rx1day"], expected["rx1day"], rtol=1e-6)
    xr.testing.assert_equal(found["cdd_truth"], expected["cdd_truth"])


def test_a_wet_day_is_1_mm_in_any_units():
    truth, members = series(1, seed=1), series(2)
    expected = climate_indices(truth, members, variable="pr")
    rates = [data.assign(pr=(data["pr"] / 86400).assign_attrs(units="kg m-2 s-1")) for data in (truth, members)]
    found = climate_indices(*rates, variable="pr")
    xr.testing.assert_equal(found["cwd"], expected["cwd"])
    np.testing.assert_allclose(found["sdii_crps"] * 86400, expected["sdii_crps"], rtol=1e-4)
    amounts = [data.assign(pr=data["pr"].assign_attrs(units="mm")) for data in (truth, members)]
    xr.testing.assert_equal(climate_indices(*amounts, variable="pr"), expected)
    metres = [data.assign(pr=(data["pr"] / 1000).assign_attrs(units="m")) for data in (truth, members)]
    assert climate_indices(*metres, variable="pr").attrs["wet"] == 1e-3
    xr.testing.assert_equal(climate_indices(*metres, variable="pr")["cwd"], expected["cwd"])
    inches = [data.assign(pr=(data["pr"] / 25.4).assign_attrs(units="inch")) for data in (truth, members)]
    with pytest.raises(ValueError, match="what a wet day has is 1 mm, which is not known in inch: give wet"):
        climate_indices(*inches, variable="pr")
    xr.testing.assert_equal(climate_indices(*inches, variable="pr", wet=1 / 25.4)["cdd"], expected["cdd"])


def test_a_single_forecast_has_its_absolute_error_and_days_of_the_calendar_of_models():
    days = xr.date_range("2001-02-01", periods=59, calendar="360_day", use_cftime=True)
    truth, forecast = series(1, days, seed=1), series(1, days)
    found = climate_indices(truth, forecast, variable="pr")
    assert found["year"].values.tolist() == [2001]
    np.testing.assert_array_equal(found["rx1day_crps"], abs(found["rx1day"][0, 0] - found["rx1day_truth"][0]))


def test_a_gap_ends_a_spell_and_a_masked_cell_is_nan():
    truth, members = (data.sel(time=slice("2003-01-01", "2003-03-31")) * 0 for data in (series(1), series(2)))
    truth["pr"][:, 0, 0] = np.nan
    found = climate_indices(truth, members.drop_sel(time=pd.date_range("2003-01-21", "2003-01-25")), variable="pr")
    assert (found["cdd"] == 65).all() and (found["cwd"] == 0).all()  # of 90 days 20, then 5 that are not there, then 65
    assert np.isnan(found["cdd_truth"][:, 0, 0]).all() and np.isnan(found["cdd_crps"][0, 0]) and found["cdd_crps"][0, 1] == 0


def test_what_is_no_daily_series_is_refused():
    truth, members = series(1), series(2)
    six = members.assign_coords(time=pd.date_range("2001-12-20", periods=len(DAYS), freq="6h"))
    with pytest.raises(ValueError, match="indices are of daily values, got times 6 hours apart"):
        climate_indices(truth, six, variable="pr")
    with pytest.raises(ValueError, match="these have lead times"):
        climate_indices(truth, members.expand_dims(lead_time=[6.0]), variable="pr")
    with pytest.raises(ValueError, match="the truth lacks 2001-12-20T00:00:00, 2001-12-21T00:00:00, 2001-12-22T00:00:00 and more"):
        climate_indices(truth.isel(time=slice(9, None)), members, variable="pr")
    with pytest.raises(ValueError, match="there is no variable 'prc' in the members; did you mean 'pr'"):
        climate_indices(truth, members, variable="prc")
    levels = [data.expand_dims(level=[500, 850]).transpose("time", ...) for data in (truth, members)]
    with pytest.raises(ValueError, match="pr has levels, of which one has to be given: pr_500, pr_850"):
        climate_indices(*levels, variable="pr")
    with pytest.raises(ValueError, match="at least 3 values, got 2"):
        climate_indices(truth, members.sel(time=slice("2001", "2002")), variable="pr", return_periods=(20,))
