"""Files as others write them: WeatherBench 2's names, written with zarr and SciPy alone; and the scores that a person would compute."""

import numpy as np
import scoringrules
import zarr
from scipy.io import netcdf_file

LAT, LON = np.array([90.0, 45.0, 0.0, -45.0, -90.0], "f4"), np.arange(0.0, 360.0, 45.0, "f4")
LEVELS = np.array([500, 850], "i4")
AREA = np.diff(np.sin(np.deg2rad([-90.0, -67.5, -22.5, 22.5, 67.5, 90.0])))[:, None] * np.ones(8)
DAYS, MEMBERS, HOURS = 3, 4, np.array([0, 6, 18])


def fields(kind, days=DAYS, members=MEMBERS):
    """Of a random stream of its own: [day, member, lead, level, *S] of forecasts, [6-hourly time, level, *S] of truth."""
    shape = {"forecast": (days, members, len(HOURS), 2, 5, 8), "truth": (4 * days, 2, 5, 8)}[kind]
    return (280 + np.random.default_rng(len(kind)).standard_normal(shape)).astype("f4")


def fair_crps(x, y, cells=True, lead=None):
    """Over days and cells with their areas: [day, member, lead, *S], [6-hourly time, *S]."""
    y = np.stack([y[4 * day + HOURS // 6] for day in range(len(x))])
    each = scoringrules.crps_ensemble(y.astype(float), x.astype(float), m_axis=1, estimator="fair", backend="numpy").mean(axis=0)
    return [float(np.average(field, weights=AREA * cells)) for field in each]


def write_zarr(path, variables, *, version, fill=True):
    """(dims, values, attributes) by name; without `fill` as zarr does by itself, which says 0 for missing."""
    group = zarr.create_group(path, zarr_format=version)
    for name, (dims, values, attrs) in variables.items():
        own = {"dimension_names": dims} if version == 3 else {}
        if fill:
            own["fill_value"] = np.nan if values.dtype.kind == "f" else None
        array = group.create_array(name, shape=values.shape, dtype=values.dtype, chunks=(1, *values.shape[1:]), **own)
        array[...] = values
        array.attrs.update(attrs if version == 3 else {**attrs, "_ARRAY_DIMENSIONS": list(dims)})


def write_netcdf(path, variables):
    """NetCDF 3; a scale and an offset pack the values into 16 bits."""
    with netcdf_file(path, "w") as file:
        for name, (dims, values, attrs) in variables.items():
            for dim, size in zip(dims, values.shape, strict=True):
                if dim not in file.dimensions:
                    file.createDimension(dim, size)
            if "scale_factor" in attrs:
                packed = np.round((values - attrs["add_offset"]) / attrs["scale_factor"])
                values = np.where(np.isnan(values), attrs["_FillValue"], packed).astype("i2")
            array = file.createVariable(name, values.astype("i4").dtype if values.dtype == "i8" else values.dtype, dims)
            array[:] = values
            for key, value in attrs.items():
                setattr(array, key, value)


def place(**names):
    """Coordinates of the sphere."""
    return {
        "latitude": (("latitude",), LAT, {"units": "degrees_north"}),
        "longitude": (("longitude",), LON, {"units": "degrees_east"}),
        **names,
    }


def forecast(x, units="K"):
    """A variable with levels, and one without: the first level."""
    dims = ("time", "number", "prediction_timedelta", "latitude", "longitude")
    return {
        "time": (("time",), 24 * np.arange(len(x)), {"units": "hours since 2020-01-01", "calendar": "proleptic_gregorian"}),
        "number": (("number",), np.arange(x.shape[1]), {}),
        "prediction_timedelta": (("prediction_timedelta",), HOURS, {"units": "hours"}),
        "level": (("level",), LEVELS, {"units": "hPa"}),
        **place(),
        "2m_temperature": (dims, x[:, :, :, 0], {"units": units}),
        "temperature": ((*dims[:3], "level", *dims[3:]), x, {"units": units}),
    }


def truth(y, units="K"):
    """The same by valid time, with a map of land."""
    return {
        "time": (("time",), 6 * np.arange(len(y)), {"units": "hours since 2020-01-01"}),
        "level": (("level",), LEVELS, {"units": "hPa"}),
        **place(),
        "2m_temperature": (("time", "latitude", "longitude"), y[:, 0], {"units": units}),
        "temperature": (("time", "level", "latitude", "longitude"), y, {"units": units}),
        "land_sea_mask": (("latitude", "longitude"), (np.arange(40) % 3 / 2).astype("f4").reshape(5, 8), {"units": "1"}),
    }
