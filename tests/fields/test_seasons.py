import numpy as np
import pytest

from wxexp.fields.seasons import annual_cycle, day_of_year, days_apart, month_of_year


def test_a_date_is_the_same_day_of_every_year():
    assert [day_of_year(f"{year}-03-01T00:00:00") for year in (2000, 2001, 1900)] == [59.0] * 3
    assert [day_of_year(f"2004-{date}") for date in ("01-01", "02-28", "02-29", "03-01", "12-31")] == [0.0, 58.0, 58.5, 59.0, 364.0]
    assert day_of_year("1990-01-02T18:00:00") == 1.75 and day_of_year("1990-01-02 06:00") == 1.25
    assert day_of_year("2001-02-30T00:00:00") == 60.0  # of a calendar with months of 30 days


def test_hours_go_on_round_the_year():
    assert day_of_year("1999-12-31T12:00:00", hours=18.0) == pytest.approx(0.25)
    assert day_of_year("1999-12-30", hours=72.0) == 1.0


def test_months():
    times = ["2000-01-01", "2004-02-29T11:00:00", "2001-03-01", "1999-12-31T23:00:00", "2001-06-30T23:59:59"]
    assert [month_of_year(time) for time in times] == [1, 2, 3, 12, 6]
    assert [month_of_year(time) for time in ("2004-02-29T12:00:00", "2001-02-30T00:00:00")] == [2, 2]
    assert month_of_year("2004-02-28T12:00:00", hours=24.0) == 2 and month_of_year("2003-02-28T12:00:00", hours=24.0) == 3
    assert month_of_year("2001-02-30T00:00:00", hours=24.0) == 3  # of a calendar with months of 30 days
    assert month_of_year("1960-06-30 18:00", hours=6.0) == 7
    assert month_of_year("1999-12-31T23:00:00", hours=1.0) == 1 and month_of_year("2001-06-28", hours=72.0) == 7


def test_the_shorter_way_round():
    np.testing.assert_allclose(days_apart(np.array([1.0, 364.0, 180.0, 183.0]), 0.0), [1.0, 1.0, 180.0, 182.0])
    np.testing.assert_allclose(days_apart(np.array([360.0]), 4.0), 9.0)


def test_waves_come_round_with_the_year():
    np.testing.assert_allclose(annual_cycle(365.0, 2), annual_cycle(0.0, 2), atol=1e-12)
    np.testing.assert_allclose(annual_cycle(365 / 4, 1), [1.0, 0.0, 1.0], atol=1e-12)
    np.testing.assert_array_equal(annual_cycle(12.0, 0), [1.0])
