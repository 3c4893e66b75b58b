"""Names, levels and times of datasets written by others."""

import datetime

import numpy as np
import pytest
import xarray as xr

from wxexp.scoring.names import fields, flattened, hectopascals, renamed

UTC1 = datetime.timezone(datetime.timedelta(hours=1))


def data(dims, **coords):
    sizes = [len(coords[dim]) if dim in coords else 2 for dim in dims]
    return xr.Dataset({"t": (dims, np.arange(np.prod(sizes), dtype="f4").reshape(sizes))}, coords={k: (k, v) for k, v in coords.items()})


@pytest.mark.parametrize(
    ("dims", "ours"),
    [
        (("time", "number", "prediction_timedelta", "latitude", "longitude"), {"time", "member", "lead_time", "lat", "lon"}),
        (("init_time", "realization", "step", "lat", "lon"), {"time", "member", "lead_time", "lat", "lon"}),
        (("forecast_reference_time", "sample", "forecast_period", "LAT", "Longitude"), {"time", "member", "lead_time", "lat", "lon"}),
        (("valid_time", "y", "x"), {"time", "y", "x"}),
        (("initial_time", "ens", "leadtime", "cell"), {"time", "member", "lead_time", "cell"}),
    ],
)
def test_dimensions_are_known_by_many_names(dims, ours):
    assert set(renamed(data(dims), "it").dims) == ours


def test_latitude_by_its_units():
    given = data(("time", "nlat", "nlon"), nlat=[10.0, 0.0], nlon=[0.0, 5.0])
    for name, units in (("nlat", "degrees_north"), ("nlon", "degreesE")):
        given[name].attrs["units"] = units
    assert renamed(given, "it").t.dims == ("time", "lat", "lon")


def test_a_name_that_two_could_have():
    with pytest.raises(ValueError, match="there are dimensions number and sample in the members, which both are a member"):
        renamed(data(("number", "sample", "lat")), "the members")


@pytest.mark.parametrize(
    "times",
    [
        ["2020-01-01T00:00:00Z", "2020-01-01T06:00:00Z"],
        ["2020-01-01T01:00:00+01:00", "2020-01-01T07:00:00+01:00"],
        [datetime.datetime(2020, 1, 1, 1, tzinfo=UTC1), datetime.datetime(2020, 1, 1, 7, tzinfo=UTC1)],
        ["2020-01-01", "2020-01-01 06"],
    ],
)
def test_times_as_text_and_of_a_zone_are_utc(times):
    found = renamed(data(("time",), time=np.array(times, dtype=object)), "it")["time"].values
    assert found.tolist() == np.array(["2020-01-01T00", "2020-01-01T06"], dtype=found.dtype).tolist()
    assert found.dtype.kind == "M"


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([3.0, 9.0], "the times of it are numbers without units, such as 'hours since 2020-01-01', from 3"),
        (["2020-01-01", "monday"], "the time at place 1 of it must be a date such as 2020-01-31T06:00, got 'monday'"),
        (np.array(["2020-01-01", "NaT"], "M8[ns]"), "the time at place 1 of it is missing"),
    ],
)
def test_times_that_are_no_dates(times, message):
    with pytest.raises(ValueError, match=message):
        renamed(data(("time",), time=times), "it")


def test_a_level_is_a_variable():
    given = data(("time", "plev", "lat", "lon"), plev=[50000.0, 85000.0], lat=[1.0, 0.0], lon=[0.0, 1.0])
    given["plev"].attrs["units"] = "Pa"
    found, levels = flattened(given)
    assert levels == {"t": ["t_500", "t_850"]} and set(found.data_vars) == {"t_500", "t_850"}
    np.testing.assert_array_equal(found["t_850"].values, given["t"].values[:, 1])
    assert found["t_500"].dims == ("time", "lat", "lon")


def test_a_dimension_of_one_is_dropped_and_others_are_left():
    found, levels = flattened(data(("time", "height", "lat", "lon"), height=[2.0], lat=[1.0, 0.0], lon=[0.0, 1.0]))
    assert found["t"].dims == ("time", "lat", "lon") and levels == {}
    given = data(("time", "y", "x"))
    assert flattened(given)[0].identical(given)
    assert flattened(data(("time", "tile", "y", "x")))[0]["t"].dims == ("time", "tile", "y", "x")


@pytest.mark.parametrize(
    ("units", "value", "expected"), [("hPa", 500, 500.0), ("Pa", 50000, 500.0), ("millibars", 850, 850.0), ("m", 10, 10.0)]
)
def test_levels_in_hectopascals(units, value, expected):
    assert hectopascals(xr.DataArray([value], attrs={"units": units})).tolist() == [expected]


def test_fields_have_a_time_and_a_place():
    given = data(("time", "lat"), time=np.array(["2020-01-01", "2020-01-02"], "M8[ns]")).assign(
        time_bnds=(("time", "bnds"), np.zeros((2, 2))),
        expver=("time", [1, 1]),
        mask=("lat", [0.0, 1.0]),
        text=(("time", "lat"), [["a"] * 2] * 2),
    )
    given["time"].attrs["bounds"] = "time_bnds"
    assert fields(given) == ["t"]
