"""Small materials for reports: a masked latitude-longitude grid, and a ring with lead times."""

import numpy as np
import pytest
import xarray as xr

from wxexp.fields.grid import Grid
from wxexp.fields.seeds import stream
from wxexp.interfaces import Item, Row
from wxexp.reports import Material
from wxexp.reports.panels import blocks

UNITS = {"tasmax": "K", "tasmin": "K", "pr": "mm d-1"}
CASES = 5


def items(first_lead=0.0):
    return [Item(24 + i, f"1990-01-{25 + i:02d}T00:00:00", first_lead) for i in range(CASES)]


def history(noise_levels=True):
    rows = []
    for step in range(10, 110, 10):
        rows.append({"step": step, "samples": 4 * step, "values": {"loss": 5.0 / step}, "context": {"subset": "train"}})
        rows.append({"step": step, "samples": 4 * step, "values": {"rate": 100.0}, "context": {"subset": "clock"}})
    for step in (50, 100):
        rows.append({"step": step, "samples": 4 * step, "values": {"loss": 6.0 / step, "crps": 0.3}, "context": {"subset": "valid"}})
        for gamma in (-2.0, 0.0, 2.0) if noise_levels else ():
            values = {"loss": (3.0 + gamma) / step, "error": 1.0}
            rows.append({"step": step, "samples": 4 * step, "values": values, "context": {"subset": "valid", "gamma": gamma}})
        values = {"crps": 10.0 / step, "rmse": 20.0 / step, "spread_skill": 0.9, "std": 1.0}
        rows.append({"step": step, "samples": 4 * step, "values": values, "context": {"subset": "valid", "variable": "tasmax"}})
    return rows


def score_rows(names, *, leads=(None,), single=False):
    rows = []
    for name in names:
        for lead in leads:
            for source, crps in (("forecast", 0.12), ("bicubic", 0.25), ("bicubic_mean_residual", 0.17)):
                one = single or source != "forecast"
                metrics = {"crps": crps, "mae": crps if one else 1.4 * crps, "rmse": 2 * crps, "bias": crps / 10}
                rows += [Row(m, name, source, "all", lead, v, 0.9 * v, 1.1 * v, UNITS.get(name, "1")) for m, v in metrics.items()]
                if not one:
                    rows.append(Row("spread_skill", name, source, "all", lead, 0.95, 0.9, 1.0, "1"))
                if source != "forecast":
                    rows.append(Row("crpss", name, source, "all", lead, 1 - 0.12 / crps, None, None, "1"))
    return rows


@pytest.fixture
def land():
    """make(names, members) -> the material of a downscaling experiment, all of it."""

    def make(names=("tasmax",), members=4):
        shape = (12, 20)
        grid = Grid("latlon", 45.0 + np.arange(12) / 12, -80.0 + np.arange(20) / 12)
        noise = stream("reports", *names)
        truth = {name: noise.standard_normal((CASES, *shape)).astype(np.float32) for name in names}
        drawn = {name: noise.standard_normal((CASES, members, *shape)).astype(np.float32) for name in names}
        for name in names:
            truth[name][:, :3, 15:] = np.nan
            drawn[name][..., :3, 15:] = np.nan
        dims = ("variable", *grid.dims)
        score = np.stack([truth[name][0] ** 2 + 0.1 for name in names])
        maps = {"bias": (dims, score - 1), "crps": (dims, score), "mae_bicubic": (dims, 2 * score)}
        if members > 1:
            maps["spread_skill"] = (dims, score)
        ranks = noise.multinomial(237, [1 / (members + 1)] * (members + 1), (CASES, len(names))).astype(float)
        power = np.stack([np.tile(f * np.arange(1.0, 6.0) ** -3, (len(names), 1)) for f in (1.0, 0.9, 0.5, 0.4)])
        coordinates = {"variable": list(names), "source": ["truth", "members", "mean", "bicubic"], "wavenumber": np.arange(1, 6)}
        return Material(
            title="quickstart",
            question="From 8 × 8 cells?",
            grid=grid,
            units={name: UNITS[name] for name in names},
            items=items(),
            rows=score_rows(names, single=members == 1),
            members=xr.Dataset({name: (("time", "member", *grid.dims), drawn[name]) for name in names}),
            truth=lambda item: xr.Dataset({name: (grid.dims, truth[name][item.index - 24]) for name in names}),
            coarse=lambda item: xr.Dataset({name: (grid.dims, blocks(np.ones((3, 5)), 4, shape)) for name in names}),
            maps=xr.Dataset(maps, {"variable": list(names)}),
            ranks=xr.DataArray(ranks, dims=("case", "variable", "bin"), coords={"variable": list(names)}) if members > 1 else None,
            spectra=xr.DataArray(power, dims=("source", "variable", "wavenumber"), coords=coordinates),
            history=history(noise_levels=members > 1),
            record={"format": 1, "experiment": {"type": "Experiment", "name": "quickstart"}},
            provenance={"wxexp": "0.1.0", "remote": "https://example.org/<repository>", "devices": ["cpu"]},
        )

    return make


@pytest.fixture
def ring():
    """The material of a forecasting experiment on a ring, three lead times, without coarse input or history."""
    grid = Grid("ring", None, np.arange(16.0), periodic_x=True)
    leads = np.array([6, 12, 18], dtype="timedelta64[h]").astype("timedelta64[ns]")
    noise = stream("reports", "ring")
    truth, drawn = noise.standard_normal((CASES, 3, 16)), noise.standard_normal((CASES, 4, 3, 16))
    score = (("variable", "lead_time", "x"), noise.random((1, 3, 16)) + 0.5)
    return Material(
        title="lorenz96",
        grid=grid,
        units={"x1": "1"},
        items=items(6.0),
        rows=score_rows(["x1"], leads=(6.0, 12.0, 18.0)),
        members=xr.Dataset({"x1": (("init_time", "member", "lead_time", "x"), drawn)}, {"lead_time": leads}),
        truth=lambda item: xr.Dataset({"x1": (("lead_time", "x"), truth[item.index - 24])}, {"lead_time": leads}),
        maps=xr.Dataset({"bias": score, "crps": score, "spread_skill": score}, {"variable": ["x1"], "lead_time": leads}),
    )
