"""The time of the year, on a circle of 365 days, whatever the calendar."""

from __future__ import annotations

import re
from datetime import date

import numpy as np

DAYS = 365.0
_TIME = r"(-?\d+)-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d))?)?"
_BEFORE = np.array([date(2001, month, 1).timetuple().tm_yday - 1 for month in range(1, 13)])


def day_of_year(time: str, *, hours: float = 0.0) -> float:
    """Days since the beginning of the year, of an ISO time and `hours` later, in [0, 365).

    Dates are those of a year without a leap day, so that a date is the same day of every year; 29 February is half a day after the 28th.
    """
    found = re.match(_TIME, time)
    if found is None:
        raise ValueError(f"{time!r} is no ISO time")
    month, day, hour, minute, second = (int(part or 0) for part in found.groups()[1:])
    clock = (hour + minute / 60 + second / 3600) / 24
    leap = (month, day) == (2, 29)
    whole = _BEFORE[month - 1] + (27.5 if leap else day - 1.0)
    return float((whole + clock + hours / 24) % DAYS)


def month_of_year(time: str, *, hours: float = 0.0) -> int:
    """1 to 12, of an ISO time and `hours` later, by the Gregorian calendar; of dates that it does not have by `day_of_year`."""
    day, found = day_of_year(time, hours=hours), re.match(_TIME, time)
    assert found is not None, "day_of_year refuses others"
    if hours == 0:
        return int(found[2])
    try:
        later = np.datetime64(found[0], "s") + np.timedelta64(round(3600 * hours), "s")
    except ValueError:  # 30 February
        return int(np.searchsorted(_BEFORE, day, side="right"))
    return int(later.astype("datetime64[M]").astype(int) % 12) + 1


def days_apart(a: np.ndarray, b: float) -> np.ndarray:
    """The shorter way round the year, in days, between days of the year."""
    around = np.abs(np.asarray(a) - b) % DAYS
    return np.asarray(np.minimum(around, DAYS - around))


def annual_cycle(day: float, harmonics: int) -> np.ndarray:
    """1, cos and sin of 1, 2, … turns in a year, float64 [1 + 2 · harmonics]."""
    angle = 2 * np.pi * day / DAYS * np.arange(1, harmonics + 1)
    return np.concatenate([[1.0], np.cos(angle), np.sin(angle)])
