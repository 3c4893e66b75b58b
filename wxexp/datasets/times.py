"""Time axes: ISO names, order, steps, and the place of a time in the year and the day.

Times are numpy datetime64 or, in other calendars, cftime objects.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import xarray as xr

Calendar = Literal["day_of_year", "hour_of_day"]
DAYS = 365.2425  # of a Gregorian year


def iso(times: np.ndarray) -> np.ndarray:
    """ISO strings to the second, "1990-01-31T00:00:00"."""
    if np.issubdtype(times.dtype, np.datetime64):
        return np.datetime_as_string(times, unit="s")
    return np.array([time.isoformat() for time in times])


def check_order(name: str, times: np.ndarray) -> None:
    """Refuses, with a ValueError, times of source `name` that are not strictly increasing."""
    later = times[1:] > times[:-1]
    if not later.all():
        at = int(np.argmin(later)) + 1
        text = iso(times[[at - 1, at]])
        how = "duplicated" if times[at] == times[at - 1] else "not sorted"
        raise ValueError(f"the times of {name} are {how}: {text[1]} follows {text[0]}; each time must be later than the one before")


def hours_between(earlier: np.ndarray, later: np.ndarray) -> np.ndarray:
    """Elementwise later - earlier in hours, float64."""
    if np.issubdtype(earlier.dtype, np.datetime64):
        return np.asarray((later - earlier) / np.timedelta64(1, "s") / 3600.0)
    return np.array([(b - a).total_seconds() / 3600.0 for a, b in zip(earlier, later, strict=True)])


def calendar(times: np.ndarray, kinds: Sequence[Calendar]) -> np.ndarray:
    """Sine and cosine of the place in the year and in the day (UTC): float32 [time, 2 * kinds]."""
    when = xr.DataArray(times, dims="time").dt
    hour = (when.hour + when.minute / 60.0).values
    turn = {"day_of_year": (when.dayofyear.values - 1 + hour / 24) / DAYS, "hour_of_day": hour / 24}
    angles = [2 * np.pi * turn[kind] for kind in kinds]
    waves = [wave(angle) for angle in angles for wave in (np.sin, np.cos)]
    return np.stack(waves, axis=1).astype(np.float32) if waves else np.zeros((len(times), 0), np.float32)
