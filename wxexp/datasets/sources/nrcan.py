"""NRCan ANUSPLIN daily gridded observations of 1990, southern Ontario and Quebec, with orography on the same grid.

Maximum and minimum temperature and precipitation at 1/12 degree, 365 days x 84 x 156 cells (43.04-49.96 N, 79.96-67.04 W), NaN over the
United States and the sea. The values come from the test data of the xclim 0.11.1 wheel, the orography (28 m steps, cells without data 0)
from `Altitude.h5` of the pvlib 0.16.1 wheel, whose cells are the same. Both wheels are fetched with pip when first needed, checked against
their sha256, and converted once; nothing is installed, and nothing of the data is part of this project.

McKenney et al. 2011, Bull. Amer. Meteor. Soc. 92, 1611; Hutchinson et al. 2009, J. Appl. Meteor. Climatol. 48, 725.
"""

from __future__ import annotations

import fcntl
import hashlib
import math
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import xarray as xr

from wxexp.fields.grid import EARTH_RADIUS_KM, Grid
from wxexp.interfaces import Fields, Source, Variable

VERSION = 1  # of the conversion
PINS: Mapping[str, str] = {
    "xclim==0.11.1": "26f81b26ce6f60cebd9081c4ba8b4632d2dfe94122ae242ec107cb9a954af5fa",
    "pvlib==0.16.1": "4e61b5228a13f782413d7cf8cc48eb6e62e7bf55d155958fa9fd72420b63603d",
}
MEMBER = "tests/testdata/NRCANdaily/nrcan_canada_daily_{name}_1990.nc"
NAMES = {
    "tasmax": "daily maximum near-surface air temperature",
    "tasmin": "daily minimum near-surface air temperature",
    "pr": "precipitation",
}
NOTICE = """\
NRCan ANUSPLIN daily 1990 (McKenney et al. 2011, BAMS 92, 1611; Hutchinson et al. 2009, JAMC 48, 725), from the xclim 0.11.1 wheel.
Its licence is unresolved: the wheel is Apache-2.0, the files themselves say "Redistribution policy unknown. For internal use only."
They are kept in {path} for your own use; do not pass them on."""


class NRCanDaily(Source):
    """Real daily observations: tasmax, tasmin (K), pr (mm day-1), and the static field orog (m)."""

    def open(self) -> Fields:
        """Fetches the data when they are not there.

        Raises:
            ValueError: they cannot be fetched, or are not what they should be.
        """
        data = xr.open_zarr(fetch(), consolidated=False, chunks=None)
        variables = {name: Variable(name, str(data[name].attrs["units"]), "prognostic") for name in NAMES}
        variables["orog"] = Variable("orog", "m", "static")
        lat = data["lat"].values.astype(np.float64)
        grid = Grid("latlon", lat, data["lon"].values.astype(np.float64), dy_km=EARTH_RADIUS_KM * math.radians(1 / 12))
        return Fields(data, variables, grid, present=np.ones(data.sizes["time"], dtype=bool))

    def identity(self) -> str:
        """Checksums of the wheels and the version of the conversion: known without the data."""
        return f"{_name()} of {', '.join(f'{wheel} sha256 {digest}' for wheel, digest in PINS.items())}"


def cache() -> Path:
    """Where fetched data are kept: $WXEXP_CACHE, else ~/.cache/wxexp."""
    return Path(os.environ.get("WXEXP_CACHE") or Path.home() / ".cache" / "wxexp")


def fetch(*, force: bool = False) -> Path:
    """The converted data, a zarr store; fetched and converted if it is not there, or again with `force`.

    Raises:
        ValueError: pip cannot get a wheel, or a wheel's checksum is wrong, or the cache cannot be written.
    """
    path = cache() / f"{_name()}.zarr"
    if path.exists() and not force:
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _lock(path.with_suffix(".lock")):
            if path.exists() and not force:  # another process was first
                return path
            for left in path.parent.glob(".fetch-*"):  # by a killed process: this one has the lock
                shutil.rmtree(left)
            with tempfile.TemporaryDirectory(dir=path.parent, prefix=".fetch-") as folder:
                made = _convert(Path(folder))
                if path.exists():
                    os.rename(path, Path(folder) / "old")
                os.rename(made, path)
    except OSError as error:
        raise ValueError(f"cannot keep NRCanDaily in {path.parent} ({error}); $WXEXP_CACHE may name another folder") from error
    print(NOTICE.format(path=path), file=sys.stderr)
    return path


