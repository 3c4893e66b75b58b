import warnings

import numpy as np
import pytest
import xarray as xr

from wxexp.fields.grid import Grid
from wxexp.members.store import Layout, Store, create_or_extend

LATLON = Grid("latlon", lat=np.array([40.0, 50.0, 60.0]), lon=np.array([0.0, 1.0, 2.0, 3.0]))
TIMES = ("2019-12-31", "2020-01-01", "2020-03-01")
LAYOUT = Layout({"tas": "K", "pr": "mm day-1"}, LATLON, TIMES)


def read(path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # xarray warns of what it had to guess
        return xr.open_zarr(path)


def chunk(members: range, leads: int = 1, shape: tuple[int, ...] = (3, 4)) -> dict[str, np.ndarray]:
    """Member m has value m + 0.1 lead."""
    values = np.array(members)[:, None] + 0.1 * np.arange(leads)
    tas = np.ones((*values.shape, *shape)) * values.reshape(*values.shape, *[1] * len(shape))
    return {"tas": tas, "pr": -tas}


def test_downscaling_store(tmp_path):
    store = create_or_extend(tmp_path / "members.zarr", LAYOUT, members=3, chunk=2, attributes={"title": "test"})
    store.write(1, range(0, 2), chunk(range(0, 2)))
    store.write(1, range(2, 3), chunk(range(2, 3)))
    data = read(store.path)
    assert data.tas.dims == ("time", "member", "lat", "lon") and data.tas.dtype == np.float32
    assert data.tas.attrs == {"units": "K"} and data.pr.attrs == {"units": "mm day-1"}
    assert list(data.time.values) == list(np.array(TIMES, dtype="datetime64[ns]"))
    assert list(data.member.values) == [0, 1, 2]
    assert data.lat.attrs["units"] == "degrees_north" and data.lon.attrs["units"] == "degrees_east"
    assert data.attrs == {"Conventions": "CF-1.11", "title": "test"}
    assert data.tas.encoding["chunks"] == (1, 2, 3, 4)
    (codec,) = data.tas.encoding["compressors"]
    assert (codec.cname.value, codec.shuffle.value) == ("lz4", "shuffle")
    assert np.array_equal(data.tas.isel(time=1).values, np.ones((3, 3, 4)) * np.arange(3)[:, None, None])
    assert np.isnan(data.tas.isel(time=[0, 2]).values).all(), "what is not drawn yet is NaN"


def test_forecast_store(tmp_path):
    layout = Layout({"tas": "K", "pr": "1"}, LATLON, ("2020-01-01T00", "2020-01-01T06"), lead_hours=(6.0, 12.0))
    store = create_or_extend(tmp_path / "members.zarr", layout, members=2, chunk=2)
    store.write(0, range(0, 2), chunk(range(0, 2), leads=2))
    data = read(store.path)
    assert data.tas.dims == ("init_time", "member", "lead_time", "lat", "lon")
    assert data.init_time.values[1] == np.datetime64("2020-01-01T06")
    assert data.lead_time.attrs == {"standard_name": "forecast_period", "units": "hours"} and list(data.lead_time.values) == [6, 12]
    np.testing.assert_allclose(data.tas.values[0, 1, :, 0, 0], [1.0, 1.1], rtol=1e-7)
    assert data.tas.encoding["chunks"] == (1, 2, 2, 3, 4)


@pytest.mark.parametrize(
    ("grid", "dims", "coordinates"),
    [
        (Grid("projected", lat=np.ones((3, 4)), lon=np.ones((3, 4)), dx_km=12.0, dy_km=12.0), ("y", "x"), {"lat", "lon", "y", "x"}),
        (Grid("projected", lat=np.ones((3, 4)), lon=np.ones((3, 4))), ("y", "x"), {"lat", "lon"}),
        (Grid("cells", lat=np.ones(12), lon=np.ones(12)), ("cell",), {"lat", "lon"}),
        (Grid("ring", lat=None, lon=np.arange(40.0), periodic_x=True), ("x",), {"x"}),
    ],
)
def test_grids(tmp_path, grid, dims, coordinates):
    create_or_extend(tmp_path / "members.zarr", Layout({"tas": "K"}, grid, TIMES), members=1, chunk=4)
    data = read(tmp_path / "members.zarr")
    assert data.tas.dims == ("time", "member", *dims) and data.tas.shape[2:] == grid.shape
    assert set(data.tas.coords) == coordinates | {"time", "member"}


def test_members_are_added_to_the_same_store(tmp_path):
    path = tmp_path / "members.zarr"
    create_or_extend(path, LAYOUT, members=3, chunk=2).write(0, range(0, 2), chunk(range(0, 2)))
    (path / "tas" / "c" / "x.partial").write_text("of a killed writer")
    store = create_or_extend(path, LAYOUT, members=7, chunk=5)
    assert (store.members, store.chunk) == (7, 2), "the store's own chunk wins"
    assert store.chunks(3) == [range(0, 2), range(2, 4)] and store.chunks(7)[-1] == range(6, 7)
    store.write(0, range(2, 4), chunk(range(2, 4)))
    data = read(path)
    assert list(data.member.values) == list(range(7))
    assert np.array_equal(data.pr.values[0, :5, 0, 0], [0, -1, -2, -3, np.nan], equal_nan=True)
    assert not list(path.rglob("*.partial"))
    assert create_or_extend(path, LAYOUT, members=2, chunk=2).members == 7, "none is taken away"


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (Layout({"tas": "degC", "pr": "mm day-1"}, LATLON, TIMES), r"variables pr \(mm day-1\), tas \(K\), not .* tas \(degC\)"),
        (Layout({"tas": "K"}, LATLON, TIMES), "variables"),
        (Layout({"tas": "K", "pr": "mm day-1"}, LATLON, TIMES[:2]), "another time than the experiment: 3 from"),
        (Layout({"tas": "K", "pr": "mm day-1"}, LATLON, ("2020-12-31", "2021-01-01", "2021-03-02")), "hours since 2019-12-31"),
        (Layout({"tas": "K", "pr": "mm day-1"}, LATLON, TIMES, lead_hours=(6.0,)), "another init_time .*: none"),
        (Layout({"tas": "K", "pr": "mm day-1"}, Grid("latlon", lat=LATLON.lat, lon=LATLON.lon + 1), TIMES), "another lon"),
    ],
)
def test_another_store_is_refused(tmp_path, other, message):
    create_or_extend(tmp_path / "members.zarr", LAYOUT, members=3, chunk=2)
    with pytest.raises(ValueError, match=message):
        create_or_extend(tmp_path / "members.zarr", other, members=3, chunk=2)


