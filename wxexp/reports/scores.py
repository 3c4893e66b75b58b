"""Score maps, rank counts and spectra as reports take them, from the folder that scoring wrote."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import xarray as xr
import zarr

from wxexp.fields.grid import EARTH_RADIUS_KM, Grid
from wxexp.interfaces import Statistic
from wxexp.reports.diagrams import effective_sizes, exceedances, histograms, neighbourhoods, times_of
from wxexp.reports.panels import area_mean
from wxexp.scoring.stores import SCORES
from wxexp.statistics.bootstrap import clusters

FORECAST = "forecast"


@dataclasses.dataclass(frozen=True)
class Scored:
    """The fields of the same names of `Material`; None where the scores hold none."""

    ranks: xr.DataArray | None
    spectra: xr.DataArray | None
    maps: xr.Dataset | None
    group_spectra: Mapping[str, xr.DataArray] = dataclasses.field(default_factory=dict)
    exceedances: xr.Dataset | None = None
    neighbourhoods: xr.Dataset | None = None
    histograms: Mapping[str, xr.Dataset] = dataclasses.field(default_factory=dict)
    sizes: Mapping[str, float] = dataclasses.field(default_factory=dict)


def read_scores(folder: Path, *, grid: Grid, statistics: Mapping[str, Statistic] | None = None) -> Scored:
    """Reads scores.zarr (one group per source) and maps.zarr, each where it is there; of all cells, but for spectra by group.

    Args:
        folder: of scores.
        grid: of the fields.
        statistics: what is in scores.zarr, by name; what is not named there is passed over.
    """
    sums: dict[str, xr.Dataset] = {}
    groups: dict[str, dict[str, xr.Dataset]] = {}
    if (store := folder / "scores.zarr").exists():
        for name in sorted(zarr.open_group(store, mode="r", zarr_format=3).group_keys(), key=lambda s: s != FORECAST):
            with xr.open_zarr(store, group=name, consolidated=False, chunks=None, zarr_format=3) as data:
                every = _with_leads(data.load())
            sums[name] = every.sel(group="all")
            for group in (str(g) for g in every["group"].values if g != "all"):
                groups.setdefault(group, {})[name] = every.sel(group=group)
    maps = None
    if (store := folder / "maps.zarr").exists():
        with xr.open_zarr(store, consolidated=False, chunks=None, zarr_format=3) as data:
            maps = score_maps(data.load(), grid)
    if FORECAST not in sums:
        return Scored(None, None, maps)
    forecast, known = sums[FORECAST], statistics or {}
    spectra = {group: power for group, each in groups.items() if (power := power_spectra(each, grid)) is not None}
    return Scored(
        rank_counts(forecast),
        power_spectra(sums, grid),
        maps,
        group_spectra=spectra,
        exceedances=exceedances(forecast, known),
        neighbourhoods=_with_size(neighbourhoods(forecast, known), grid),
        histograms=histograms(forecast, known),
        sizes=effective_sizes(forecast),
    )


def rank_counts(sums: xr.Dataset) -> xr.DataArray | None:
    """Counts (case, variable, [lead_time,] bin) with clusters of cases as `block` (`clusters`); None for a single forecast."""
    if "ranks.ranks" not in sums or sums.sizes["rank"] <= 2:
        return None
    return sums["ranks.ranks"].rename(rank="bin").assign_coords(block=("case", clusters(times_of(sums))))


def power_spectra(sums: Mapping[str, xr.Dataset], grid: Grid) -> xr.DataArray | None:
    """Mean power (source, variable, [lead_time,] wavenumber) of truth, members, mean and each baseline over cases; None without spectra.

    `wavelength_km` is the side of the box over the wavenumber, with cells as wide as the root of their area; absent where the grid has no
    kilometres. The attribute `box` says which cells; None where no box is scored in every cell.
    """
    forecast = sums[FORECAST]
    prefix = next((str(name).partition(".")[0] for name in forecast.data_vars if str(name).startswith("spectrum")), None)
    if prefix is None:
        return None

    def mean(source: str, name: str) -> xr.DataArray:
        data = sums[source]
        count = data[f"{prefix}.count"].sum("case")
        return data[f"{prefix}.{name}"].sum("case") / count.where(count > 0)

    power = {"truth": mean(FORECAST, "truth"), "members": mean(FORECAST, "members")}
    if forecast.attrs["members"] > 1:
        power["mean"] = mean(FORECAST, "mean")
    power |= {source: mean(source, "members") for source in sums if source != FORECAST}
    out = xr.concat(list(power.values()), xr.Variable("source", list(power)), coords="minimal", compat="override")
    boxes = forecast[f"{prefix}.box"].values.reshape(-1, forecast.sizes["edge"])
    if not (boxes[:, 1::2] > boxes[:, 0::2]).all():
        return None
    box = boxes[0].astype(int).reshape(-1, 2)
    longest = int((boxes[:, 1::2] - boxes[:, 0::2]).min(axis=1).max()) // 2
    out = out.isel(wavenumber=slice(0, longest)).assign_coords(wavenumber=np.arange(1, longest + 1))
    if (boxes == boxes[0]).all():
        size = cell_km(grid, box)
        if size is not None:
            side = int((box[:, 1] - box[:, 0]).min())
            out = out.assign_coords(wavelength_km=("wavenumber", side * size / np.arange(1, longest + 1)))
        out.attrs["box"] = " × ".join(f"{first}–{last - 1}" for first, last in box)
    return out


def score_maps(maps: xr.Dataset, grid: Grid) -> xr.Dataset:
    """Bias, spread-skill, spread, RMSE and CRPS of the forecast, and the CRPS of each variable's best baseline over leads.

    The last is `crps_<name>`, or `mae_<name>` where the baseline is a single forecast, of which the CRPS is the absolute error; it is NaN
    for variables with another best one. Maps that not every run has follow, with the attribute `asked`; what is a skill over baselines as
    `crpss_<name>` of each.
    """
    own = maps.sel(source=FORECAST, drop=True)
    shown = [name for name in ("bias", "spread_skill", "spread", "rmse", "crps") if name in own]
    out = {name: own[name] for name in shown if bool(np.isfinite(own[name]).any())}
    baselines = [str(s) for s in maps["source"].values if s != FORECAST]
    if baselines:
        ratios = [
            [_ratio(maps["crps"].sel(source=s, variable=v), own["crps"].sel(variable=v), grid) for v in own["variable"]] for s in baselines
        ]
        lowest = xr.DataArray(np.argmin(ratios, axis=0), dims="variable")
        for place, s in enumerate(baselines):
            if (lowest == place).any():
                single = not np.isfinite(maps["spread"].sel(source=s)).any()
                out[f"{'mae' if single else 'crps'}_{s}"] = maps["crps"].sel(source=s, drop=True).where(lowest == place)
    for name in sorted(str(name) for name in maps.data_vars if name not in SCORES):
        known = [(name, own[name])] if np.isfinite(own[name]).any() else []
        over = [
            (f"{name}_{s}", maps[name].sel(source=s, drop=True))
            for s in baselines
            if not known and np.isfinite(maps[name].sel(source=s)).any()
        ]
        out |= {label: field.assign_attrs(asked=1) for label, field in known + over}
    return xr.Dataset(out)


def cell_km(grid: Grid, box: np.ndarray | Sequence[Sequence[int]]) -> float | None:
    """Side in km of a square with the area of a cell in the middle of a box (rows, columns); None on a ring or among scattered cells."""
    if grid.kind == "projected" and grid.dx_km and grid.dy_km:
        return float(np.sqrt(grid.dx_km * grid.dy_km))
    if grid.kind != "latlon" or min(grid.shape) < 2:
        return None
    assert grid.lat is not None
    lat = np.deg2rad(np.asarray(grid.lat, dtype=np.float64))
    dy, dx = abs(lat[1] - lat[0]), np.deg2rad(abs(float(grid.lon[1] - grid.lon[0])))
    return float(EARTH_RADIUS_KM * np.sqrt(dx * dy * np.cos(lat[box[0][0] : box[0][1]].mean())))


def _with_size(found: xr.Dataset | None, grid: Grid) -> xr.Dataset | None:
    """With the side of a cell in the middle of the grid as the attribute `cell_km`, where it has one."""
    size = cell_km(grid, [(0, length) for length in grid.shape])
    return found if found is None or size is None else found.assign_attrs(cell_km=size)


def _ratio(crps: xr.DataArray, forecast: xr.DataArray, grid: Grid) -> float:
    """Mean logarithm of the ratio of area means."""
    fields = (field.values.reshape(-1, *grid.shape) for field in (crps, forecast))
    theirs, own = ([area_mean(grid, values) for values in field] for field in fields)
    return float(np.mean(np.log(theirs) - np.log(own)))


def _with_leads(sums: xr.Dataset) -> xr.Dataset:
    """The axis `lead` as `lead_time` in hours, or dropped where there is no lead."""
    if sums.sizes["lead"] == 1 and not np.isfinite(sums["lead_hours"].values[0]):
        return sums.isel(lead=0, drop=True)
    return sums.rename(lead="lead_time").assign_coords(lead_time=sums["lead_hours"].values).drop_vars("lead_hours")
