import pytest

from wxexp.datasets import Lorenz96, SyntheticFields
from wxexp.datasets.info import describe


def test_a_source_is_described():
    text = describe(SyntheticFields(cells=(8, 16), times=5, sea=0.25))
    lines = text.splitlines()
    assert "times: 5, 2000-01-01T00:00:00 to 2000-01-05T00:00:00" in lines
    assert "grid: latlon, 8 x 16 cells, 40 to 40.7 degrees north, 0 to 1.5 degrees east" in lines
    assert [line.split()[0] for line in lines[-3:]] == ["tas", "pr", "orog"]
    assert lines[-2].split()[-2:] == ["75.0", "%"] and "mm day-1" in lines[-2]


def test_missing_times_are_counted():
    assert "times: 11, 2000-01-01T00:00:00 to 2000-01-03T12:00:00, 1 missing" in describe(Lorenz96(trajectories=2, steps=5, spin_up=10))


@pytest.mark.parametrize("suffix", ["zarr", "nc"])
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_a_file_is_described(tmp_path, suffix):
    data = SyntheticFields(cells=(8, 8), times=3, sea=0.0).open().data
    path = tmp_path / f"made.{suffix}"
    if suffix == "zarr":
        data.to_zarr(path, consolidated=False)
    else:
        data.to_netcdf(path, engine="h5netcdf")
    tas = next(line for line in describe(path).splitlines() if line.startswith("tas"))
    cells = tas.split()
    assert cells[-2:] == ["100.0", "%"]
    assert [float(cell) for cell in cells[-5:-2]] == pytest.approx([float(f(data["tas"])) for f in (min_of, mean_of, max_of)], rel=1e-3)


def min_of(x):
    return x.min()


def mean_of(x):
    return x.astype(float).mean()


def max_of(x):
    return x.max()


def test_a_path_without_data_is_named(tmp_path):
    with pytest.raises(ValueError, match="there is no file .*nowhere.nc"):
        describe(tmp_path / "nowhere.nc")
    (tmp_path / "words.nc").write_text("not data")
    with pytest.raises(ValueError, match=r"words.nc is neither zarr nor netCDF [^:]*\[[^]]*\]\)$"):
        describe(tmp_path / "words.nc")
