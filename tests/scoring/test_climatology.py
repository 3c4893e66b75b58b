"""Thresholds that are quantiles of each cell's climatology: fitted on training times, through the engine, against a plain loop."""

import numpy as np
import pytest
import toy_scoring as toy

from wxexp.metrics import Brier, ROCArea
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


def test_without_training_times_they_are_refused(world):
    w = world()
    with pytest.raises(ValueError, match="known from training times, which there are not here"):
        truth = np.zeros(toy.SHAPE, dtype=np.float32)
        Brier(thresholds=(0.5,), of="climatology").needs()[0].reduce(truth, truth[None], w.opened.grid.area()[None])


@pytest.mark.parametrize("level", [0.0, 1.0, 1.5])
def test_a_quantile_is_between_none_and_all(level):
    with pytest.raises(ValueError, match="Brier.thresholds must be one or more different numbers, in .0, 1., got"):
        Brier(thresholds=(level,), of="climatology")
