"""Forecasts made elsewhere: rows equal a run's, whatever the names and order; data that does not fit is refused by name."""

import numpy as np
import pytest
import scoringrules
import xarray as xr

import wxexp as wx
from wxexp.scoring import finalise, score
from wxexp.scoring.external import read

LAT, LON = np.array([60.0, 30.0, 0.0, -30.0, -60.0]), np.arange(0.0, 360.0, 45.0)
HOURS = np.array([6, 12])


T = "2m_temperature"


def quiet(text):
    pass


def in_units(data, units):
    """The same numbers, said to be in others; None: without."""
    return data.assign({T: data[T].drop_attrs() if units is None else data[T].assign_attrs(units=units)})


def analysis(step=6, count=24):
    """Fields by valid time, as WeatherBench 2 has them: latitude falling or rising, longitude from 0."""
    times = np.datetime64("2020-01-01", "ns") + np.arange(count) * np.timedelta64(step, "h")
    x = np.random.default_rng(1).standard_normal((count, len(LAT), len(LON))).astype(np.float32) + 280
    return xr.Dataset(
        {"2m_temperature": (("time", "latitude", "longitude"), x, {"units": "K"})},
        coords={"time": times, "latitude": LAT, "longitude": LON},
    )


def forecasts(members=4):
    """Initial times a day apart, `prediction_timedelta`, `number`, as WeatherBench 2 has them."""
    times = np.datetime64("2020-01-01", "ns") + np.arange(5) * np.timedelta64(1, "D")
    x = np.random.default_rng(2).standard_normal((5, members, 2, len(LAT), len(LON))).astype(np.float32) + 280
    return xr.Dataset(
        {"2m_temperature": (("time", "number", "prediction_timedelta", "latitude", "longitude"), x, {"units": "K"})},
        coords={
            "time": times,
            "number": np.arange(members),
            "prediction_timedelta": HOURS.astype("timedelta64[h]").astype("timedelta64[ns]"),
            "latitude": LAT,
            "longitude": LON,
        },
    )


@pytest.mark.parametrize("leads", [1, 2])
def test_rows_have_the_bits_of_a_run(world, here, tmp_path, leads):
    w = world(leads=leads, times=8)
    score(tree=w.tree, executor=here(), out=tmp_path)
    table = [row for row in finalise(w.experiment, tmp_path) if row.source == "forecast" and row.metric != "crpss"]
    items = w.opened.items("test")
    place = {"lat": w.opened.grid.lat, "lon": w.opened.grid.lon}
    truth = xr.concat([w.opened.truth(item).assign_coords(place) for item in items], "time", join="exact")
    truth = truth.assign_coords(time=[np.datetime64(item.time, "ns") for item in items])
    mask = w.opened.read(items[:1]).mask.numpy()[0]
    for v, units in enumerate(w.opened.codec.units):
        name = w.opened.codec.targets[v]
        truth[name] = truth[name].where(xr.DataArray(mask[v], dims=("lat", "lon"))).assign_attrs(units=units)
    truth.to_zarr(tmp_path / "truth.zarr", zarr_format=3, consolidated=False)
    members = read(w.path)
    for name, units in zip(w.opened.codec.targets, w.opened.codec.units, strict=True):
        members[name].attrs["units"] = units
    metrics = {name: metric for name, metric in w.experiment.scoring.metrics.items() if name != "crpss"}
    names = w.opened.codec.targets
    rows = wx.score(read(tmp_path / "truth.zarr"), members, metrics=metrics, variables=names, draws=50, say=quiet)
    assert [repr(row) for row in rows] == [repr(row) for row in table]  # bounds too; as text, in which NaN equals NaN
    assert any(row.low is not None for row in rows)


