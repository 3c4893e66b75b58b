"""Anomaly correlations from a climatology of training times: through the engine, against a plain loop."""

import numpy as np
import pytest
import toy_scoring as toy

from wxexp.metrics import ACC
from wxexp.scoring import finalise, score
from wxexp.statistics import Anomalies


@pytest.mark.parametrize("leads", [1, 2])
def test_against_the_mean_of_training_times(world, here, tmp_path, leads):
    """All training times are within 100 days of every test time, so that the seasonal mean is their mean."""
    w = world(leads=leads, metrics={"acc": ACC(window_days=100.0)})
    score(tree=w.tree, executor=here(), out=tmp_path / "out")
    rows = {(r.metric, r.variable, r.lead_hours): r.value for r in finalise(w.experiment, tmp_path / "out") if r.source == "forecast"}
    area = w.opened.grid.area()
    for v, name in enumerate(toy.NAMES):
        usual = np.mean([np.reshape(w.opened.truth(i)[name].values, (leads, *area.shape))[0] for i in w.opened.items("train")], axis=0)
        for l, lead in enumerate([None] if leads == 1 else [0.0, 6.0]):
            sums = np.zeros((2, 3))
            for c, item in enumerate(w.opened.items("test")):
                y = np.reshape(w.opened.truth(item)[name].values, (leads, *area.shape))[l] - usual
                x = np.reshape(w.members[name].values[c], (5, leads, *area.shape))[:, l].mean(axis=0, dtype=np.float64) - usual
                use = toy.mask()[v] & ~np.isnan(y)
                a, b, own = x[use], y[use], area[use]
                sums[1] += [np.sum(own * p) for p in (a * b, a * a, b * b)]
                a, b = a - np.sum(own * a) / own.sum(), b - np.sum(own * b) / own.sum()
                sums[0] += [np.sum(own * p) for p in (a * b, a * a, b * b)]
            for metric, (ab, aa, bb) in zip(("acc_centred", "acc_uncentred"), sums, strict=True):
                assert rows[metric, name, lead] == pytest.approx(ab / np.sqrt(aa * bb), rel=1e-5)


def test_of_each_time_with_its_own_season(world, here, tmp_path):
    """A test time half a year away has nothing to be compared with."""
    w = world(metrics={"acc": ACC()})
    with pytest.raises(ValueError, match="no training time is near the day of the year 0 hours after 2001-02-22"):
        score(tree=w.tree, executor=here(), out=tmp_path / "out")


def test_a_statistic_knows_when_it_is_valid(world, here, tmp_path, monkeypatch):
    asked, own = [], Anomalies.reducer

    def reducer(self, fitted, *, time, hours):
        asked.append((time, hours))
        return own(self, fitted, time=time, hours=hours)

    monkeypatch.setattr(Anomalies, "reducer", reducer)
    w = world(leads=2, times=3, metrics={"acc": ACC(window_days=100.0)})
    score(tree=w.tree, executor=here(), out=tmp_path / "out")
    assert set(asked) == {(item.time, hours) for item in w.opened.items("test") for hours in (0.0, 6.0)}
