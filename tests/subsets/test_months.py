import numpy as np
import pytest

from wxexp.interfaces import Item
from wxexp.subsets import Both, Months, Region

ITEMS = [
    Item(i, time) for i, time in enumerate(["2000-12-31T18:00:00", "2001-01-01T00:00:00", "2001-02-30T00:00:00", "2001-03-01T00:00:00"])
]


def test_winter_has_the_initial_times_of_its_months_in_any_calendar():
    assert Months(months=(12, 1, 2)).cases(ITEMS).tolist() == [True, True, True, False]
    assert Months(months=(3,)).cases(ITEMS).tolist() == [False, False, False, True]


@pytest.mark.parametrize("months", [(), (0,), (13,), (1, 1)])
def test_months_are_numbers_of_months(months):
    with pytest.raises(ValueError, match="different numbers from 1 to 12"):
        Months(months=months)


def test_both_is_what_two_have_in_common():
    winter, january, north = Months(months=(12, 1, 2)), Months(months=(1, 3)), Region(south=0.0)
    assert Both(first=winter, second=january).cases(ITEMS).tolist() == [False, True, False, False]
    assert Both(first=north, second=winter).cases(ITEMS).tolist() == winter.cases(ITEMS).tolist()
    assert Both(first=north, second=north).cases(ITEMS) is None
    assert np.array_equal(Both(first=winter, second=winter).cases(ITEMS), winter.cases(ITEMS))
