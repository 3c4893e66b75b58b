"""Thresholds that are quantiles of each cell's climatology: fitted on training times, through the engine, against a plain loop."""

import numpy as np
import pytest
import toy_scoring as toy

from wxexp.metrics import SEEPS, Brier, ROCArea
from wxexp.scoring import finalise, score


@pytest.mark.parametrize("leads", [1, 2])
def test_brier_and_roc_of_quantiles(world, here, tmp_path, leads):
    metrics = {
        "brier": Brier(thresholds=(0.25, 0.9), of="climatology", estimator="biased"),
        "roc": ROCArea(thresholds=(0.9,), of="climatology"),
    }
    w = world(leads=leads, metrics=metrics)
    score(tree=w.tree, executor=here(), out=tmp_path / "out")
    rows = {(r.metric, r.variable, r.lead_hours): r.value for r in finalise(w.experiment, tmp_path / "out") if r.source == "forecast"}
    lead_hours = [None] if leads == 1 else [0.0, 6.0]
    area = w.opened.grid.area()
    for v, name in enumerate(toy.NAMES):
        train = np.concatenate([np.reshape(w.opened.truth(i)[name].values, (-1, *area.shape)) for i in w.opened.items("train")])
        for q in (0.25, 0.9):
            limit = np.quantile(train.astype(np.float64), q, axis=0).astype(np.float32)
            for l, lead in enumerate(lead_hours):
                total = weight = 0.0
                for c, item in enumerate(w.opened.items("test")):
                    truth = np.reshape(w.opened.truth(item)[name].values, (leads, *area.shape))[l]
                    mask = w.opened.read([item]).mask.numpy()[0]
                    use = np.broadcast_to(mask, (len(toy.NAMES), *area.shape))[v] & ~np.isnan(truth)
                    members = w.members[name].values[c]
                    members = members if leads == 1 else members[:, l]
                    p = (members > limit).mean(axis=0)
                    total += ((p - (truth > limit)) ** 2 * area)[use].sum()
                    weight += area[use].sum()
                assert rows[f"brier_biased_q{q}", name, lead] == pytest.approx(total / weight, rel=1e-6)
        assert 0.3 < rows["roc_area_q0.9", name, lead_hours[0]] < 0.7, "members know nothing of the truth"


@pytest.mark.parametrize("leads", [1, 2])
def test_seeps_of_the_climate_of_each_cell(world, here, tmp_path, leads):
    """By a plain loop over cells."""
    w = world(leads=leads, times=4, metrics={"seeps": SEEPS(dry=-0.3, by="all")})
    score(tree=w.tree, executor=here(), out=tmp_path / "out")
    rows = {(r.variable, r.lead_hours): r.value for r in finalise(w.experiment, tmp_path / "out") if r.source == "forecast"}
    area, mask = w.opened.grid.area(), toy.mask()
    for v, name in enumerate(toy.NAMES):
        train = np.stack([np.reshape(w.opened.truth(i)[name].values, (-1, *area.shape))[0] for i in w.opened.items("train")])
        total = weight = 0.0
        for c, item in enumerate(w.opened.items("test")):
            truth = np.reshape(w.opened.truth(item)[name].values, (leads, *area.shape))[0]
            members = w.members[name].values[c].reshape(5, leads, *area.shape)[:, 0]
            for place in zip(*np.nonzero(mask[v] & ~np.isnan(truth)), strict=True):
                series = train[(slice(None), *place)].astype(np.float64)
                p = (series <= np.float32(-0.3)).mean()
                if not 0.1 <= p <= 0.85:
                    continue
                heavy = np.quantile(series[series > -0.3], 2 / 3)
                matrix = (
                    0.5 * np.array([[0, 1, 4], [1 / p - 1, 0, 3], [(1 / p + 3 / (2 + p)) * (1 - p), 3 / (2 + p) * (1 - p), 0]]) / (1 - p)
                )
                kinds = [int(x > -0.3) + int(x > heavy) for x in (truth[place], *members[(slice(None), *place)])]
                total += area[place] * np.mean([matrix[kind, kinds[0]] for kind in kinds[1:]])
                weight += area[place]
        assert rows[name, None if leads == 1 else 0.0] == pytest.approx(total / weight, rel=1e-5)


def test_a_month_without_training_times_is_named(world, here, tmp_path):
    w = world(metrics={"seeps": SEEPS(dry=-0.3)})
    with pytest.raises(ValueError, match="no training time is in month 2, that of 0 hours after 2001-02-22T00:00:00: use by='all'"):
        score(tree=w.tree, executor=here(), out=tmp_path / "out")


def test_without_training_times_they_are_refused(world):
    w = world()
    with pytest.raises(ValueError, match="known from training times, which there are not here"):
        truth = np.zeros(toy.SHAPE, dtype=np.float32)
        Brier(thresholds=(0.5,), of="climatology").needs()[0].reduce(truth, truth[None], w.opened.grid.area()[None])


@pytest.mark.parametrize("level", [0.0, 1.0, 1.5])
def test_a_quantile_is_between_none_and_all(level):
    with pytest.raises(ValueError, match="Brier.thresholds must be one or more different numbers, in .0, 1., got"):
        Brier(thresholds=(level,), of="climatology")
