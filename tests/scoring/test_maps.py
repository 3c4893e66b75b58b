"""Maps of metrics: of each cell what the row of a group of that cell alone is, whoever added it up."""

import shutil

import numpy as np
import pytest
import scoringrules
import toy_scoring as toy
import xarray as xr

from wxexp.config.tree import defaults, exports, hints
from wxexp.experiment import Scoring
from wxexp.interfaces import Metric
from wxexp.metrics import CRPS, CRPSS, FSS, Brier, Coverage, LogSpectralDistance, QuantileScore, RankHistogram, ThresholdCRPS
from wxexp.scoring import finalise, reuse, score
from wxexp.scoring.maps import CELLS
from wxexp.statistics import Exceedances
from wxexp.subsets import Region

GIVEN = {"thresholds": (0.25, -0.5), "low": -3.0, "high": 3.0, "count": 20, "edges": (0.0, 1.0), "levels": (0.3, 0.8)}
"""Values of fields that have no default, and of levels that say something for seven cases."""

CELL = (6, 9)
"""60 N, 13.8 E."""


def made(cls):
    return cls(**{name: value for name, value in GIVEN.items() if name in cls.__dataclass_fields__})


EVERY = {name.lower(): made(cls) for name, cls in exports(Metric).items() if set(hints(cls)) - set(defaults(cls)) <= set(GIVEN)}
POINT = {name: metric for name, metric in EVERY.items() if all(statistic.scope == "point" for statistic in metric.needs())}
POINT["climate"] = Brier(thresholds=(0.5, 0.9), of="climatology")
FEW = {"crps": CRPS(estimator="biased"), "brier": Brier(thresholds=(0.25,)), "ranks": RankHistogram(), "lsd": LogSpectralDistance()}


@pytest.fixture
def maps(tmp_path):
    return lambda folder="": xr.open_zarr(tmp_path / folder / "maps.zarr", chunks=None, decode_timedelta=False)


