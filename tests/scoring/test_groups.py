"""Rows of regions and seasons, from the one pass, against libraries over the same cells and times."""

import numpy as np
import pytest
import scoringrules
import xarray as xr
from test_engine import arrays, digest

from wxexp.metrics import CRPS, Bias, EnergyScore, RankHistogram
from wxexp.scoring import finalise, score
from wxexp.scoring.sums import Resampling
from wxexp.subsets import Both, Months, Region

GROUPS = {
    "south": Region(north=55.0),
    "east": Region(west=9.9, east=30.0),
    "january": Months(months=(1,)),
    "spring": Both(first=Region(north=55.0), second=Months(months=(3, 4, 5))),
}
METRICS = {"crps": CRPS(), "bias": Bias(), "es": EnergyScore(), "ranks": RankHistogram()}
LAT, LON = np.linspace(40.0, 70.0, 10), np.linspace(0.0, 20.0, 14)
CELLS = {"south": (LAT <= 55)[:, None] & (LON > -1), "east": (LAT > 0)[:, None] & (LON > 10), "january": True, "all": True}
CELLS["spring"] = CELLS["south"]
CASES = {"january": [0, 1, 2], "spring": [6]}  # days 24-26, 52-54 and 80 of the year


def test_rows_of_groups_equal_libraries_over_their_cells_and_cases(world, here, tmp_path):
    w = world(metrics=METRICS, groups=GROUPS)
    score(tree=w.tree, executor=here(), out=tmp_path)
    rows = {(r.metric, r.group, r.variable): r for r in finalise(w.experiment, tmp_path) if r.source == "forecast"}
    assert list(dict.fromkeys(group for _, group, _ in rows)) == ["all", "south", "east", "spring", "january"]
    valid, truth, x = (a[..., 0, :, :].astype(np.float64) for a in arrays(w))  # [case, (member,) variable, *S]
    crps = scoringrules.crps_ensemble(truth, x, m_axis=1, estimator="fair", backend="numpy")
    for group, cells in CELLS.items():
        chosen = CASES.get(group, slice(None))
        for v, name in enumerate(("t", "p")):
            weights = (valid * cells)[chosen, v]
            assert rows["crps", group, name].value == pytest.approx(np.average(crps[chosen, v], weights=weights), rel=1e-6)
            error = x.mean(axis=1) - truth
            assert rows["bias", group, name].value == pytest.approx(np.average(error[chosen, v], weights=weights), rel=1e-5, abs=1e-6)
            norms = []
            for case in range(7)[chosen] if isinstance(chosen, slice) else chosen:
                u = (valid * cells)[case, v]
                root = np.sqrt(u[u > 0] / u.sum())
                fields = truth[case, v][u > 0] * root, x[case, :, v][:, u > 0] * root
                norms.append(scoringrules.es_ensemble(*fields, m_axis=0, v_axis=1, estimator="fair", backend="numpy"))
            assert rows["energy_score", group, name].value == pytest.approx(np.mean(norms), rel=1e-6)


def test_a_group_changes_no_bit_of_the_rest(world, here, tmp_path):
    metrics = {"crps": CRPS(), "bias": Bias(), "ranks": RankHistogram()}
    plain = world(metrics=metrics)
    score(tree=plain.tree, executor=here(), out=tmp_path / "plain")
    want = {repr(row) for row in finalise(plain.experiment, tmp_path / "plain")}
    w = world(metrics=metrics, groups=GROUPS, stored=plain)
    score(tree=w.tree, executor=here(), out=tmp_path / "groups")
    rows = finalise(w.experiment, tmp_path / "groups")
    assert {repr(row) for row in rows if row.group == "all"} == want
    assert {k: v for k, v in digest(tmp_path / "groups").items() if k[:4] == "maps"} == {
        k: v for k, v in digest(tmp_path / "plain").items() if k[:4] == "maps"
    }
    data = xr.open_zarr(tmp_path / "groups" / "scores.zarr", group="forecast", chunks=None)
    assert data["group"].values.tolist() == ["all", "south", "east", "spring"]


def test_bounds_of_a_season_are_those_of_its_own_cases(world, here, tmp_path):
    """January has three days, spring a single one: neither has bounds; the winter has nine, and those of them alone."""
    w = world(times=10, metrics={"bias": Bias()}, groups={**GROUPS, "winter": Months(months=(12, 1, 2))})
    score(tree=w.tree, executor=here(), out=tmp_path)
    rows = {(r.group, r.variable): r for r in finalise(w.experiment, tmp_path) if r.source == "zero"}
    assert rows["january", "t"].low is None and rows["spring", "t"].low is None and rows["all", "t"].low is not None
    data = xr.open_zarr(tmp_path / "scores.zarr", group="zero", chunks=None).isel(lead=0, variable=0, group=0)
    error, weight = data["errors.error"].values, data["errors.weight"].values
    winter = [0, 1, 2, 3, 4, 5, 7, 8, 9]
    days = np.array([24, 25, 26, 52, 53, 54, 340, 341, 342])
    alone = Resampling(slice(None), days, draws=50, seed=0).bounded(lambda total: total(error[winter]) / total(weight[winter]))
    assert [rows["winter", "t"].low, rows["winter", "t"].high] == pytest.approx([float(x) for x in alone[1:]], rel=1e-12)
    assert rows["winter", "t"].low < np.mean(error[winter] / weight[winter]) < rows["winter", "t"].high


@pytest.mark.parametrize(
    ("group", "message"),
    [
        (Region(north=44.0, east=4.0, west=0.0), r"groups\['here'\] has no cell that is scored: 6 of 140 cells belong to it, all masked"),
        (Region(north=10.0), "has no cell that is scored: 0 of 140 cells belong to it"),
        (Months(months=(7,)), "has none of the 7 times that are scored, 2001-01-25T00:00:00 to 2001-03-22T00:00:00"),
    ],
)
def test_a_group_of_nothing_is_refused_by_name(group, message, world):
    with pytest.raises(ValueError, match=message):
        world(groups={"here": group})


def test_all_is_taken(world):
    with pytest.raises(ValueError, match="cannot have an entry 'all'"):
        world(groups={"all": Region()})