def test_weatherbench_names_valid_times_and_area_weights():
    truth, members = analysis(), forecasts()
    rows = {(row.metric, row.lead_hours): row for row in wx.score(truth, members, metrics=("crps", "mae"))}
    y = np.stack([truth["2m_temperature"].values[[4 * day + 1, 4 * day + 2]] for day in range(5)])  # 6 and 12 hours after each day's 0 UTC
    x = members["2m_temperature"].values
    band = np.diff(np.sin(np.deg2rad([-75.0, -45.0, -15.0, 15.0, 45.0, 75.0])))
    weights = np.broadcast_to(band[:, None], y.shape[2:])
    for l, lead in enumerate([6.0, 12.0]):
        crps = scoringrules.crps_ensemble(y[:, l], x[:, :, l], m_axis=1, estimator="fair", backend="numpy").mean(axis=0)
        mae = np.abs(x[:, :, l].mean(axis=1) - y[:, l]).mean(axis=0)
        assert rows["crps", lead].value == pytest.approx(np.average(crps, weights=weights), rel=1e-4)
        assert rows["mae", lead].value == pytest.approx(np.average(mae, weights=weights), rel=1e-4)
    assert {(row.source, row.variable, row.units) for row in rows.values()} == {("forecast", "2m_temperature", "K")}


CHANGES = {
    "latitude": lambda x: x.isel(latitude=slice(None, None, -1)),
    "members": lambda x: x.isel(number=[2, 0, 3, 1]),
    "times": lambda x: x.isel(time=[3, 1, 4, 0, 2]),
    "dims": lambda x: x.transpose("longitude", "prediction_timedelta", "latitude", "time", "number"),
    "longitude": lambda x: x.assign_coords(longitude=(x["longitude"] + 180) % 360 - 180).sortby("longitude"),
    "rounding": lambda x: x.assign_coords(latitude=x["latitude"].astype(np.float32) + np.float32(3e-5)),
    "names": lambda x: x.rename(number="realization", prediction_timedelta="step", latitude="lat", longitude="lon"),
    "init_time": lambda x: x.rename(time="init_time", number="ensemble", prediction_timedelta="lead_time"),
    "hours": lambda x: x.assign_coords(prediction_timedelta=("prediction_timedelta", HOURS / 24, {"units": "days"})),
    "nanoseconds": lambda x: x.assign_coords(prediction_timedelta=("prediction_timedelta", HOURS * 3600 * 10**9, {"units": "nanoseconds"})),
    "spelling": lambda x: in_units(x, "kelvin"),
    "level": lambda x: x.expand_dims(height=[2.0]),
    "bytes": lambda x: x.astype(">f8"),
    "zone": lambda x: x.assign_coords(time=[f"{str(time)[:10]}T09:00:00+09:00" for time in x["time"].values]),
}


@pytest.mark.parametrize("change", CHANGES)
def test_order_and_names_do_not_matter(change):
    truth, members = analysis(), forecasts()
    metrics = ("crps", "rmse", "bias")
    once, again = (wx.score(truth, x, metrics=metrics) for x in (members, CHANGES[change](members)))
    if change == "members":  # a sum in another order
        assert [row.value for row in again] == pytest.approx([row.value for row in once], rel=1e-5)
    else:
        assert again == once


def test_units_are_converted_to_those_of_the_truth():
    truth, members = analysis(), forecasts()
    celsius = in_units(members.astype(np.float64) - 273.15, "degC")
    once, again = (wx.score(truth, x) for x in (members, celsius))
    assert [(row.metric, row.units) for row in once] == [(row.metric, row.units) for row in again]
    assert [row.value for row in again] == pytest.approx([row.value for row in once], rel=1e-4)


def test_a_forecast_without_members_has_its_mean_absolute_error_as_crps():
    rows = wx.score(analysis(), forecasts().isel(number=0, drop=True))
    values = {(row.metric, row.lead_hours): row.value for row in rows}
    assert {metric for metric, _ in values} == {"crps", "mae", "rmse", "bias"}
    assert values["crps", 6.0] == pytest.approx(values["mae", 6.0], rel=1e-12)


def test_variables_come_by_name_or_as_asked_for():
    truth, members = (data.assign(a=data[T]) for data in (analysis(), forecasts()))
    assert [row.variable for row in wx.score(truth, members[[T, "a"]], metrics=["mae"])] == [T, "a"] * 2
    assert [row.variable for row in wx.score(truth, members, metrics=["mae"], variables=["a", T])] == ["a", T] * 2


