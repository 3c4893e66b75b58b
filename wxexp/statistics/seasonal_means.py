"""What is usual in every cell at a time of the year: means of the truth at training times within some days of it.

The year is cut into 73 pentads. What is usual at a time is the mean over training times, of all years, within `window_days` of the middle
of its pentad: a running window over days of the year (Jung and Leutbecher 2008). Hours of the day are not told apart.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from wxexp.fields.seasons import DAYS, day_of_year, days_apart
from wxexp.interfaces import Opened

PENTAD = 5.0
"""Days."""
MIDDLES = np.arange(PENTAD / 2, DAYS, PENTAD)
"""Days of the year, [73]."""


def check_window(name: str, window_days: float | None) -> None:
    """Raises ValueError unless a window holds its own pentad, or there is none."""
    if window_days is not None and not window_days >= PENTAD / 2:
        raise ValueError(f"{name} must be at least {PENTAD / 2}, or None, got {window_days}")


def seasonal_means(opened: Opened, window_days: float) -> Mapping[str, np.ndarray]:
    """Means of the first target of each training item.

    Returns:
        "means" float32 [variable, 73, *S], NaN where there was no truth in the window; "times" [variable, 73], how many items were in it.
    """
    items, names, shape = opened.items("train"), opened.codec.targets, opened.grid.shape
    days = [day_of_year(item.time, hours=item.lead_hours) for item in items]
    near = [np.flatnonzero(days_apart(MIDDLES, day) <= window_days) for day in days]
    out = []
    for name in names:
        total, count = np.zeros((len(MIDDLES), *shape)), np.zeros((len(MIDDLES), *shape), dtype=np.int32)
        for item, pentads in zip(items, near, strict=True):
            truth = opened.truth(item)
            assert truth is not None, "training items have truth"
            x = truth[name].isel(lead_time=0) if "lead_time" in truth.dims else truth[name]
            there = ~np.isnan(x.values)
            total[pentads] += np.where(there, x.values, 0.0)
            count[pentads] += there
        with np.errstate(invalid="ignore"):
            out.append((total / count).astype(np.float32))
    times = np.bincount(np.concatenate(near), minlength=len(MIDDLES))
    return {"means": np.stack(out), "times": np.stack([times] * len(names))}


def usual(fitted: Mapping[str, np.ndarray], time: str, hours: float) -> np.ndarray:
    """Of one variable, `hours` after an ISO time, float32 [*S].

    Args:
        fitted: of `seasonal_means`, one variable: "means" [73, *S] and "times" [73].

    Raises:
        ValueError: if no training time is near.
    """
    pentad = int(day_of_year(time, hours=hours) // PENTAD)
    if not fitted["times"][pentad]:
        raise ValueError(f"no training time is near the day of the year {hours:g} hours after {time}: give a longer window_days")
    return np.asarray(fitted["means"][pentad])