def _name() -> str:
    return f"nrcan-daily-1990-v{VERSION}"


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Held by one process at a time; the system frees it when the process ends, however it ends."""
    with open(path, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _convert(folder: Path) -> Path:
    xclim, pvlib = (_wheel(pin, digest, folder / "wheels") for pin, digest in PINS.items())
    fields = {name: _observed(name, xclim, folder) for name in NAMES}
    data = xr.merge(fields.values(), join="exact", combine_attrs="override").sortby("lat")
    data["pr"] = (data["pr"] * 86400.0).astype(np.float32).assign_attrs(units="mm day-1")
    data["orog"] = (
        _orography(pvlib, folder).sel(lat=data["lat"], lon=data["lon"], method="nearest", tolerance=1e-3).drop_vars(("lat", "lon"))
    )
    for name, words in NAMES.items():
        data[name].attrs |= {"long_name": words}
    data.attrs = {
        "title": "NRCan ANUSPLIN daily 10 km gridded observations, 1990",
        "redistribution": "Redistribution policy unknown. For internal use only.",
        "references": "McKenney et al. 2011, BAMS 92, 1611; Hutchinson et al. 2009, JAMC 48, 725",
    }
    for variable in data.variables.values():
        variable.encoding = {}
    out = folder / "data.zarr"
    data.to_zarr(out, zarr_format=3, consolidated=False, encoding={name: {"chunks": (73, 84, 156)} for name in NAMES})
    shutil.rmtree(folder / "wheels")
    return out


def _observed(name: str, wheel: Path, folder: Path) -> xr.DataArray:
    with xr.open_dataset(_member(wheel, MEMBER.format(name=name), folder), engine="h5netcdf") as data:
        return data[name].load()


def _orography(wheel: Path, folder: Path) -> xr.DataArray:
    with h5py.File(_member(wheel, "pvlib/data/Altitude.h5", folder)) as file:
        code = file["Altitude"][...]
    height = np.where(code == 255, 0.0, code * 28.0 - 450.0).astype(np.float32)
    lat, lon = 90 - (np.arange(2160) + 0.5) / 12, -180 + (np.arange(4320) + 0.5) / 12
    attributes = {"units": "m", "long_name": "surface altitude", "source": "pvlib Altitude.h5 (Mapzen terrain tiles), 28 m steps"}
    return xr.DataArray(height, dims=("lat", "lon"), coords={"lat": lat, "lon": lon}, attrs=attributes)


def _member(wheel: Path, name: str, folder: Path) -> Path:
    with zipfile.ZipFile(wheel) as archive:
        return Path(archive.extract(name, folder))


def _wheel(pin: str, digest: str, folder: Path) -> Path:
    """Fetches a wheel with pip and checks it; nothing is installed."""
    name = pin.partition("==")[0]
    options = ["-q", "--disable-pip-version-check", "--no-input", "--retries", "1", "--timeout", "20"]
    only = ["--no-deps", "--only-binary=:all:", "-d", str(folder)]
    done = subprocess.run([sys.executable, "-m", "pip", "download", *options, *only, pin], capture_output=True, text=True)
    if done.returncode:
        words = next((line for line in reversed(done.stderr.splitlines()) if line.strip()), f"exit status {done.returncode}")
        raise ValueError(f"pip could not fetch {pin} for NRCanDaily ({words.strip()}); experiments/lorenz96.py needs no download")
    found = next(folder.glob(f"{name}-*.whl"))
    got = hashlib.sha256(found.read_bytes()).hexdigest()
    if got != digest:
        raise ValueError(f"{found.name} has a wrong checksum: expected sha256 {digest}, got {got}")
    return found
