"""`score --truth PATH --members PATH` as a user of WeatherBench 2 meets it: files that xarray did not write, digits by hand, mistakes."""

import json
import shutil

import numpy as np
import pytest
import written_by_others as other

from wxexp.cli import main

X, Y = other.fields("forecast"), other.fields("truth")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Paths by name, never written to."""
    home = tmp_path_factory.mktemp("others")
    for version in (2, 3):
        other.write_zarr(home / f"forecast{version}.zarr", other.forecast(X), version=version)
        other.write_zarr(home / f"truth{version}.zarr", other.truth(Y), version=version)
    plain = {name: found for name, found in other.truth(Y).items() if name not in ("temperature", "level")}
    other.write_netcdf(home / "truth.nc", plain)
    packed = {"scale_factor": 0.001, "add_offset": 280.0, "_FillValue": np.int16(-32768), "units": "K"}
    other.write_netcdf(home / "packed.nc", {**plain, "2m_temperature": (*plain["2m_temperature"][:2], packed)})
    return home


def rows(capsys, *words):
    """Rows by metric, variable, source, group and lead; and what was said."""
    assert main(["score", "--json", *map(str, words)]) == 0
    out, err = capsys.readouterr()
    return {(r["metric"], r["variable"], r["source"], r["group"], r["lead_hours"]): r["value"] for r in json.loads(out)["rows"]}, err


def refused(capsys, *words):
    """One line."""
    assert main(["score", *map(str, words)]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("wxexp: ") and err.count("\n") == 1
    return err.removeprefix("wxexp: ").rstrip()


@pytest.mark.parametrize("version", [2, 3])
def test_every_level_lead_and_group_of_a_zarr(files, capsys, version):
    words = ["--truth", files / f"truth{version}.zarr", "--members", files / f"forecast{version}.zarr", "--metrics", "crps, mae"]
    words += ["--groups.land=Static", "--groups.land.name=land_sea_mask", "--groups.land.at_least=0.5"]
    words += ["--groups.box=Region", "--groups.box.south=0", "--groups.box.north=60", "--groups.box.west=-50", "--groups.box.east=50"]
    words += ["--groups.january=Months", "--groups.january.months=1", "--metrics.hot=Brier", "--metrics.hot.thresholds=281"]
    found, said = rows(capsys, *words)
    assert said == ""
    cells = {"all": True, "january": True, "land": np.arange(40).reshape(5, 8) % 3 > 0}
    cells["box"] = np.isin(other.LAT, [0, 45])[:, None] & np.isin(other.LON, [315, 0, 45])
    fields = {"2m_temperature": (X[:, :, :, 0], Y[:, 0]), "temperature_500": (X[:, :, :, 0], Y[:, 0])}
    fields["temperature_850"] = X[:, :, :, 1], Y[:, 1]
    for name, (x, y) in fields.items():
        for group, inside in cells.items():
            for lead, value in zip(other.HOURS, other.fair_crps(x, y, inside), strict=True):
                assert found["crps", name, "forecast", group, float(lead)] == pytest.approx(value, rel=1e-5)
    assert {name for _, name, *_ in found} == set(fields)
    assert {metric for metric, *_ in found} == {"crps", "mae", "brier_281"}
    p, event = (X[:, :, 2, 1] > 281).mean(axis=1), Y[[3, 7, 11], 1] > 281
    fair = (p - event) ** 2 - p * (1 - p) / (other.MEMBERS - 1)  # Ferro 2014
    brier = np.average(fair.mean(axis=0), weights=other.AREA)
    assert found["brier_281", "temperature_850", "forecast", "all", 18.0] == pytest.approx(brier, rel=1e-5)


@pytest.mark.parametrize(("name", "rel"), [("truth.nc", 1e-5), ("packed.nc", 2e-3)])
def test_netcdf_plain_and_packed(files, capsys, name, rel):
    found, _ = rows(capsys, "--truth", files / name, "--members", files / "forecast2.zarr", "--variables", "2m_temperature")
    values = [found["crps", "2m_temperature", "forecast", "all", float(lead)] for lead in other.HOURS]
    assert values == pytest.approx(other.fair_crps(X[:, :, :, 0], Y[:, 0]), rel=rel)


def test_variables_that_members_call_otherwise(files, capsys, tmp_path):
    variables = {name: found for name, found in other.forecast(X).items() if name not in ("temperature", "level")}
    variables["t2m"] = variables.pop("2m_temperature")
    other.write_zarr(tmp_path / "f.zarr", variables, version=3)
    words = ["--truth", files / "truth.nc", "--members", tmp_path / "f.zarr", "--metrics", "crps"]
    found, _ = rows(capsys, *words, "--variables", "2m_temperature=t2m")
    assert {name for _, name, *_ in found} == {"2m_temperature"}
    assert list(found.values()) == pytest.approx(other.fair_crps(X[:, :, :, 0], Y[:, 0]), rel=1e-5)
    advice = "(name the variables to score, and others are left out)"
    assert refused(capsys, *words) == f"there is no variable 't2m' in the truth {advice}; choose from 2m_temperature, land_sea_mask"
    assert "there is no variable '2m_temperature' in the members" in refused(capsys, *words, "--variables", "2m_temperature=tas")


def test_packed_truth_that_is_missing_is_counted(files, capsys, tmp_path):
    y = Y.copy()
    y[4:, 0, 2, 3] = np.nan  # from the second day on
    variables = other.truth(y)
    packed = {"scale_factor": 0.001, "add_offset": 280.0, "_FillValue": np.int16(-32768), "units": "K"}
    other.write_netcdf(
        tmp_path / "t.nc", {**other.place(), "time": variables["time"], "2m_temperature": (*variables["2m_temperature"][:2], packed)}
    )
    words = ["--truth", tmp_path / "t.nc", "--members", files / "forecast3.zarr", "--variables", "2m_temperature"]
    assert "6 of 360 values of the truth of 2m_temperature are NaN and have no weight (0 cells are NaN always)" in rows(capsys, *words)[1]


def test_coordinates_of_zarr_2_have_no_missing_values(files, capsys, tmp_path):
    """Its fill value is 0 where the writer says nothing, which CF's decoding takes for missing: 0 °, 0 h, member 0, the first date."""
    variables = {name: found for name, found in other.forecast(X).items() if name not in ("temperature", "level")}
    other.write_zarr(tmp_path / "f.zarr", variables, version=2, fill=False)
    words = ["--truth", files / "truth.nc", "--members", tmp_path / "f.zarr", "--metrics", "crps"]
    values = rows(capsys, *words)[0].values()
    assert list(values) == pytest.approx(other.fair_crps(X[:, :, :, 0], Y[:, 0]), rel=1e-5)
    zeros = np.maximum(X[:, :, :, 0] - 280, 0)
    dims, _, attrs = variables["2m_temperature"]
    other.write_zarr(tmp_path / "zeros.zarr", {**variables, "2m_temperature": (dims, zeros, attrs)}, version=2, fill=False)
    found, said = rows(capsys, "--truth", files / "truth.nc", "--members", tmp_path / "zeros.zarr", "--metrics", "crps")
    assert [*found.values()] == [None] * 3
    lost = f"{(zeros == 0).sum()} of 1440 values of the members of 2m_temperature are NaN where there is truth, and make its scores NaN"
    assert said == f"{lost}; its fill value is 0, so every 0 in the file is read as NaN\n"


