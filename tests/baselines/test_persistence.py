import numpy as np
import pytest

import wxexp as wx
from wxexp.baselines import Persistence
from wxexp.fields.seeds import Draws

DRAWS = Draws.drawing(0, ["2000-01-01T00:00:00"])


def test_every_lead_is_the_initial_state():
    source = wx.datasets.Lorenz96(trajectories=2, steps=40, spin_up=100)
    opened = wx.datasets.Forecasting(source=source, variables=("state",), lead_hours=6.0, history=2, leads=3).open()
    item = opened.items("test")[1]
    x = Persistence().members({}, opened, item, 3, DRAWS)
    assert x.shape == (1, 3, 1, 40)
    assert (x[0, :, 0] == source.open().data["state"].values[item.index]).all()


def test_a_dataset_without_an_initial_state_is_refused():
    source = wx.datasets.SyntheticFields(cells=(8, 8), times=40, factor=4)
    opened = wx.datasets.Downscaling(source=source, targets=("tas",), factor=4).open()
    with pytest.raises(ValueError, match="baseline Persistence needs an initial state, which Downscaling does not have"):
        Persistence().members({}, opened, opened.items("test")[0], 1, DRAWS)


def test_persistence_forgets_as_lorenz_does():
    # far apart, two states are independent: RMSE of persistence is sqrt(2) of the standard deviation
    source = wx.datasets.Lorenz96(trajectories=8, steps=400, spin_up=500)
    opened = wx.datasets.Forecasting(source=source, variables=("state",), lead_hours=6.0, leads=40, stride=5).open()
    errors = []
    for item in opened.items("test"):
        errors.append(Persistence().members({}, opened, item, 40, DRAWS)[0, :, 0] - opened.truth(item)["state"].values)
    rmse = np.sqrt((np.stack(errors) ** 2).mean((0, 2)))
    assert rmse[0] < 0.5 * rmse[-1] and rmse[-1] == pytest.approx(np.sqrt(2) * 3.64, rel=0.05)