def test_times_of_another_calendar_are_kept_as_written(tmp_path):
    times = ("2000-02-29", "2000-02-30")  # of 360 days
    layout = Layout({"tas": "K"}, LATLON, times)
    create_or_extend(tmp_path / "members.zarr", layout, members=1, chunk=1)
    assert [str(t) for t in read(tmp_path / "members.zarr").time.values] == list(times)
    assert create_or_extend(tmp_path / "members.zarr", layout, members=2, chunk=1).members == 2


def test_seconds_where_hours_are_not_whole(tmp_path):
    times = ("2020-01-01T00:00:00", "2020-01-01T00:10:00")
    create_or_extend(tmp_path / "members.zarr", Layout({"tas": "K"}, LATLON, times), members=1, chunk=1)
    assert read(tmp_path / "members.zarr").time.values[1] == np.datetime64("2020-01-01T00:10:00")


def test_chunks_are_written_whole(tmp_path):
    store = create_or_extend(tmp_path / "members.zarr", LAYOUT, members=5, chunk=2)
    for part in (range(0, 1), range(1, 3), range(4, 6)):
        with pytest.raises(AssertionError):
            store.write(0, part, chunk(part))


def test_a_store_that_is_half_made_is_made_again(tmp_path):
    (tmp_path / "members.zarr.part" / "tas").mkdir(parents=True)
    create_or_extend(tmp_path / "members.zarr", LAYOUT, members=1, chunk=1)
    assert Store(tmp_path / "members.zarr").members == 1
    assert not (tmp_path / "members.zarr.part").exists()