def test_skill_over_references(files, capsys, tmp_path):
    """Another ensemble of fewer members, and a climatology by valid time."""
    shifted = np.roll(X, 1, axis=0)[:, :3]
    other.write_zarr(tmp_path / "shifted.zarr", other.forecast(shifted), version=3)
    climate = np.broadcast_to(Y.mean(axis=0), Y.shape).astype("f4")
    other.write_zarr(tmp_path / "climate.zarr", other.truth(climate), version=3)
    words = ["--truth", files / "truth3.zarr", "--members", files / "forecast3.zarr", "--variables", "temperature"]
    words += ["--reference", f"shifted={tmp_path / 'shifted.zarr'}", "--reference", f"climate={tmp_path / 'climate.zarr'}"]
    found, _ = rows(capsys, *words)
    for level, name in enumerate(("temperature_500", "temperature_850")):
        own, theirs = (other.fair_crps(x[:, :, :, level], Y[:, level]) for x in (X, shifted))
        y = np.stack([Y[4 * day + other.HOURS // 6, level] for day in range(3)])
        errors = np.abs(y - climate[0, level]).mean(axis=0)
        for l, lead in enumerate(map(float, other.HOURS)):
            mae = np.average(errors[l], weights=other.AREA)
            assert found["crps", name, "shifted", "all", lead] == pytest.approx(theirs[l], rel=1e-5)
            assert found["crps", name, "climate", "all", lead] == pytest.approx(mae, rel=1e-5)
            assert found["crpss", name, "shifted", "all", lead] == pytest.approx(1 - own[l] / theirs[l], abs=1e-5)
            assert found["crpss", name, "climate", "all", lead] == pytest.approx(1 - own[l] / mae, abs=1e-5)
    assert {source for _, _, source, *_ in found} == {"forecast", "shifted", "climate"}
    yearly = {**other.truth(climate), "hour": (("hour",), np.arange(0, 24, 6), {}), "dayofyear": (("dayofyear",), np.arange(1, 5), {})}
    del yearly["time"], yearly["2m_temperature"]
    dims = ("hour", "dayofyear", "level", "latitude", "longitude")
    yearly["temperature"] = dims, np.broadcast_to(climate[0], (4, 4, *climate[0].shape)).astype("f4"), {"units": "K"}
    other.write_zarr(tmp_path / "yearly.zarr", yearly, version=2)
    again, _ = rows(capsys, *words[:-1], f"climate={tmp_path / 'yearly.zarr'}")
    assert again == found


def test_common_times_where_truth_ends_early(files, capsys, tmp_path):
    other.write_zarr(tmp_path / "t.zarr", other.truth(Y[:10]), version=3)  # without 12 and 18 UTC of the last day
    words = ["--truth", tmp_path / "t.zarr", "--members", files / "forecast3.zarr", "--variables", "2m_temperature", "--metrics", "crps"]
    lacking = "the truth lacks 2020-01-03T18:00:00"
    assert refused(capsys, *words) == f"{lacking}, which the members have; `common` leaves such initial times out"
    found, said = rows(capsys, *words, "--common")
    assert said == f"1 of 3 initial times are left out, because {lacking}\n"
    assert list(found.values()) == pytest.approx(other.fair_crps(X[:2, :, :, 0], Y[:8, 0]), rel=1e-5)


def test_a_chunk_that_is_not_there_or_broken(files, capsys, tmp_path):
    shutil.copytree(files / "forecast3.zarr", tmp_path / "f.zarr")
    words = ["--truth", files / "truth3.zarr", "--members", tmp_path / "f.zarr", "--variables", "2m_temperature"]
    chunks = tmp_path / "f.zarr" / "2m_temperature" / "c"
    (chunk,) = (path for path in (chunks / "1").rglob("*") if path.is_file())
    chunk.write_bytes(b"no zstandard")
    assert refused(capsys, *words).startswith(f"2m_temperature of the members in {tmp_path / 'f.zarr'} cannot be read: ")
    chunk.unlink()
    assert refused(capsys, *words) == "every member of 2m_temperature at 2020-01-02T00:00:00 is missing: NaN in every cell"


MISTAKES = {
    "group": (["--groups.x=Regoin"], "groups.x: 'Regoin' is no Subset; did you mean 'Region'?"),
    "static": (
        ["--groups.x=Static", "--groups.x.name=land", "--groups.x.below=1"],
        "groups['x']: the truth has no field 'land' by lat, lon alone; choose from land_sea_mask",
    ),
    "no cell": (
        ["--groups.x=Region", "--groups.x.south=50", "--groups.x.north=60"],
        "groups['x'] has no cell that is scored: 0 of 40 cells belong to it",
    ),
    "season": (
        ["--groups.x=Months", "--groups.x.months=7"],
        "groups['x'] has none of the 3 times that are scored, 2020-01-01T00:00:00 to 2020-01-03T00:00:00",
    ),
    "option": (["--group.x=Months"], "score takes an EXPERIMENT or files: '--group.x=Months' does not go with --truth, --members"),
    "metric": (["--metrics", "mae,crsp"], "there is no metric 'crsp'; did you mean 'crps'?"),
    "skill": (["--metrics", "crpss"], "metric 'crpss' has no row for a forecast of 4 members without references"),
    "level": (["--variables", "temperature_700"], "there is no variable 'temperature_700' in the members; did you mean 'temperature_500'?"),
    "reference": (["--reference", "f.zarr"], "--reference must be NAME=PATH, such as climatology=climatology.zarr, got 'f.zarr'"),
    "twice": (["--reference", "a=f.zarr", "--reference", "a=g.zarr"], "--reference a is given twice: f.zarr and g.zarr"),
    "url": (
        ["--truth", "gs://bucket/era5.zarr"],
        "gs:/bucket/era5.zarr is no path of this machine; open it with xarray and call wx.score(truth, members)",
    ),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes_are_one_line(files, capsys, case):
    words, message = MISTAKES[case]
    assert refused(capsys, "--truth", files / "truth3.zarr", "--members", files / "forecast3.zarr", *words) == message
