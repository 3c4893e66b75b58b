"""Which times are for training, validation and test.

A partition sees only the time axis. Times in none of the three splits are gaps, which keep a test day from being the neighbour of a
training day.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from wxexp.config import Spec
from wxexp.interfaces import Split

SPLITS: tuple[Split, ...] = ("train", "valid", "test")


class Partition(Spec):
    """A rule that gives each time to one split, or to none."""

    registry: ClassVar[str] = "wxexp.datasets"

    def select(self, times: np.ndarray) -> Mapping[Split, np.ndarray]:
        """Bool [time] for every split; `times` are ISO strings."""
        raise NotImplementedError


def _apart(name: str, ranges: Mapping[Split, tuple[float, float]], least: float, most: float) -> None:
    for split, (start, stop) in ranges.items():
        if not least <= start <= stop <= most:
            raise ValueError(f"{name}.{split} must be a range (start, stop) within {least:g} and {most:g}, got ({start}, {stop})")
    used = sorted((start, stop, split) for split, (start, stop) in ranges.items() if stop > start)
    for (_, stop, a), (start, _, b) in zip(used, used[1:], strict=False):
        if start < stop:
            raise ValueError(f"{name}.{a} and {name}.{b} must not overlap, got {ranges[a]} and {ranges[b]}")


class Cyclic(Partition):
    """By the place of a time in a cycle: half-open ranges of index mod period, counted from the first time of the source.

    Every season is in every split, which a single year of data needs.
    """

    period: int = 28
    train: tuple[int, int] = (0, 20)
    valid: tuple[int, int] = (21, 23)
    test: tuple[int, int] = (24, 27)

    def __post_init__(self) -> None:
        if self.period < 1:
            raise ValueError(f"Cyclic.period must be at least 1, got {self.period}")
        _apart("Cyclic", {split: getattr(self, split) for split in SPLITS}, 0, self.period)

    def select(self, times: np.ndarray) -> Mapping[Split, np.ndarray]:
        place = np.arange(len(times)) % self.period
        return {s: (place >= getattr(self, s)[0]) & (place < getattr(self, s)[1]) for s in SPLITS}


class Fractions(Partition):
    """Contiguous stretches, as fractions of the number of times: half-open ranges [start, stop) in [0, 1]."""

    train: tuple[float, float] = (0.0, 0.7)
    valid: tuple[float, float] = (0.72, 0.84)
    test: tuple[float, float] = (0.86, 1.0)

    def __post_init__(self) -> None:
        _apart("Fractions", {split: getattr(self, split) for split in SPLITS}, 0, 1)

    def select(self, times: np.ndarray) -> Mapping[Split, np.ndarray]:
        place = np.arange(len(times)) / len(times)
        return {s: (place >= getattr(self, s)[0]) & (place < getattr(self, s)[1]) for s in SPLITS}


class Dates(Partition):
    """By date: half-open ranges (start, stop) of ISO dates or times, e.g. ("1979-01-01", "2016-01-01")."""

    train: tuple[str, str]
    valid: tuple[str, str]
    test: tuple[str, str]

    def __post_init__(self) -> None:
        ranges = {split: getattr(self, split) for split in SPLITS}
        for split, (start, stop) in ranges.items():
            if not start <= stop or not all(len(text) >= 4 and text[:4].isdigit() for text in (start, stop)):
                raise ValueError(f"Dates.{split} must be two ISO dates (start, stop) in order, got ({start!r}, {stop!r})")
        used = sorted((start, stop, split) for split, (start, stop) in ranges.items() if stop > start)
        for (_, stop, a), (start, _, b) in zip(used, used[1:], strict=False):
            if start < stop:
                raise ValueError(f"Dates.{a} and Dates.{b} must not overlap, got {ranges[a]} and {ranges[b]}")

    def select(self, times: np.ndarray) -> Mapping[Split, np.ndarray]:
        # ISO strings sort as their times do, and dates of other calendars (30 February) have nothing else in common
        text = np.asarray(times, dtype=str)
        return {s: (text >= getattr(self, s)[0]) & (text < getattr(self, s)[1]) for s in SPLITS}