def test_a_single_level_is_found_among_levels():
    """A field at 500 hPa, as selected from a file, against truth at several; and the other way round."""
    truth, members = analysis(), forecasts()
    once = wx.score(truth, members)
    single = members.assign_coords(isobaricInhPa=500.0)
    several = truth.expand_dims(level=[850, 500]) + np.array([50.0, 0.0]).reshape(2, 1, 1, 1)
    several[T].attrs["units"] = "K"
    rows = wx.score(several, single)
    assert [row.value for row in rows] == pytest.approx([row.value for row in once], rel=1e-4, abs=1e-4)
    assert {row.variable for row in rows} == {f"{T}_500"}
    rows = wx.score(truth.assign_coords(plev=((), 5e4, {"units": "Pa"})), members.expand_dims(level=[500]), references={"r": single})
    assert [row.value for row in rows if row.source == "forecast" and row.metric != "crpss"] == [row.value for row in once]
    with pytest.raises(ValueError, match="no variable '2m_temperature_700' in the truth"):
        wx.score(several, members.assign_coords(level=700))
    with pytest.raises(
        ValueError, match="has levels in the truth, 2m_temperature_850, 2m_temperature_500, and the members do not say which"
    ):
        wx.score(several, members)


def test_netcdf_zarr_and_memory_are_the_same(tmp_path):
    truth, members = analysis(), forecasts()
    truth.to_netcdf(tmp_path / "truth.nc")
    members.to_zarr(tmp_path / "members.zarr", zarr_format=2)
    assert wx.score(read(tmp_path / "truth.nc"), read(tmp_path / "members.zarr")) == wx.score(truth, members)


def test_latitude_and_longitude_of_every_cell():
    """A rotated grid without coordinates of its own dimensions: rows may run either way."""
    lat, lon = np.meshgrid(LAT, np.arange(0.0, 40.0, 5.0), indexing="ij")
    place = {"latitude": (("y", "x"), lat + lon / 10), "longitude": (("y", "x"), lon - lat / 10)}
    truth, members = (
        data.drop_vars(["latitude", "longitude"]).rename(latitude="y", longitude="x").assign_coords(place)
        for data in (analysis(), forecasts())
    )
    rows = wx.score(truth, members)
    assert wx.score(truth, members.isel(y=slice(None, None, -1))) == rows
    flat = {row.metric: row.value for row in rows if row.lead_hours == 6.0}
    y, x = truth["2m_temperature"].values[1:20:4], members["2m_temperature"].values[:, :, 0]
    assert flat["mae"] == pytest.approx(np.abs(x.mean(axis=1) - y).mean(), rel=1e-5)  # all cells count the same
    moved = members.assign_coords(latitude=members["latitude"] + 0.01)
    with pytest.raises(ValueError, match=r"lat of the truth and of the members differ: 60 and 60.01 at cell \(0, 0\)"):
        wx.score(truth, moved)


def test_latitudes_of_rows_and_longitudes_of_columns_are_a_grid_whatever_its_dimensions_are_called():
    """Weighted by area, as under the usual names."""
    truth, members = (
        data.drop_vars(["latitude", "longitude"])
        .rename(latitude="y", longitude="x")
        .assign_coords(latitude=("y", LAT), longitude=("x", LON), y=np.arange(5), x=np.arange(8))
        for data in (analysis(), forecasts())
    )
    want = wx.score(analysis(), forecasts())
    assert wx.score(truth, members) == wx.score(truth, members.isel(y=slice(None, None, -1))) == want


def test_a_circle_of_latitude_may_say_which_it_is():
    truth, members = (data.sel(latitude=30.0) for data in (analysis(), forecasts()))
    want = wx.score(*(data.drop_vars("latitude") for data in (truth, members)))
    assert wx.score(truth, members) == wx.score(truth, members.isel(longitude=slice(None, None, -1))) == want
    with pytest.raises(ValueError, match="lat of the truth and of the members differ: 30 and 0 at cell"):
        wx.score(truth, forecasts().sel(latitude=0.0))
    with pytest.raises(ValueError, match="cannot be matched along lon: not both have the coordinate lon"):
        wx.score(truth, members.drop_vars("longitude"))


