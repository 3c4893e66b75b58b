"""What is known without looking: states of other times."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from wxexp.fields.seasons import day_of_year, days_apart
from wxexp.fields.seeds import Draws
from wxexp.interfaces import Baseline, Item, Opened


class Climatology(Baseline):
    """An ensemble of true fields of training times, drawn with replacement, anew for every lead. NaN where masked.

    With `window_days` only of times at most so many days before or after the day of the year that is forecast, in any year; without, no
    regard is had to the season, and for data with a strong annual cycle it is a weak reference.
    """

    size: int = 16
    """Members."""
    window_days: float | None = None
    """Half the width of the window, such as 15. None: all of the year."""

    def __post_init__(self) -> None:
        if self.size < 2:
            raise ValueError(f"Climatology.size must be at least 2, got {self.size}")
        if self.window_days is not None and not self.window_days >= 0:
            raise ValueError(f"Climatology.window_days must be at least 0, got {self.window_days}")

    def fit(self, opened: Opened) -> Mapping[str, np.ndarray]:
        """With a window "day" [training time], the day of the year of each target."""
        if self.window_days is None:
            return {}
        return {"day": np.array([day_of_year(item.time, hours=item.lead_hours) for item in opened.items("train")])}

    def members(self, fitted: Mapping[str, np.ndarray], opened: Opened, item: Item, leads: int, draws: Draws) -> np.ndarray:
        rows, items = draws.members(range(self.size)), opened.items("train")
        out = []
        for lead in range(leads):
            known = self._known(fitted, item, lead) if self.window_days is not None else range(len(items))
            chosen = (rows.of("climatology", lead).uniform() * len(known)).long().tolist()
            out.append(np.stack([_state(opened, items[known[i]]) for i in chosen]))
        return np.stack(out, axis=1)

    def _known(self, fitted: Mapping[str, np.ndarray], item: Item, lead: int) -> list[int]:
        """Training times within the window."""
        day = day_of_year(item.time, hours=(lead + 1) * item.lead_hours)
        found: list[int] = np.flatnonzero(days_apart(fitted["day"], day) <= self.window_days).tolist()
        if not found:
            raise ValueError(f"no training time is within Climatology.window_days = {self.window_days:g} of the day of {item.time}")
        return found


def _state(opened: Opened, item: Item) -> np.ndarray:
    """[C, *S] physical, of an item's (first) target."""
    truth = opened.truth(item)
    assert truth is not None, "training items have truth"
    first = truth.isel(lead_time=0) if "lead_time" in truth.dims else truth
    return np.stack([first[name].values for name in opened.codec.targets])
