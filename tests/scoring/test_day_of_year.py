"""A climatology by day of year and hour is that of every valid time, leap years and other calendars included."""

import numpy as np
import pytest
import xarray as xr

from wxexp.scoring.day_of_year import dated

HOURS = np.array([0, 6, 12, 18])


def climate(days=366, hours=True):
    """Fields whose value is 100 times the day of the year plus the hour."""
    day = 100.0 * np.arange(1, days + 1)
    if not hours:
        return xr.Dataset({"t": (("dayofyear", "lat"), np.stack([day, day], axis=1))}, coords={"dayofyear": np.arange(1, days + 1)})
    both = np.stack([HOURS[:, None] + day] * 2, axis=-1)
    return xr.Dataset({"t": (("hour", "dayofyear", "lat"), both)}, coords={"dayofyear": np.arange(1, days + 1), "hour": HOURS})


def test_every_valid_time_has_its_day_and_hour():
    times = [np.datetime64("2020-02-28T12", "ns"), np.datetime64("2021-02-28T12", "ns"), np.datetime64("2020-12-31T00", "ns")]
    found = dated(climate(), times, [0.0, 18.0], "it")["t"].isel(lat=1)
    values = {str(time)[:13]: float(value) for time, value in zip(found["time"].values, found.values, strict=True)}
    assert values == {
        "2020-02-28T12": 5912.0,
        "2020-02-29T06": 6006.0,
        "2021-02-28T12": 5912.0,
        "2021-03-01T06": 6006.0,
        "2020-12-31T00": 36600.0,
        "2020-12-31T18": 36618.0,
    }


def test_without_hours_and_leads_and_in_a_calendar_without_leap_years():
    times = xr.date_range("2020-03-01", periods=2, freq="D", calendar="noleap", use_cftime=True).values
    assert dated(climate(365, hours=False), times, [None], "it")["t"].values.tolist() == [[6000.0, 6000.0], [6100.0, 6100.0]]


def test_fields_by_time_stay():
    data = climate().expand_dims(time=2)
    assert dated(data, [], [None], "it") is data


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (climate(365), "there is no day 366 in the dayofyear of it, but 1 to 365"),
        (climate().sel(hour=[0, 12]), "there is no hour 6, 18 in the hour of it, but 0 to 12"),
    ],
)
def test_what_it_lacks_is_named(data, message):
    with pytest.raises(ValueError, match=message):
        dated(data, [np.datetime64("2020-12-31T00", "ns")], [6.0, 12.0, 18.0], "it")