def test_truth_that_is_nan_has_no_weight_and_is_counted():
    truth, members = analysis(), forecasts()
    field = truth["2m_temperature"]
    field[:, 0, :] = np.nan  # 8 cells always
    field[1, 2, 3] = np.nan  # and one at 6 hours after the first
    said = []
    rows = wx.score(truth, members, metrics=["crps"], say=said.append)
    assert said == ["81 of 400 values of the truth of 2m_temperature are NaN and have no weight (8 cells are NaN always)"]
    north = members.copy(deep=True)
    north["2m_temperature"][:, :, :, 0, :] = 1e6
    assert wx.score(truth, north, metrics=["crps"], say=quiet) == rows
    with pytest.warns(UserWarning, match="81 of 400"):
        wx.score(truth, members, metrics=["crps"])


def without(data, name, **places):
    data = data.copy(deep=True)
    data[name].loc[places] = np.nan
    return data


def of_stations(data, names):
    """The first meridian at places that have names."""
    return data.isel(longitude=0, drop=True).rename(latitude="station").assign_coords(station=names)


@pytest.mark.parametrize("names", [list("CABED"), [7110003, 7110001, 7110002, 7110005, 7110004]], ids=["names", "numbers"])
@pytest.mark.parametrize("kind", ["own", "object"])
def test_stations_are_matched_by_name_or_number(names, kind):
    """The latter are neighbours and not the same, however large."""
    names = np.array(names, dtype=object if kind == "object" else None)
    truth, members = of_stations(analysis(), names), of_stations(forecasts(), names)
    every, other = (wx.score(truth, x, metrics=["crps"]) for x in (members, members.isel(station=[2, 0, 1, 4, 3])))
    assert every == other and len({row.value for row in every}) > 1
    shuffled = wx.score(truth, members.assign_coords(station=names[::-1]), metrics=["crps"])
    assert shuffled[0].value != every[0].value


@pytest.mark.parametrize("draws", [0, -1])
def test_draws_that_cannot_be(draws):
    with pytest.raises(ValueError, match=f"draws must be at least 1, got {draws}"):
        wx.score(analysis(), forecasts(), draws=draws, say=quiet)


