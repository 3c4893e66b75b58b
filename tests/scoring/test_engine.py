import copy
import hashlib
import tracemalloc

import numpy as np
import properscoring
import pytest
import scoringrules
import toy_scoring as toy
import xarray as xr

from wxexp.fields.seeds import Draws
from wxexp.interfaces import Failure
from wxexp.metrics import CRPS, LogSpectralDistance, RankHistogram
from wxexp.scoring import finalise, score
from wxexp.scoring.engine import scorer

FEW = {"crps": CRPS(), "rank_histogram": RankHistogram(), "lsd": LogSpectralDistance()}


def digest(folder):
    """Names and bytes of all files."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def arrays(world):
    """Weights [V, *S], truths [T, V, L, *S], members [T, M, V, L, *S], and the valid weights of each case, by plain indexing."""
    weights = world.opened.grid.area() * toy.mask()
    leads = world.opened.leads
    truth = np.stack(
        [
            np.stack([world.opened.truth(item)[n].values.reshape(leads, *toy.SHAPE) for n in toy.NAMES])
            for item in world.opened.items("test")
        ]
    )
    x = np.stack([world.members[n].values.reshape(len(truth), -1, leads, *toy.SHAPE) for n in toy.NAMES], axis=2)
    valid = np.where(np.isnan(truth), 0.0, weights[None, :, None])
    return valid, np.nan_to_num(truth), np.nan_to_num(x)


@pytest.mark.parametrize("leads", [1, 2])
def test_rows_equal_libraries_over_all_cells_and_cases(leads, world, here, tmp_path):
    w = world(leads=leads, times=8)
    score(tree=w.tree, executor=here(), out=tmp_path)
    rows = finalise(w.experiment, tmp_path)
    valid, truth, x = (a.astype(np.float64) for a in arrays(w))
    noise = np.stack(
        [w.experiment.scoring.baselines["noise"].members({}, w.opened, item, leads, draws_of(w, item)) for item in w.opened.items("test")]
    ).swapaxes(2, 3)

    def mean(field):
        return np.average(field, weights=valid, axis=(0, 3, 4)).T  # [lead, variable]

    fair = [mean(scoringrules.crps_ensemble(truth, e.astype(float), m_axis=1, estimator="fair", backend="numpy")) for e in (x, noise)]
    zero = mean(np.abs(0.25 - truth))
    error = x.mean(axis=1) - truth
    variance = x.var(axis=1, ddof=1)
    expected = {
        ("crps", "forecast"): fair[0],
        ("crps", "noise"): fair[1],
        ("crps", "zero"): zero,
        ("crps_biased", "forecast"): mean(properscoring.crps_ensemble(truth, x, axis=1)),
        ("crpss", "noise"): 1 - fair[0] / fair[1],
        ("crpss", "zero"): 1 - fair[0] / zero,
        ("mae", "forecast"): mean(np.abs(error)),
        ("rmse", "forecast"): np.sqrt(mean(error**2)),
        ("bias", "zero"): mean(0.25 - truth),
        ("spread_skill", "forecast"): np.sqrt(1.2 * mean(variance) / mean(error**2)),
    }
    table = {(r.metric, r.source, r.lead_hours, r.variable): r for r in rows}
    assert len(table) == len(rows)
    for (metric, source), values in expected.items():
        for l, lead in enumerate([None] if leads == 1 else [0.0, 6.0]):
            for v, name in enumerate(toy.NAMES):
                row = table[metric, source, lead, name]
                assert row.value == pytest.approx(values[l, v], rel=1e-6, abs=1e-7), (metric, source, name)
                assert row.low <= row.value <= row.high and row.group == "all"
    assert table["rmse", "forecast", None if leads == 1 else 6.0, "p"].units == "mm"
    assert not [key for key in table if key[0] in ("spread_skill", "rank_histogram") and key[1] == "zero"]  # one member has none


def draws_of(world, item):
    return Draws.drawing(world.experiment.ensemble.seed, [item.time]).of("baseline", "noise")


def test_a_truth_of_nan_is_counted_and_not_scored(world, here, tmp_path):
    score(tree=world().tree, executor=here(), out=tmp_path)
    data = xr.open_zarr(tmp_path / "scores.zarr", group="forecast", chunks=None)
    assert data["errors.missing"].squeeze().values.tolist() == [[0, 0], [1, 1], *[[0, 0]] * 5]  # 26 January
    weight = (toy.ToyOpened.grid.area() * toy.mask()[0]).sum()
    assert data["errors.weight"].values[0, 0, 0, 0] == pytest.approx(weight)
    assert data["errors.weight"].values[1, 0, 0, 0] == pytest.approx(weight - toy.ToyOpened.grid.area()[5, 5])


def test_the_store_is_readable_and_says_what_it_holds(world, here, tmp_path):
    score(tree=world(leads=2, times=3).tree, executor=here(), out=tmp_path)
    data = xr.open_zarr(tmp_path / "scores.zarr", group="forecast", chunks=None)
    assert data["ranks.ranks"].dims == ("case", "lead", "variable", "group", "rank") and data["ranks.ranks"].shape == (3, 2, 2, 1, 6)
    assert data["spectrum.truth"].dims[-1] == "wavenumber" and data["pairs.skill"].dtype == np.float64
    assert data["variable"].values.tolist() == ["t", "p"] and data["lead_hours"].values.tolist() == [0.0, 6.0]
    assert str(data["time"].values[0])[:19] == "2001-01-25T00:00:00" and data.attrs["members"] == 5
    assert data["spectrum.box"].values[0, 0].squeeze().tolist() == [[0, 10, 4, 14], [0, 9, 4, 14]]  # beside the masked corner and row
    assert not (tmp_path / "scores.parts").exists()


def test_order_of_items_and_an_interruption_change_no_bit(world, here, tmp_path):
    w = world(times=7, metrics=FEW, maps=("rank_histogram",))
    score(tree=w.tree, executor=here(), out=tmp_path / "a")
    score(tree=w.tree, executor=here(lambda items: items[::-1]), out=tmp_path / "b")
    with pytest.raises(KeyboardInterrupt):
        score(tree=w.tree, executor=here(lambda items: items[1:], stop=5), out=tmp_path / "c")
    assert not (tmp_path / "c" / "scores.zarr").exists() and not (tmp_path / "c" / "maps.zarr").exists()
    rest, seen = here(), []
    score(tree=w.tree, executor=rest, out=tmp_path / "c", progress=lambda done, total: seen.append((done, total)))
    assert len(rest.done) == 7 and seen == [(n, 12) for n in range(6, 13)]
    want = digest(tmp_path / "a")
    assert {name.partition("/")[0] for name in want} == {"scores.zarr", "maps.zarr"}
    assert digest(tmp_path / "b") == want and digest(tmp_path / "c") == want
    again = here()
    score(tree=w.tree, executor=again, out=tmp_path / "c")
    assert again.done == []


def test_sums_of_cases_do_not_depend_on_blocks(world, here, tmp_path):
    """Maps do, by rounding; so what is in a block never depends on workers."""
    tree = world(times=7, metrics=FEW).tree
    for block in (1, 3, 7):
        score(tree={**tree, "plan": {**tree["plan"], "block": block}}, executor=here(), out=tmp_path / str(block))
    stores = [[xr.open_zarr(tmp_path / b / "scores.zarr", group=g, chunks=None) for g in ("forecast", "noise")] for b in "137"]
    maps = [xr.open_zarr(tmp_path / b / "maps.zarr", chunks=None) for b in "137"]
    for others, found in zip(stores[1:], maps[1:], strict=True):
        assert all(a.identical(b) for a, b in zip(stores[0], others, strict=True))
        xr.testing.assert_allclose(found, maps[0], rtol=1e-6)


@pytest.mark.parametrize("workers", [2, pytest.param(1, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.slow)])
def test_worker_processes_change_no_bit(workers, world, here, tmp_path):
    w = world(leads=2, times=4, maps=("rank_histogram", "crps_biased"))
    score(tree=w.tree, executor=here(), out=tmp_path / "here")
    score(tree=w.tree, executor=toy.Processes(workers), out=tmp_path / "there")
    want = digest(tmp_path / "here")
    assert len(want) > 50 and "maps.zarr/rank_histogram/zarr.json" in want and digest(tmp_path / "there") == want


def test_only_the_first_members_of_a_larger_store_are_scored(world, here, tmp_path):
    few, many = world(members=5, metrics=FEW), world(members=8, scored=5, metrics=FEW)
    score(tree=few.tree, executor=here(), out=tmp_path / "few")
    score(tree=many.tree, executor=here(), out=tmp_path / "many")
    assert digest(tmp_path / "few") == digest(tmp_path / "many")
    with pytest.raises(ValueError, match="has 5 members, 9 are to be scored"):
        too = copy.deepcopy(few.tree)
        too["experiment"]["ensemble"]["members"] = 9
        score(tree=too, executor=here(), out=tmp_path / "too")


def test_a_failed_item_is_named_and_what_is_done_stays(world, tmp_path):
    class Fails:
        def map(self, job, items, *, in_flight):
            worker = job.factory(job.tree)
            for item in items:
                yield item, Failure("OSError: disk", "trace") if item == (1, 1) else worker(item)

    w = world(times=4)
    with pytest.raises(OSError, match="scoring zero 2001-01-27T00:00:00 to 2001-02-22T00:00:00: disk"):
        score(tree=w.tree, executor=Fails(), out=tmp_path)
    assert len(list((tmp_path / "scores.parts").glob("*.npz"))) == 4


def test_parts_of_another_plan_are_refused(world, here, tmp_path):
    w = world(times=3)
    with pytest.raises(KeyboardInterrupt):
        score(tree=w.tree, executor=here(stop=1), out=tmp_path)
    with pytest.raises(ValueError, match="scores.parts holds parts of another plan"):
        score(tree=world(times=4).tree, executor=here(), out=tmp_path)


def test_members_and_truth_must_be_there(world, here, tmp_path):
    w = world(times=3)
    later = copy.deepcopy(w.tree)
    later["plan"]["cases"][0]["time"] = "2002-01-01T00:00:00"
    with pytest.raises(ValueError, match="has no members for 2002-01-01T00:00:00"):
        score(tree=later, executor=here(), out=tmp_path / "a")
    leads = world(leads=2, times=3)
    leads.tree["plan"]["leads"] = [0.0, 12.0]
    with pytest.raises(ValueError, match=r"has no lead of 12.0 hours, but \[0.0, 6.0\]"):
        score(tree=leads.tree, executor=here(), out=tmp_path / "b")


def test_a_member_that_is_nan_where_it_is_scored_is_not_hidden(world, here, tmp_path):
    w = world(times=2)
    with xr.open_zarr(w.path, consolidated=False) as data:
        x = data["t"].load()
    x[0, 2, 7, 7] = np.nan
    x.to_dataset().to_zarr(w.path, mode="r+", consolidated=False)
    score(tree=w.tree, executor=here(), out=tmp_path)
    rows = {(r.metric, r.variable): r for r in finalise(w.experiment, tmp_path) if r.source == "forecast"}
    assert np.isnan(rows["crps", "t"].value) and rows["crps", "t"].low is None
    assert np.isfinite(rows["crps", "p"].value)


def test_a_member_that_was_not_written_is_named(world, here, tmp_path):
    w = world(times=3)
    with xr.open_zarr(w.path, consolidated=False) as data:
        x = data["p"].load()
    x[2, [1, 4]] = np.nan
    x.to_dataset().to_zarr(w.path, mode="r+", consolidated=False)
    with pytest.raises(ValueError, match="member 1, 4 of p at 2001-01-27T00:00:00 is missing: NaN in every cell"):
        score(tree=w.tree, executor=here(), out=tmp_path)


def test_what_a_worker_holds_and_sends_does_not_grow_with_the_number_of_cases(world):
    worker = scorer(world(times=7, block=1).tree)
    for case in range(7):
        worker((0, case))
    peaks = []
    for cases in (2, 7):
        tracemalloc.start()
        for case in range(cases):
            size = sum(x.nbytes for name, x in worker((0, case)).items() if not name.startswith("maps/"))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert size < 4096 and peaks[1] < 1.25 * peaks[0]
