from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from wxexp.interfaces import Item
from wxexp.statistics.seasonal_means import seasonal_means, usual


class Daily:
    """Of three cells: the number of the day since 2001-01-01 plus 0, 1 and 2, and 5 times that; the last cell known on odd days."""

    codec = SimpleNamespace(targets=("t", "p"))
    grid = SimpleNamespace(shape=(3,))

    def __init__(self, days, lead_hours=0.0):
        self.days, self.lead_hours = days, lead_hours

    def items(self, split):
        assert split == "train"
        return [Item(d, str(np.datetime64("2001-01-01T00:00:00") + np.timedelta64(d, "D")), self.lead_hours) for d in self.days]

    def truth(self, item):
        x = item.index + np.arange(3.0)
        x[2] = x[2] if item.index % 2 else np.nan
        if self.lead_hours:
            return xr.Dataset({name: (("lead_time", "x"), np.stack([f * x, 0 * x])) for name, f in (("t", 1), ("p", 5))})
        return xr.Dataset({name: (("x",), f * x) for name, f in (("t", 1), ("p", 5))})


def of(opened, window, variable=0):
    return {name: x[variable] for name, x in seasonal_means(opened, window).items()}


def test_the_mean_of_a_window_around_the_middle_of_a_pentad():
    """10 to 14 January are days 9 to 13, in pentads 1 and 2; the third has its middle at 12.5, from which 5.5 to 19.5 are 7 days."""
    fitted = of(Daily(range(60)), 7.0)
    for time in ("1999-01-11T00:00:00", "2004-01-15T18:00:00"):  # of any year, day 10.0 to 14.75
        np.testing.assert_array_equal(usual(fitted, time, 0.0), [12.5, 13.5, np.mean([7, 9, 11, 13, 15, 17, 19]) + 2])
    np.testing.assert_array_equal(usual(fitted, "2001-01-10T00:00:00", 24.0), usual(fitted, "2001-01-11T00:00:00", 0.0))
    np.testing.assert_array_equal(usual(of(Daily(range(60)), 7.0, 1), "2001-01-11T00:00:00", 0.0)[:2], [62.5, 67.5])


def test_around_the_new_year_and_of_all_years_together():
    """Days 363 (30 December 2001), 365 and 731 (1 and 2 January of 2002 and 2003): all within 5 days of 1 to 5 January's middle."""
    fitted = of(Daily([363, 365, 731, 900]), 5.0)
    assert usual(fitted, "2010-01-03", 0.0)[0] == pytest.approx((363 + 365 + 731) / 3)
    assert fitted["times"].sum() == 8  # a window of 10 days holds two pentads' middles


def test_a_lead_is_valid_later_and_only_the_first_counts():
    fitted = of(Daily([9], lead_hours=48.0), 2.5)
    assert np.flatnonzero(fitted["times"]).tolist() == [2] and usual(fitted, "2001-01-13", 0.0)[0] == 9.0


def test_a_time_of_the_year_that_is_not_in_training():
    fitted = of(Daily(range(60)), 7.0)
    with pytest.raises(
        ValueError, match="no training time is near the day of the year 6 hours after 2001-07-01: give a longer window_days"
    ):
        usual(fitted, "2001-07-01", 6.0)


def test_a_cell_without_truth_in_the_window_is_nan():
    assert np.isnan(usual(of(Daily([10, 12]), 7.0), "2001-01-12", 0.0)).tolist() == [False, False, True]