BAD = {
    "latitude": (lambda y, x: (y, x.assign_coords(latitude=LAT + np.array([0, 0, 0.02, 0.3, 0]))), "lat .* 0 at place 2, nearest 0.02"),
    "longitude": (lambda y, x: (y, x.assign_coords(longitude=LON + 1.0)), "lon .* differ: 0 at place 0, nearest 1"),
    "size": (
        lambda y, x: (y, x.isel(latitude=slice(1, None))),
        r"lat has 5 places \(60 to -60\) in the truth and 4 places \(30 to -60\) in the members",
    ),
    "times": (
        lambda y, x: (y.isel(time=[i for i in range(24) if i != 9]), x),
        "the truth lacks 2020-01-03T06:00:00, which the members have",
    ),
    "many times": (lambda y, x: (y.isel(time=slice(6)), x), "2020-01-02T12:00:00, 2020-01-03T06:00:00, 2020-01-03T12:00:00 and 4 more"),
    "overlap": (lambda y, x: (y.assign_coords(time=y["time"] + np.timedelta64(900, "D")), x), "do not overlap: 2022-06-19T00:00:00 to"),
    "twice": (lambda y, x: (y, x.isel(time=[0, 1, 1])), "there is 2020-01-02T00:00:00 twice in the members"),
    "member": (
        lambda y, x: (y, without(x, T, time="2020-01-03", number=2)),
        "member 2 of 2m_temperature at 2020-01-03T00:00:00 is missing",
    ),
    "units": (lambda y, x: (y, in_units(x, "mm/day")), "is in K in the truth and in mm/day in the members"),
    "no units": (lambda y, x: (in_units(y, None), x), "is in no units in the truth and in K in the members"),
    "masked": (lambda y, x: (y.where(False), x), "is NaN at every time and place"),
    "variable": (
        lambda y, x: (y, x.rename({T: "t2m"})),
        r"no variable 't2m' in the truth \(name the variables to score, .*\); choose from 2m_temperature",
    ),
    "lead twice": (lambda y, x: (y, x.isel(prediction_timedelta=[0, 1, 1])), "there is the lead of 12 hours twice in the members"),
    "lead text": (lambda y, x: (y, x.assign_coords(prediction_timedelta=["6h", "12h"])), "must be timedeltas or in hours, .*, got '6h'"),
    "members of a lead": (
        lambda y, x: (y, without(x, T, time="2020-01-03", number=[1, 2], prediction_timedelta="6h")),
        r"member 1, 2 of 2m_temperature at 2020-01-03T00:00:00 \+6 h is missing",
    ),
    "whole time": (lambda y, x: (y, without(x, T, time="2020-01-03")), "every member of 2m_temperature at 2020-01-03T00:00:00 is missing"),
    "shuffled": (
        lambda y, x: (y.isel(latitude=[0, 2, 1, 3, 4]), x),
        "latitudes of the truth must rise or fall, got 0 and then 30 at place 2",
    ),
    "colatitude": (
        lambda y, x: tuple(d.assign_coords(latitude=90.0 - LAT) for d in (y, x)),
        "must be degrees from -90 to 90, got 30 to 150",
    ),
    "radians": (
        lambda y, x: tuple(d.assign_coords(latitude=("latitude", np.deg2rad(LAT), {"units": "radians"})) for d in (y, x)),
        "must be degrees from -90 to 90, got 1.047197551 to -1.047197551 radians",
    ),
    "round the globe": (
        lambda y, x: tuple(xr.concat([d, d.isel(longitude=[0]).assign_coords(longitude=[360.0])], "longitude") for d in (y, x)),
        "lon of the truth has one place twice: 0 at 0 and 360 at 8",
    ),
    "no latitude": (
        lambda y, x: tuple(d.rename(latitude="y") for d in (y, x)),
        "dimensions y, lon, of which only one is known to be a latit",
    ),
    "other level": (
        lambda y, x: (y.assign_coords(level=500), x.assign_coords(level=((), 85000, {"units": "Pa"}))),
        "is at level 500 in the truth and at level 850 in the members",
    ),
    "no members": (lambda y, x: (y, x.isel(number=[])), "there is nothing to score: the members are 0 at 5 times"),
    "no times": (lambda y, x: (y, x.isel(time=[])), "there is nothing to score: the members are 4 at 0 times"),
    "fahrenheit": (
        lambda y, x: (y, in_units(x, "degF")),
        "is in K in the truth and in degF in the members, which are not known to be conv",
    ),
    "array": (lambda y, x: (y[T], x), r"datasets\['truth'\] must be a Dataset, got DataArray"),
    "level": (
        lambda y, x: (y.expand_dims(level=[500, 850]), x.expand_dims(level=[500, 1000])),
        "no variable '2m_temperature_1000' in the truth .*; did you mean '2m_temperature_",
    ),
    "truth members": (lambda y, x: (y.expand_dims(number=[0, 1]), x), "the truth has 2 members"),
    "lead units": (
        lambda y, x: (y, x.assign_coords(prediction_timedelta=("prediction_timedelta", HOURS, {"units": "months"}))),
        "lead times of the members must be .*, got units 'months'",
    ),
    "stations": (
        lambda y, x: (of_stations(y, list("ABCDE")), of_stations(x, list("ABXDE"))),
        "station of the truth and of the members differ: C at place 2 is not there",
    ),
    "stations twice": (
        lambda y, x: (of_stations(y, list("ABBDE")), of_stations(x, list("ABCDE"))),
        "station of the truth has one place twice: B at 1 and B at 2",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_does_not_fit_is_refused(case):
    change, message = BAD[case]
    with pytest.raises(ValueError, match=message):
        wx.score(*change(analysis(), forecasts()), say=quiet)


@pytest.mark.parametrize(
    ("metrics", "message"),
    [
        (["crsp"], "there is no metric 'crsp'.*crps"),
        (["brier"], "metric 'brier' needs thresholds"),
        (["crpss"], "'crpss' has no row"),
        ([], "no metric"),
        ("crps", r"metrics must be names, such as \['crps'\]"),
        ({"a": "crps"}, r"metrics\['a'\] must be a Metric, got str"),
        ([wx.metrics.CRPS()], "metrics must be names, or metrics by name, got CRPS"),
    ],
)
def test_metrics_that_cannot_be(metrics, message):
    with pytest.raises(ValueError, match=message):
        wx.score(analysis(), forecasts(), metrics=metrics)


def test_a_metric_with_arguments():
    rows = wx.score(analysis(), forecasts(), metrics={"tail": wx.metrics.Brier(thresholds=(280.0,))})
    assert {row.metric for row in rows} == {"brier_280"}


def test_fields_of_metrics_that_cannot_be():
    """A constructor lets them pass: "uper" would be the lower tail by the name of the upper one."""
    with pytest.raises(ValueError, match=r"metrics\['tail'\].tail cannot be 'uper'; did you mean 'upper'"):
        wx.score(analysis(), forecasts(), metrics={"tail": wx.metrics.OutcomeCRPS(thresholds=(280.0,), tail="uper")})


def test_metrics_whose_rows_cannot_be_told_apart():
    centres = {"low": wx.metrics.RescaledCRPS(thresholds=(280.0,)), "high": wx.metrics.RescaledCRPS(thresholds=(280.0,), centre=270.0)}
    with pytest.raises(ValueError, match="metrics 'low' and 'high' both have a row 'vrcrps_280', of 2m_temperature .* score one of them"):
        wx.score(analysis(), forecasts(), metrics=centres)


def test_a_nan_member_makes_the_score_nan():
    members = without(forecasts(), T, number=1, latitude=30.0)
    said = []
    assert all(np.isnan(row.value) for row in wx.score(analysis(), members, metrics=["crps"], say=said.append))
    assert said == ["80 of 1600 values of the members of 2m_temperature are NaN where there is truth, and make its scores NaN"]


def test_bounds_need_eight_cases_and_not_two_runs():
    """A gap of two months after two of five days leaves five cases, which are too few to draw from; bounds of the same twice are given."""
    truth, gap = analysis(count=600), forecasts()
    gap = gap.assign_coords(time=gap["time"] + np.array([0, 0, 60, 60, 60]) * np.timedelta64(1, "D"))
    assert {row.low for row in wx.score(truth, gap, metrics=["crps"])} == {None}
    later = gap.assign_coords(time=gap["time"] + np.timedelta64(70, "D"))
    rows = wx.score(truth, xr.concat([gap, later], "time"), metrics=["crps"])
    assert all(row.low <= row.value <= row.high for row in rows)


def test_one_variable_of_one_case_is_read_at_a_time(tmp_path, monkeypatch):
    forecasts().to_zarr(tmp_path / "members.zarr", zarr_format=3, consolidated=False)
    members, sizes = read(tmp_path / "members.zarr"), []
    values = xr.DataArray.values.fget
    monkeypatch.setattr(xr.DataArray, "values", property(lambda self: sizes.append(self.size) or values(self)))
    wx.score(analysis(), members)
    assert max(sizes) == 4 * 2 * 40


def test_a_single_time_lead_and_member_as_coordinates_without_dimension():
    """As ECMWF's GRIB files become: scalar `time`, `step` and `number`, and a `valid_time` beside."""
    truth = analysis().isel(time=2).assign_coords(step=np.timedelta64(0, "ns"), number=0)
    valid = truth["time"].values
    members = (
        forecasts(1).isel(time=0, prediction_timedelta=1, number=0).rename(prediction_timedelta="step").assign_coords(valid_time=valid)
    )
    (row,) = wx.score(truth, members, metrics=["crps"])
    gap = np.abs(members[T].values - truth[T].values).mean(axis=1)
    assert row.lead_hours == 12.0
    assert row.value == pytest.approx(np.average(gap, weights=np.diff(np.sin(np.deg2rad([-75.0, -45, -15, 15, 45, 75])))), rel=1e-5)


# Latitude weights, mean 1, of the first rows and one more: global without and with poles as WeatherBench 2 has them (Rasp et al. 2024), of
# a region with edges half a step out, and of a polar cap, where the outer edge is the pole: sin 77.5°, sin 82.5°, sin 87.5° and 1.
WEIGHTS = {
    "global": (
        -90 + 5.625 * (np.arange(32) + 0.5),
        {0: 0.077044373245, 1: 0.230391140303, 2: 0.381519114736, 3: 0.528972851535, 15: 1.568274245273},
    ),
    "poles": (np.linspace(-90.0, 90.0, 33), {0: 0.019874972615, 1: 0.158712612966, 16: 1.619233252805}),
    "region": (np.array([40.0, 42, 44, 46]), {0: 1.048231711447, 1: 1.016896577294, 2: 0.984322511303, 3: 0.950549199956}),
    "polar": (
        np.array([80.0, 85, 90]),
        dict(enumerate(3 * np.diff(np.sin(np.deg2rad([77.5, 82.5, 87.5, 90]))) / (1 - np.sin(np.deg2rad(77.5))))),
    ),
}


@pytest.mark.parametrize("falling", [False, True])
@pytest.mark.parametrize("name", WEIGHTS)
def test_area_weights_of_global_polar_and_regional_grids(name, falling):
    """The bias of a forecast that is off by 1 in a single row is the weight of the row, over the number of rows."""
    lat, weights = WEIGHTS[name]
    place = {"time": [np.datetime64("2020-01-01", "ns")], "latitude": lat, "longitude": [0.0, 1.0]}
    zero = np.zeros((1, len(lat), 2), "f4")
    members = {f"row{row}": (("time", "latitude", "longitude"), zero + (np.arange(len(lat)) == row)[:, None]) for row in weights}
    truth = xr.Dataset({key: (dims, zero) for key, (dims, _) in members.items()}, coords=place)
    ours = xr.Dataset(members, coords=place)
    rows = wx.score(truth.isel(latitude=slice(None, None, -1)) if falling else truth, ours, metrics=["bias"])
    found = {row.variable: row.value * len(lat) for row in rows}
    assert found == pytest.approx({f"row{row}": weight for row, weight in weights.items()}, rel=1e-10)


def test_means_along_circles_of_latitude_are_weighted_with_the_circles():
    truth, members = (data.mean("longitude", keep_attrs=True) for data in (analysis(), forecasts()))
    rows = wx.score(truth, members, metrics=["bias"], groups={"tropics": wx.subsets.Region(south=-30.0, north=30.0)})
    row, tropics = rows[:2]
    error = members[T].values.mean(axis=1)[:, 0] - truth[T].values[1:20:4]
    band = np.diff(np.sin(np.deg2rad([-75.0, -45.0, -15.0, 15.0, 45.0, 75.0])))
    assert row.value == pytest.approx(np.average(error.mean(axis=0), weights=band), abs=1e-5)
    assert tropics.value == pytest.approx(np.average(error.mean(axis=0)[1:4], weights=band[1:4]), abs=1e-5)
    with pytest.raises(ValueError, match=r"groups\['x'\] has no cell that is scored: 0 of 5 cells belong to it"):
        wx.score(truth, members, groups={"x": wx.subsets.Region(west=0.0, east=90.0)})


GROUPS = {"north": wx.subsets.Region(south=10.0), "land": wx.subsets.Static(name="land", at_least=0.5)}


@pytest.mark.parametrize("cells", [False, True])
def test_groups_of_a_grid_with_latitudes_of_every_cell(cells):
    """Regions and land of a rotated grid, and of its cells in a row."""
    lat, lon = np.meshgrid(LAT, LON, indexing="ij")
    land = np.arange(40).reshape(5, 8) % 3 == 0

    def turned(data):
        data = data.drop_vars(["latitude", "longitude"]).rename(latitude="y", longitude="x")
        data = data.assign_coords(latitude=(("y", "x"), lat), longitude=(("y", "x"), lon)).assign(land=(("y", "x"), land.astype("f4")))
        return data.stack(cell=("y", "x")).drop_vars(["cell", "x", "y"]) if cells else data

    truth, members = analysis(), forecasts()
    rows = wx.score(turned(truth), turned(members).drop_vars("land"), metrics=["mae"], groups=GROUPS)
    found = {row.group: row.value for row in rows if row.lead_hours == 6.0}
    gap = np.abs(members[T].values[:, :, 0].mean(axis=1) - truth[T].values[1:20:4]).mean(axis=0)
    assert found == pytest.approx({"all": gap.mean(), "north": gap[:2].mean(), "land": gap[land].mean()}, rel=1e-5)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ({"all": wx.subsets.Region()}, "groups cannot have an entry 'all'"),
        ({"x": wx.subsets.Static(name="lsm", below=1.0)}, r"groups\['x'\]: the truth has no field 'lsm' by lat, lon alone"),
        ({"x": "Region"}, r"groups\['x'\] must be a Subset, got str"),
        ([wx.subsets.Region()], "groups must be a mapping from names"),
        (
            {"north": wx.subsets.Region(south=10.0)},
            r"groups\['north'\] has no cell that is scored: 16 of 40 cells belong to it, all masked",
        ),
        (
            {"x": wx.subsets.Months(months=(2,))},
            r"groups\['x'\] has none of the 5 times that are scored, 2020-01-01T00:00:00 to 2020-01-05",
        ),
    ],
)
def test_groups_that_cannot_be(groups, message):
    truth = analysis()
    truth[T][:, :2] = np.nan
    with pytest.raises(ValueError, match=message):
        wx.score(truth, forecasts(), groups=groups, say=quiet)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: x.isel(time=slice(3)), "the reference 'r' lacks 2020-01-04T00:00:00, 2020-01-05T00:00:00, which the members have"),
        (lambda x: x.isel(prediction_timedelta=[0]), "there is no lead of 12 hours in the reference 'r', but 6"),
        (lambda x: x.rename({T: "t2m"}), "there is no variable '2m_temperature' in the reference 'r'; choose from t2m"),
        (lambda x: x.assign_coords(latitude=LAT + 1), "lat of the truth and of the reference 'r' differ: 60 at place 0, nearest 61"),
        (lambda x: in_units(x, "mm"), "is in K in the truth and in mm in the reference 'r'"),
        (
            lambda x: without(x, T, time="2020-01-02", number=2),
            "member 2 of the reference 'r' of 2m_temperature at 2020-01-02T00:00:00 is mis",
        ),
        (
            lambda x: x.assign_coords(time=x["time"] + np.timedelta64(99, "D")),
            "reference 'r' and members do not overlap: 2020-04-09T00:00:00 to",
        ),
    ],
)
def test_a_reference_that_does_not_fit(change, message):
    with pytest.raises(ValueError, match=message):
        wx.score(analysis(), forecasts(), references={"r": change(forecasts())})


def test_a_reference_of_more_times_leads_and_units_is_the_same():
    """In any order; persistence, by the initial time as the valid time of every lead, is a forecast of one member."""
    truth, members = analysis(), forecasts()
    other = forecasts(3).assign_coords(number=range(3)) + 1.0
    other[T].attrs["units"] = "K"
    more = in_units(other - 273.15, "degC").isel(time=[4, 2, 0, 1, 3], latitude=slice(None, None, -1))
    once, again = (wx.score(truth, members.isel(time=[1, 2]), references={"r": x}) for x in (other, more))
    assert [row.value for row in again] == pytest.approx([row.value for row in once], rel=1e-3, abs=1e-4)
    assert {row.source for row in once if row.metric == "crpss"} == {"r"}
    with pytest.raises(ValueError, match="references cannot have an entry 'forecast'"):
        wx.score(truth, members, references={"forecast": other})
