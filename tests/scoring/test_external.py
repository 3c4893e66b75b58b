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
    w = world(leads=leads)
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
    "spelling": lambda x: in_units(x, "kelvin"),
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


BAD = {
    "latitude": (lambda y, x: (y, x.assign_coords(latitude=LAT + np.array([0, 0, 0.02, 0.3, 0]))), "lat .* 0 at place 2, nearest 0.02"),
    "longitude": (lambda y, x: (y, x.assign_coords(longitude=LON + 1.0)), "lon .* differ: 0 at place 0, nearest 1"),
    "size": (lambda y, x: (y, x.isel(latitude=slice(1, None))), "lat has 5 places in the truth and 4 in the members"),
    "times": (
        lambda y, x: (y.isel(time=[i for i in range(24) if i != 9]), x),
        "the truth lacks 2020-01-03T06:00:00, which the members have",
    ),
    "many times": (lambda y, x: (y.isel(time=slice(6)), x), "2020-01-02T12:00:00, 2020-01-03T06:00:00, 2020-01-03T12:00:00 and 4 more"),
    "overlap": (lambda y, x: (y.assign_coords(time=y["time"] + np.timedelta64(900, "D")), x), "do not overlap: 2022-06-19T00:00:00 to"),
    "twice": (lambda y, x: (y, x.isel(time=[0, 1, 1])), "the ensemble has 2020-01-02T00:00:00 twice"),
    "member": (
        lambda y, x: (y, without(x, T, time="2020-01-03", number=2)),
        "member 2 of 2m_temperature at 2020-01-03T00:00:00 is missing",
    ),
    "units": (lambda y, x: (y, in_units(x, "mm/day")), "is in K in the truth and in mm/day in the members"),
    "no units": (lambda y, x: (in_units(y, None), x), "is in no units in the truth and in K in the members"),
    "masked": (lambda y, x: (y.where(False), x), "is NaN at every time and place"),
    "variable": (lambda y, x: (y, x.rename({T: "t2m"})), "the truth have no variable t2m, but 2m_temperature"),
    "level": (lambda y, x: (y.expand_dims(level=[500, 850]), x.expand_dims(level=[500, 850])), "select one level"),
    "truth members": (lambda y, x: (y.expand_dims(number=[0, 1]), x), "the truth has 2 members"),
    "lead units": (
        lambda y, x: (y, x.assign_coords(prediction_timedelta=("prediction_timedelta", HOURS, {"units": "months"}))),
        "lead times of the ensemble must be .*, got units 'months'",
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
    ],
)
def test_metrics_that_cannot_be(metrics, message):
    with pytest.raises(ValueError, match=message):
        wx.score(analysis(), forecasts(), metrics=metrics)


def test_a_metric_with_arguments():
    rows = wx.score(analysis(), forecasts(), metrics={"tail": wx.metrics.Brier(thresholds=(280.0,))})
    assert {row.metric for row in rows} == {"brier_280"}


def test_a_nan_member_makes_the_score_nan():
    members = without(forecasts(), T, number=1, latitude=30.0)
    assert all(np.isnan(row.value) for row in wx.score(analysis(), members, metrics=["crps"]))


def test_blocks_are_runs_of_times_at_the_shortest_step():
    """A gap after two of five days: two blocks, and so bounds; none of five days without a gap, which are too few for moving blocks."""
    rows = wx.score(analysis(count=40), forecasts(), metrics=["crps"])
    assert {row.low for row in rows} == {None}
    gap = forecasts()
    gap = gap.assign_coords(time=gap["time"] + np.array([0, 0, 2, 2, 2]) * np.timedelta64(1, "D"))
    rows = wx.score(analysis(count=40), gap, metrics=["crps"])
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
