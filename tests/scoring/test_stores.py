import numpy as np
import pytest
import scoringrules
import toy_scoring as toy
import xarray as xr

from wxexp.metrics import CRPS
from wxexp.scoring import finalise, score

CRPS_ONLY = {"crps": CRPS()}


@pytest.mark.parametrize("leads", [1, 2])
def test_maps_equal_libraries_cell_by_cell(leads, world, here, tmp_path):
    w = world(leads=leads, metrics=CRPS_ONLY)
    score(tree=w.tree, executor=here(lambda items: items[::-1]), out=tmp_path)
    found = xr.open_zarr(tmp_path / "maps.zarr", chunks=None, decode_timedelta=False)
    dims = ("source", "variable", *(("lead_time",) if leads > 1 else ()), "lat", "lon")
    assert found["crps"].dims == dims and found["units"].values.tolist() == ["K", "mm"]
    np.testing.assert_array_equal(found["lat"], w.opened.grid.lat)
    at = {"lead_time": 0} if leads > 1 else {}
    truth = np.stack([w.opened.truth(item)["p"].isel(at).values for item in w.opened.items("test")]).astype(float)
    x = w.members["p"].isel(at).values.astype(float)
    ours = {name: found[name].sel(source="forecast", variable="p").isel(at).values for name in found.data_vars}
    assert (np.isfinite(ours["crps"]) == toy.mask()[1]).all()
    truth[:, ~toy.mask()[1]] = np.nan
    error = x.mean(axis=1) - truth
    crps = scoringrules.crps_ensemble(truth, x, m_axis=1, estimator="fair", backend="numpy")
    cells = toy.mask()[1]
    for name, want in {
        "crps": np.nanmean(crps[:, cells], axis=0),
        "bias": np.nanmean(error[:, cells], axis=0),
        "mae": np.nanmean(np.abs(error[:, cells]), axis=0),
        "rmse": np.sqrt(np.nanmean(error[:, cells] ** 2, axis=0)),
    }.items():
        np.testing.assert_allclose(ours[name][cells], want, rtol=1e-5, atol=1e-6)
    whole = cells & ~np.isnan(truth).any(axis=0)
    spread = np.sqrt(x.var(axis=1, ddof=1).mean(axis=0))
    rmse = np.sqrt((error**2).mean(axis=0))
    np.testing.assert_allclose(ours["spread_skill"][whole], (np.sqrt(6 / 5) * spread / rmse)[whole], rtol=1e-5)


def test_deterministic_sources_have_errors_and_no_spread(world, here, tmp_path):
    w = world(times=3, metrics=CRPS_ONLY)
    score(tree=w.tree, executor=here(), out=tmp_path)
    zero = xr.open_zarr(tmp_path / "maps.zarr", chunks=None).sel(source="zero", variable="t")
    np.testing.assert_array_equal(zero["crps"], zero["mae"])
    assert np.isnan(zero["spread_skill"]).all() and np.isfinite(zero["mae"].values[toy.mask()[0]]).all()


def test_the_area_mean_of_the_map_is_the_row(world, here, tmp_path):
    """Where every cell has truth at every time."""
    w = world(times=1, metrics=CRPS_ONLY)
    score(tree=w.tree, executor=here(), out=tmp_path)
    rows = {(r.metric, r.variable, r.source): r.value for r in finalise(w.experiment, tmp_path)}
    found = xr.open_zarr(tmp_path / "maps.zarr", chunks=None)
    for source in ("forecast", "zero", "noise"):
        cells = found["crps"].sel(source=source, variable="t").values
        mean = np.average(np.nan_to_num(cells), weights=w.opened.grid.area() * toy.mask()[0])
        assert mean == pytest.approx(rows["crps", "t", source], rel=1e-5)
