"""A report's material from the files of a run."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import xarray as xr

from wxexp.config import to_tree
from wxexp.experiment import Experiment
from wxexp.fields.grid import Grid
from wxexp.interfaces import Opened, Row
from wxexp.reports.material import Material, coarse_input
from wxexp.scoring import CaseSums, open_sums, read_table
from wxexp.scoring.plan import FORECAST, Plan
from wxexp.statistics import Ranks, Spectrum
from wxexp.statistics.bootstrap import runs


def gather(experiment: Experiment, *, opened: Opened, run: Path, members: Path, scores: Path, question: str = "") -> Material:
    """What the stages before the report have written.

    Args:
        experiment: that they worked for.
        opened: its dataset.
        run: with metrics.jsonl and provenance.json.
        members: members.zarr.
        scores: with scores.zarr, maps.zarr and table.json.
        question: shown under the title.
    """
    sums, rows = open_sums(experiment, scores), read_table(scores / "table.json")
    return Material(
        title=experiment.name,
        question=question,
        grid=opened.grid,
        units=dict(zip(opened.codec.targets, opened.codec.units, strict=True)),
        items=opened.items("test"),
        rows=rows,
        members=xr.open_zarr(members, consolidated=False, chunks=None).isel(member=slice(experiment.ensemble.members)),
        truth=opened.truth,
        coarse=coarse_input(opened),
        maps=_maps(scores / "maps.zarr", rows),
        ranks=_ranks(sums),
        spectra=_spectra(sums, opened.grid),
        history=_history(run / "metrics.jsonl"),
        record=to_tree(experiment),
        provenance=json.loads((run / "provenance.json").read_text(encoding="utf-8")),
    )


def _history(path: Path) -> list[dict[str, object]]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.endswith("}")]


def _maps(path: Path, rows: list[Row]) -> xr.Dataset:
    """Bias, CRPS and spread over skill of the forecast, and the error of the baseline with the lowest."""
    with xr.open_zarr(path, consolidated=False, chunks=None) as data:
        maps: xr.Dataset = data.load()
    out: xr.Dataset = maps[["bias", "crps", "spread_skill"]].sel(source=FORECAST, drop=True)
    best = _best_baseline(rows)
    return out if best is None else out.assign({f"mae_{best}": maps["mae"].sel(source=best, drop=True)})


def _best_baseline(rows: list[Row]) -> str | None:
    """By its CRPS relative to the forecast's, over variables and leads."""
    forecast = {(row.variable, row.lead_hours): row.value for row in rows if row.metric == "crps" and row.source == FORECAST}
    ratios: dict[str, list[float]] = {}
    for row in rows:
        if row.metric == "crps" and row.source != FORECAST and (row.variable, row.lead_hours) in forecast:
            ratios.setdefault(row.source, []).append(np.log(row.value / forecast[row.variable, row.lead_hours]))
    return min(ratios, key=lambda name: float(np.mean(ratios[name]))) if ratios else None


def _ranks(sums: CaseSums) -> xr.DataArray | None:
    """Counts of the group of all cells (case, lead_time, variable, bin); None for one member, or if no metric asked for them."""
    if sums.members == 1 or not sums.has(Ranks()):
        return None
    counts, plan = sums[Ranks()]["ranks"][:, :, :, 0], sums.plan
    coords = _coords(plan) | {"block": ("case", runs([case["index"] for case in plan["cases"]]))}
    return _leads(xr.DataArray(counts, dims=("case", "lead_time", "variable", "bin"), coords=coords), plan)


def _spectra(sums: CaseSums, grid: Grid) -> xr.DataArray | None:
    """Mean power of the group of all cells (source, variable, lead_time, wavenumber)."""
    statistic = Spectrum()
    if not sums.has(statistic):
        return None
    plan, sources = sums.plan, {name: sums[statistic][name] for name in ("truth", "members", "mean")[: 3 if sums.members > 1 else 2]}
    count = sums[statistic]["count"].sum(axis=0)[:, :, 0, None]
    found = {name: power.sum(axis=0)[:, :, 0] / count for name, power in sources.items()}
    for name, baseline in sums.references.items():
        own = baseline[statistic]
        found[name] = own["members"].sum(axis=0)[:, :, 0] / own["count"].sum(axis=0)[:, :, 0, None]
    dims = ("source", "lead_time", "variable", "wavenumber")
    power = xr.DataArray(np.stack(list(found.values())), dims=dims, coords=_coords(plan) | {"source": list(found)})
    number = np.arange(1, power.sizes["wavenumber"] + 1)
    power = power.assign_coords(wavenumber=number)
    box = sums[statistic]["box"][0, 0, 0, 0].astype(int)
    sides = box[1::2] - box[::2]
    if (spacing := _spacing_km(grid, box)) is not None:
        power = power.assign_coords(wavelength_km=("wavenumber", min(sides) * spacing / number))
    return _leads(power.isel(wavenumber=slice(min(sides) // 2)), plan)


def _spacing_km(grid: Grid, box: np.ndarray) -> float | None:
    """Between rows, the same everywhere; that between columns shrinks with the cosine of latitude."""
    if grid.kind == "latlon" and grid.lat is not None:
        return float(np.abs(np.diff(grid.lat[box[0] : box[1]])).mean() * 111.195)  # km in a degree of a sphere of 6371 km
    return grid.dy_km


def _coords(plan: Plan) -> dict[str, object]:
    hours = {} if plan["leads"] == [None] else {"lead_time": plan["leads"]}
    return {"variable": plan["variables"], **hours}


def _leads(data: xr.DataArray, plan: Plan) -> xr.DataArray:
    return data.isel(lead_time=0) if plan["leads"] == [None] else data
