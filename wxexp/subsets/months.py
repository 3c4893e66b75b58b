"""Seasons."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from wxexp.interfaces import Item, Subset


class Months(Subset):
    """Initial times in some `months`, 1 to 12: (12, 1, 2) is the boreal winter."""

    months: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.months or len(set(self.months)) < len(self.months) or not set(self.months) <= set(range(1, 13)):
            raise ValueError(f"Months.months must be one or more different numbers from 1 to 12, got {self.months}")

    def cases(self, items: Sequence[Item]) -> np.ndarray:
        # read off the ISO string: dates of other calendars have no datetime64
        return np.array([int(item.time.lstrip("-").split("-")[1]) in self.months for item in items], dtype=bool)
