from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

import wxexp as wx
from wxexp.baselines import Climatology
from wxexp.fields.seeds import Draws
from wxexp.interfaces import Item


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


class Daily:
    """Six years from 1999 with two leap days; the field of a day is its number."""

    codec = SimpleNamespace(targets=("t",), units=("K",))

    def __init__(self, lead_hours=0.0, years=6):
        days = np.datetime64("1999-01-01") + np.arange(365 * years + 2)
        self.days = days
        self.made = [Item(i, f"{day}T00:00:00", lead_hours) for i, day in enumerate(days)]

    def items(self, split):
        return self.made

    def truth(self, item):
        steps = int(item.lead_hours // 24)
        return xr.Dataset({"t": (("lead_time", "x"), np.full((1, 2), float(item.index + steps)))})


def dates(time, *, window, lead_hours=0.0, leads=1, size=400):
    """Month and day of each drawn state, by lead."""
    opened, baseline = Daily(lead_hours), Climatology(size=size, window_days=window)
    item = Item(0, time, lead_hours)
    x = baseline.members(baseline.fit(opened), opened, item, leads, Draws.drawing(0, [time]))
    return [{str(opened.days[0] + int(i))[5:] for i in x[:, lead, 0, 0]} for lead in range(leads)]


def test_a_window_takes_days_of_the_season_of_every_year():
    (found,) = dates("2010-07-10T00:00:00", window=2.0)
    assert found == {"07-08", "07-09", "07-10", "07-11", "07-12"}


def test_a_window_goes_over_the_end_of_the_year():
    (found,) = dates("2010-01-01T00:00:00", window=2.0)
    assert found == {"12-30", "12-31", "01-01", "01-02", "01-03"}


def test_leap_days_are_between_their_neighbours():
    (found,) = dates("2010-03-01T00:00:00", window=1.0)
    assert found == {"02-28", "02-29", "03-01", "03-02"}
    (found,) = dates("2012-02-29T00:00:00", window=0.5)
    assert found == {"02-28", "02-29", "03-01"}


def test_the_season_is_that_of_the_time_that_is_forecast():
    found = dates("2010-07-10T00:00:00", window=0.0, lead_hours=48.0, leads=3)
    assert found == [{"07-12"}, {"07-14"}, {"07-16"}]


def test_a_window_that_holds_no_training_time_is_refused(opened):
    with pytest.raises(ValueError, match="Climatology.window_days must be at least 0, got -1"):
        Climatology(window_days=-1.0)
    with pytest.raises(ValueError, match="no training time is within Climatology.window_days = 0 of the day of 2010-07-10T12:00:00"):
        dates("2010-07-10T12:00:00", window=0.0)


def test_a_window_of_all_the_year_draws_the_same_as_none(opened):
    """The same draws among the same times; the default is what it was."""
    item = opened.items("test")[0]
    draws = Draws.drawing(0, [item.time]).of("baseline", "climatology")
    wide = Climatology(size=6, window_days=183.0)
    np.testing.assert_array_equal(wide.members(wide.fit(opened), opened, item, 2, draws), drawn(opened, 6, item))
    assert Climatology().fit(opened) == {}