def test_every_metric_of_cells_has_the_map_of_its_rows(world, here, maps, tmp_path):
    """The row goes through sums of cases, the map through totals of cells."""
    assert len(POINT) > 20
    w = world(leads=2, times=4, metrics=POINT, maps=tuple(POINT), groups={"cell": Region(south=59.0, north=61.0, west=13.0, east=14.5)})
    score(tree=w.tree, executor=here(lambda items: items[::-1]), out=tmp_path)
    found = maps()
    rows = [r for r in finalise(w.experiment, tmp_path) if r.group == "cell"]
    assert {r.metric for r in rows} == set(found.data_vars) - {"spread"} and found["crpss"].dims == found["bias"].dims
    different = set()
    for r in rows:
        values = found[r.metric].sel(source=r.source, variable=r.variable).isel(lead_time=int(r.lead_hours // 6)).values
        np.testing.assert_allclose(values[CELL], r.value, rtol=2e-5, atol=1e-6, err_msg=f"{r.metric} {r.source}")
        assert np.isnan(values[~toy.mask()[int(r.variable == "p")]]).all()
        own = "1" if r.metric == "spread_skill" else found[r.metric].attrs.get("units", {"t": "K", "p": "mm"}[r.variable])
        assert own == r.units
        different.add(r.metric) if np.isfinite(r.value) and r.value != 0 else None
    assert len(different) > 40


def test_maps_equal_libraries_cell_by_cell(world, here, maps, tmp_path):
    w = world(metrics=FEW | {"tail": ThresholdCRPS(thresholds=(0.5,)), "q": QuantileScore(levels=(0.9,))}, maps=("brier", "tail", "q"))
    score(tree=w.tree, executor=here(), out=tmp_path)
    found = maps().sel(source="forecast", variable="t")
    y = np.stack([w.opened.truth(item)["t"].values for item in w.opened.items("test")]).astype(float)
    x = w.members["t"].values.astype(float)
    cells = toy.mask()[0]
    p = (x > 0.25).mean(axis=1)
    q = np.quantile(x, 0.9, axis=1)
    for name, want in {
        "brier_0.25": (p - (y > 0.25)) ** 2 - p * (1 - p) / 4,
        "twcrps_0.5": scoringrules.twcrps_ensemble(y, x, a=0.5, m_axis=1, estimator="fair", backend="numpy"),
        "quantile_score_0.9": scoringrules.quantile_score(y, q, 0.9, backend="numpy"),
    }.items():
        want = np.where(np.isnan(y), np.nan, want)[:, cells]
        np.testing.assert_allclose(found[name].values[cells], np.nanmean(want, axis=0), rtol=1e-5, atol=1e-6, err_msg=name)


def test_other_maps_change_no_bit_of_what_every_run_has(world, here, maps, tmp_path, monkeypatch):
    plain = world(metrics=FEW)
    more = world(metrics=FEW, maps=("brier", "ranks"), stored=plain)
    score(tree=plain.tree, executor=here(), out=tmp_path / "plain")
    score(tree=more.tree, executor=here(), out=tmp_path / "more")
    names = list(maps("plain").data_vars)
    assert sorted(names) == ["bias", "crps", "mae", "rmse", "spread", "spread_skill"]
    assert maps("more")[names].identical(maps("plain"))
    assert set(maps("more").data_vars) - set(names) == {"brier_0.25", "rank_histogram"}
    assert "maps" not in plain.tree["plan"]  # scores of earlier versions stay usable
    monkeypatch.setattr("wxexp.scoring.maps.CELLS", 33)
    score(tree=more.tree, executor=here(), out=tmp_path / "pieces")
    assert maps("pieces").identical(maps("more"))


def test_maps_that_are_there_are_taken_and_others_are_scored_again(world, here, tmp_path):
    w = world(times=3, metrics=FEW, maps=("brier", "ranks"))
    score(tree=w.tree, executor=here(), out=tmp_path / "first")
    for maps, taken in ((("ranks",), True), ((), True), (("ranks", "crps"), False)):
        tree = world(times=3, metrics=FEW, maps=maps, stored=w).tree
        assert (reuse(tree=tree, out=tmp_path / "second", others=[tmp_path / "first"]) is not None) == taken
        shutil.rmtree(tmp_path / "second", ignore_errors=True)


def test_a_map_that_cannot_be_is_refused_with_those_that_can():
    metrics = {"crps": CRPS(), "brier": Brier(thresholds=(1.0,)), "fss": FSS(thresholds=(1.0,)), "skill": CRPSS(), "cover": Coverage()}
    with pytest.raises(ValueError, match=r"no metric 'bier'; did you mean 'brier'\?; metrics that can have one: crps, brier, skill, cover"):
        Scoring(metrics=metrics, maps=("bier",))
    with pytest.raises(ValueError, match=r"Scoring.maps: 'fss' needs whole fields; metrics that can have one: crps, brier, skill, cover"):
        Scoring(metrics=metrics, maps=("crps", "fss"))
    with pytest.raises(ValueError, match="that can have one: none"):
        Scoring(maps=("crps",))


def test_fitted_thresholds_of_cells_are_those_of_groups():
    rng = np.random.default_rng(0)
    truth, members = rng.standard_normal((4, 5)).astype(np.float32), rng.standard_normal((6, 4, 5)).astype(np.float32)
    fitted = {"thresholds": rng.standard_normal((2, 4, 5)).astype(np.float32)}
    fitted["thresholds"][1, 2, 3] = np.nan
    statistic, at = Exceedances(thresholds=(0.5, 0.9), of="climatology"), np.arange(20)
    slow = super(Exceedances, statistic).cells(truth, members, at, fitted)
    np.testing.assert_array_equal(statistic.cells(truth, members, at, fitted)["table"], slow["table"])
    assert slow["table"].sum(axis=(0, 2, 3)).tolist() == [20.0, 19.0] and CELLS > 20
