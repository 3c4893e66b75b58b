"""The real data, where they are cached or can be fetched; and what is said when they are neither."""

import base64
import hashlib
import zipfile

import numpy as np
import pytest

from wxexp.datasets import NRCanDaily
from wxexp.datasets.sources import nrcan


@pytest.fixture(scope="module")
def fields():
    try:
        return NRCanDaily().open()
    except ValueError as error:
        pytest.skip(f"NRCanDaily is neither cached nor can it be fetched: {error}")


def test_the_observations_are_what_their_authors_published(fields):
    data = fields.data
    assert dict(data["tasmax"].sizes) == {"time": 365, "lat": 84, "lon": 156}
    assert str(data["time"].values[0])[:10] == "1990-01-01" and fields.present.all()
    assert (np.diff(fields.grid.lat) > 0).all() and fields.grid.lat[[0, -1]] == pytest.approx([43.0417, 49.9583], abs=1e-4)
    assert fields.grid.lon[[0, -1]] == pytest.approx([-79.9583, -67.0417], abs=1e-4)
    missing = {name: np.isnan(data[name].values) for name in ("tasmax", "tasmin", "pr")}
    assert missing["pr"].mean() == pytest.approx(0.288, abs=5e-4)
    assert all((m.any(0) == m.all(0)).all() for m in missing.values())  # the same cells at all times: the United States and the sea
    assert [fields.variables[name].units for name in ("tasmax", "tasmin", "pr", "orog")] == ["K", "K", "mm day-1", "m"]
    assert float(data["pr"].max()) == pytest.approx(0.0013298611 * 86400, rel=1e-6) and float(data["pr"].min()) == 0  # mm s-1 in the file


def test_orography_is_on_the_same_grid(fields):
    # the annual mean of tasmax falls with altitude, latitude and longitude removed by a quadratic: r = -0.84, -3.9 K km-1
    mask = ~np.isnan(fields.data["tasmax"].values[0])
    lat, lon = np.meshgrid(fields.grid.lat - 46, fields.grid.lon + 74, indexing="ij")
    basis = np.stack([x[mask] for x in (np.ones_like(lat), lat, lon, lat * lon, lat**2, lon**2)], 1)

    def rest(x):
        return x[mask] - basis @ np.linalg.lstsq(basis, x[mask], rcond=None)[0]

    warm, high = rest(fields.data["tasmax"].values.astype(float).mean(0)), rest(fields.data["orog"].values.astype(float))
    assert np.corrcoef(warm, high)[0, 1] < -0.7
    assert -5.5e-3 < (warm @ high) / (high @ high) < -2.5e-3


def test_identity_is_known_without_the_data(tmp_path, monkeypatch):
    monkeypatch.setenv("WXEXP_CACHE", str(tmp_path / "nothing"))
    assert "26f81b26ce6f60cebd9081c4ba8b4632d2dfe94122ae242ec107cb9a954af5fa" in NRCanDaily().identity()
    assert not (tmp_path / "nothing").exists()


def test_no_network_is_one_line_that_names_what_needs_none(tmp_path, monkeypatch):
    monkeypatch.setenv("WXEXP_CACHE", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(ValueError, match=r"could not fetch xclim==0.11.1 .*; experiments/lorenz96.py needs no download") as caught:
        NRCanDaily().open()
    assert "\n" not in str(caught.value)
    assert not [path for path in tmp_path.iterdir() if path.suffix != ".lock"]


def test_a_wheel_with_a_wrong_checksum_is_refused(tmp_path, monkeypatch):
    wheel = fake_wheel(tmp_path / "index")
    monkeypatch.setenv("WXEXP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    got = hashlib.sha256(wheel.read_bytes()).hexdigest()
    with pytest.raises(ValueError, match=f"{wheel.name} has a wrong checksum: expected sha256 26f81b26.*, got {got}"):
        NRCanDaily().open()
    assert not list((tmp_path / "cache").glob("*.zarr"))


def test_a_cache_that_cannot_be_made_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("WXEXP_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(ValueError, match=r"cannot keep NRCanDaily in .*file/cache .*\$WXEXP_CACHE"):
        NRCanDaily().open()


def test_what_a_killed_fetch_left_is_removed(tmp_path, monkeypatch):
    monkeypatch.setenv("WXEXP_CACHE", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    (tmp_path / ".fetch-dead" / "wheels").mkdir(parents=True)
    with pytest.raises(ValueError):
        nrcan.fetch()
    assert not (tmp_path / ".fetch-dead").exists()


def fake_wheel(folder):
    """A wheel that pip accepts as xclim 0.11.1."""
    folder.mkdir()
    path, info = folder / "xclim-0.11.1-py3-none-any.whl", "xclim-0.11.1.dist-info"
    files = {
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: xclim\nVersion: 0.11.1\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    digests = {name: base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode() for name, text in files.items()}
    files[f"{info}/RECORD"] = "".join(f"{name},sha256={d},{len(files[name])}\n" for name, d in digests.items()) + f"{info}/RECORD,,\n"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path
