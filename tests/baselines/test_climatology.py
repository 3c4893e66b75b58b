import numpy as np
import pytest

import wxexp as wx
from wxexp.baselines import Climatology
from wxexp.fields.seeds import Draws


@pytest.fixture(scope="module")
def opened():
    source = wx.datasets.Lorenz96(trajectories=4, steps=100, spin_up=500)
    return wx.datasets.Forecasting(source=source, variables=("state",), lead_hours=6.0, leads=2).open()


def drawn(opened, size, item, leads=2, seed=0):
    return Climatology(size=size).members({}, opened, item, leads, Draws.drawing(seed, [item.time]).of("baseline", "climatology"))


def test_members_are_true_states_of_training_times(opened):
    item = opened.items("test")[0]
    x = drawn(opened, 6, item)
    assert x.shape == (6, 2, 1, 40)
    known = {tuple(opened.truth(i)["state"].values[0]) for i in opened.items("train")}
    assert all(tuple(state) in known for state in x.reshape(-1, 40))
    assert len({tuple(state) for state in x.reshape(-1, 40)}) > 6  # anew for every lead


def test_draws_are_keyed_by_member_and_time(opened):
    first, second = opened.items("test")[:2]
    assert (drawn(opened, 6, first)[:4] == drawn(opened, 4, first)).all()
    assert (drawn(opened, 4, first) != drawn(opened, 4, second)).any() and (
        drawn(opened, 4, first) != drawn(opened, 4, first, seed=1)
    ).any()


def test_its_mean_and_spread_are_those_of_the_climate(opened):
    x = drawn(opened, 200, opened.items("test")[0], leads=1)
    assert x.mean() == pytest.approx(2.34, abs=0.15) and x.std() == pytest.approx(3.64, rel=0.03)


def test_downscaling_has_a_climatology_too():
    source = wx.datasets.SyntheticFields(cells=(8, 12), times=40, factor=4)
    opened = wx.datasets.Downscaling(source=source, targets=("tas", "pr"), factor=4).open()
    x = drawn(opened, 3, opened.items("test")[0], leads=1)
    assert x.shape == (3, 1, 2, 8, 12) and np.isnan(x[:, :, 0]).mean() == pytest.approx(0.2, abs=0.05)


def test_an_ensemble_has_two_members():
    with pytest.raises(ValueError, match="Climatology.size must be at least 2, got 1"):
        Climatology(size=1)
