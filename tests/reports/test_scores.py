"""What scoring wrote, through the real engine, on the small world of its own tests."""

import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from wxexp.experiment import Ensemble, Experiment, Scoring
from wxexp.fields.grid import Grid
from wxexp.metrics import CRPS, LogSpectralDistance, RankHistogram
from wxexp.reports.gather import gather
from wxexp.reports.plots import rank_histogram, spectra
from wxexp.reports.scores import cell_km, read_scores, score_maps
from wxexp.scoring import finalise, prepare, score, write_table

sys.path.insert(0, str(Path(__file__).parents[1] / "scoring"))

import toy_scoring as toy  # noqa: E402


class Here:
    def map(self, job, items, *, in_flight):
        worker = job.factory(job.tree)
        for item in items:
            yield item, worker(item)


@pytest.fixture(scope="module", params=[1, 2])
def scored(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("scores")
    metrics = {"crps": CRPS(), "ranks": RankHistogram(), "lsd": LogSpectralDistance()}
    experiment = Experiment(
        name="toy",
        dataset=toy.ToyWorld(leads=request.param),
        model=toy.ToyModel(),
        objective=toy.ToyObjective(),
        ensemble=Ensemble(members=5, leads=request.param),
        scoring=Scoring(metrics=metrics, baselines={"zero": toy.ToyZero(), "noise": toy.ToyNoise()}, draws=10),
    )
    opened = experiment.dataset.open()
    toy.write_members(folder / "members.zarr", opened, 5)
    tree = prepare(experiment, opened, members=folder / "members.zarr", out=folder / "fitted")
    score(tree=tree, executor=Here(), out=folder)
    rows = finalise(experiment, folder)
    write_table(folder / "table.json", rows)
    material = gather(experiment, opened=opened, run=folder, members=folder / "members.zarr", scores=folder)
    return request.param, rows, material


def at(data, leads):
    return data.isel(lead_time=leads - 1) if leads > 1 else data


def value(rows, metric, variable, leads, source="forecast"):
    return [r.value for r in rows if (r.metric, r.variable, r.source) == (metric, variable, source)][leads - 1]


def test_ranks_are_those_of_the_table(scored):
    """The reliability index of the table, from the frequencies drawn: sum_k |f_k - 1 / (M + 1)|."""
    leads, rows, found = scored
    assert found.ranks.coords["block"].values.tolist() == [0, 0, 0, 1, 1, 1, 2]  # days 24-26, 52-54, 80
    _, data = rank_histogram(at(found.ranks, leads))
    index = np.abs(data["frequency"].sel(variable="p").values / 6 - 1 / 6).sum()
    assert index == pytest.approx(value(rows, "rank_histogram", "p", leads))


def test_spectra_are_those_of_the_table(scored):
    """Log-spectral distance: the root mean square over wavenumbers of 10 log10 of the ratio that is drawn."""
    leads, rows, found = scored
    assert found.spectra["source"].values.tolist()[:3] == ["truth", "members", "mean"] and {"zero", "noise"} < set(
        found.spectra["source"].values
    )
    _, data = spectra(at(found.spectra, leads), units={"t": "K", "p": "mm"})
    for source, drawn in (("forecast", "members"), ("noise", "noise")):
        ratio = data["ratio"].sel(source=drawn, variable="t").values
        assert np.sqrt(np.mean((10 * np.log10(ratio)) ** 2)) == pytest.approx(value(rows, "lsd", "t", leads, source))


def test_maps_of_the_forecast_and_of_the_best_baseline(scored):
    leads, _, found = scored
    assert list(found.maps) == ["bias", "spread_skill", "spread", "rmse", "crps", "crps_noise"]
    assert np.isfinite(at(found.maps["crps"].sel(variable="t"), leads).values[toy.mask()[0]]).all()


def test_the_material_of_a_run(scored):
    leads, rows, found = scored
    assert (
        found.title == "toy"
        and found.units == {"t": "K", "p": "mm"}
        and found.rows[0] == rows[0]
        and len(found.rows) == len(rows)
        and found.size == 5
    )
    assert found.leads == ((0.0, 6.0) if leads > 1 else (None,)) and found.record["name"] == "toy" and found.coarse is None
    truth = found.field(found.truth, 2, "p", found.leads[-1])
    np.testing.assert_array_equal(truth, toy.field("truth", found.items[2].time, "p", leads - 1))


def test_a_folder_without_scores(tmp_path):
    found = read_scores(tmp_path, grid=toy.ToyOpened.grid)
    assert found.ranks is None and found.spectra is None and found.maps is None


def test_single_baselines_have_a_mae():
    dims = ("source", "variable", "x")
    crps = xr.DataArray(np.array([1.0, 3.0, 2.0]).reshape(3, 1, 1) * np.ones((3, 1, 4)), dims=dims)
    spread = xr.full_like(crps, np.nan)
    data = xr.Dataset(
        {"bias": crps, "crps": crps, "spread": spread, "spread_skill": spread}, {"source": ["forecast", "a", "b"], "variable": ["t"]}
    )
    found = score_maps(data, Grid("ring", None, np.arange(4.0)))
    assert list(found) == ["bias", "crps", "mae_b"] and (found["mae_b"] == 2.0).all()


def test_each_variable_has_its_own_best_baseline():
    dims = ("source", "variable", "x")
    crps = xr.DataArray(np.array([[1.0, 1.0], [3.0, 2.0], [2.0, 4.0]])[:, :, None] * np.ones((3, 2, 4)), dims=dims)
    data = xr.Dataset({"crps": crps, "spread": xr.full_like(crps, np.nan)}, {"source": ["forecast", "a", "b"], "variable": ["t", "p"]})
    found = score_maps(data, Grid("ring", None, np.arange(4.0)))
    assert list(found) == ["crps", "mae_a", "mae_b"]
    assert np.isnan(found["mae_a"].sel(variable="t")).all() and (found["mae_a"].sel(variable="p") == 2.0).all()
    assert np.isnan(found["mae_b"].sel(variable="p")).all() and (found["mae_b"].sel(variable="t") == 2.0).all()


def test_maps_that_were_asked_for_follow_by_name_and_skill_for_each_baseline():
    dims, nothing = ("source", "variable", "x"), np.full((3, 1, 4), np.nan)
    usual = {name: (dims, np.ones((3, 1, 4))) for name in ("bias", "mae", "rmse", "crps", "spread", "spread_skill")}
    skill, own = nothing.copy(), nothing.copy()
    skill[1:], own[0] = [[[0.1]], [[0.2]]], 0.3
    data = xr.Dataset(usual | {"crpss": (dims, skill, {"units": "1"}), "brier_5": (dims, own, {"units": "1"})})
    found = score_maps(data.assign_coords(source=["forecast", "a", "b"], variable=["t"]), Grid("ring", None, np.arange(4.0)))
    assert list(found) == ["bias", "spread_skill", "spread", "rmse", "crps", "crps_a", "brier_5", "crpss_a", "crpss_b"]
    assert [name for name in found if found[name].attrs.get("asked")] == ["brier_5", "crpss_a", "crpss_b"]
    assert (found["crpss_b"] == 0.2).all() and (found["brier_5"] == 0.3).all() and found["crpss_b"].attrs["units"] == "1"


def test_size_of_cells():
    """One degree of a great circle is 2 pi 6371 / 360 = 111.195 km; at 60 degrees north a cell is half as wide as high."""
    grid = Grid("latlon", np.arange(58.0, 63.0), np.arange(6.0))
    assert cell_km(grid, [(0, 5), (0, 6)]) == pytest.approx(111.195 * np.sqrt(0.5), rel=1e-4)
    place = np.zeros((3, 3))
    assert cell_km(Grid("projected", place, place, dx_km=2.0, dy_km=8.0), [(0, 3), (0, 3)]) == 4.0
    assert cell_km(Grid("ring", None, np.arange(4.0)), [(0, 4)]) is None
