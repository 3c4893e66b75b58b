"""On autoregressive cells, whose lag correlations and best forecasts are known."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
import xarray as xr

import wxexp as wx
from wxexp.baselines import DampedPersistence
from wxexp.fields.seeds import Draws
from wxexp.interfaces import Item

DRAWS = Draws.drawing(0, ["2000-01-01T00:00:00"])
PHI = np.array([0.9, 0.5, 0.0])
MEAN = np.array([10.0, -3.0, 280.0])


class OpenedToy:
    """Six-hourly states of three cells (and a masked one), steps of 12 hours, four of them."""

    codec = SimpleNamespace(targets=("t",), units=("K",))

    def __init__(self, states, split=0.75, missing=()):
        masked = np.full((len(states), 1), np.nan)
        self.states = np.concatenate([states, masked], axis=1)[:, None].astype(np.float32)
        times = np.datetime64("2000-01-01T00:00:00") + 6 * np.arange(len(states)) * np.timedelta64(1, "h")
        last = int(split * len(states))
        made = [Item(i, str(times[i]), 12.0) for i in range(len(states) - 8) if i not in missing]
        self.splits = {"train": [i for i in made if i.index < last - 2], "valid": [], "test": [i for i in made if i.index >= last]}

    def items(self, split):
        return self.splits[split]

    def state(self, items):
        return torch.from_numpy(self.states[[item.index for item in items]])

    def truth(self, item):
        return xr.Dataset({"t": (("lead_time", "x"), self.states[item.index + 2 * np.arange(1, 5), 0])})


def autoregressive(phi, size, seed=0):
    """At every second time, so that the correlation of a step of 12 hours is phi; two interleaved series."""
    z = np.random.default_rng(seed).standard_normal((size, len(phi)))
    for i in range(2, size):
        z[i] = phi * z[i - 2] + np.sqrt(1 - phi**2) * z[i]
    return z


def forecasts(baseline, fitted, opened, items):
    x = np.stack([baseline.members(fitted, opened, item, 4, DRAWS)[0, :, 0] for item in items])
    return x, np.stack([opened.truth(item)["t"].values for item in items])


def test_correlations_of_an_autoregressive_process_are_its_powers():
    opened = OpenedToy(MEAN + 2.0 * autoregressive(PHI, 12_000))
    fitted = DampedPersistence().fit(opened)
    assert fitted["correlation"].shape == (4, 1, 4) and fitted["cycle"].shape == (1, 1, 4)
    np.testing.assert_allclose(fitted["correlation"][:, 0, :3], PHI ** np.arange(1, 5)[:, None], atol=0.03)
    np.testing.assert_allclose(fitted["cycle"][0, 0, :3], MEAN, atol=0.25)
    assert (fitted["correlation"][:, 0, 3] == 0).all() and np.isnan(fitted["cycle"][0, 0, 3])


def test_its_error_is_the_least_there_is():
    """σ² (1 − φ^2l), against 2 σ² (1 − φ^l) of persistence."""
    opened = OpenedToy(MEAN + 2.0 * autoregressive(PHI, 12_000))
    baseline, items = DampedPersistence(), opened.items("test")
    x, y = forecasts(baseline, baseline.fit(opened), opened, items)
    square = ((x - y)[:, :, :3] ** 2).mean(axis=0)
    np.testing.assert_allclose(square, 4.0 * (1 - PHI ** (2 * np.arange(1, 5)[:, None])), rtol=0.12)
    persistence = ((opened.state(items).numpy() - y)[:, :, :3] ** 2).mean(axis=0)
    np.testing.assert_allclose(persistence, 8.0 * (1 - PHI ** np.arange(1, 5)[:, None]), rtol=0.15)
    assert np.isnan(x[..., 3]).all()


def test_only_training_times_are_seen():
    states = autoregressive(PHI, 1_000)
    other = states.copy()
    other[750:] = 1e6
    one, two = (DampedPersistence(harmonics=1).fit(OpenedToy(s)) for s in (states, other))
    for name, x in one.items():
        np.testing.assert_array_equal(x, two[name])


def test_no_pair_crosses_a_time_that_is_missing():
    """A jump of the climate at a missing time: pairs across it would be uncorrelated."""
    states = autoregressive(np.array([0.99, 0.99, 0.99]), 1_200)
    gap = range(500, 508)
    broken = states.copy()
    broken[gap] = 1e9  # never looked at
    found, whole = (DampedPersistence().fit(OpenedToy(s, missing=gap)) for s in (broken, states))
    np.testing.assert_array_equal(found["correlation"], whole["correlation"])


def test_an_annual_cycle_is_followed_and_not_damped():
    """Nothing but the cycle: forecast exactly, where damping to the mean of the year is off by much."""
    size = 4 * 365 * 3
    days = 0.25 * np.arange(size)
    cycle = 8.0 * np.cos(2 * np.pi * (days % 365 - 15) / 365)[:, None]
    opened = OpenedToy(280.0 + cycle + 1e-3 * autoregressive(PHI, size), split=0.67)
    items = opened.items("test")[::40]
    errors = {}
    for harmonics in (0, 1):
        baseline = DampedPersistence(harmonics=harmonics)
        x, y = forecasts(baseline, baseline.fit(opened), opened, items)
        errors[harmonics] = np.abs(x - y)[..., 2].max()
    assert errors[1] < 0.1 < 0.2 < errors[0]  # 2000 is a leap year: half a day of the cycle is 0.07


def test_datasets_with_states_only_and_leads_that_are_fitted():
    opened = wx.datasets.Downscaling(
        source=wx.datasets.SyntheticFields(cells=(8, 8), times=40, factor=4), targets=("tas",), factor=4
    ).open()
    with pytest.raises(ValueError, match="baseline DampedPersistence needs an initial state, which Downscaling does not have"):
        DampedPersistence().fit(opened)
    toy = OpenedToy(autoregressive(PHI, 200))
    fitted = DampedPersistence().fit(toy)
    with pytest.raises(ValueError, match="DampedPersistence is fitted for 4 leads, 5 are forecast"):
        DampedPersistence().members(fitted, toy, toy.items("test")[0], 5, DRAWS)
    with pytest.raises(ValueError, match="DampedPersistence.harmonics must be at least 0, got -1"):
        DampedPersistence(harmonics=-1)


def test_lorenz_is_remembered_less_and_less():
    source = wx.datasets.Lorenz96(trajectories=4, steps=200, spin_up=500)
    opened = wx.datasets.Forecasting(source=source, variables=("state",), lead_hours=6.0, leads=8, stride=5).open()
    fitted = DampedPersistence().fit(opened)
    assert fitted["correlation"].shape == (8, 1, 40)
    mean = fitted["correlation"].mean(axis=(1, 2))
    assert (np.diff(mean) < 0).all() and mean[0] > 0.9
    x = DampedPersistence().members(fitted, opened, opened.items("test")[0], 8, DRAWS)
    assert x.shape == (1, 8, 1, 40) and x.dtype == np.float32
