"""Indices of a year of daily amounts in every cell, a day at a time: the memory of one day, whatever the number of days."""

from __future__ import annotations

import numpy as np

INDICES = ("rx1day", "cdd", "cwd", "wet_days", "sdii")


class DailyIndices:
    """Indices of the expert team on climate change detection (Zhang et al. 2011), of days added one after another.

        rx1day    the largest amount of a day
        cdd, cwd  the most days in a row that are dry, x < wet, and that are wet, x ≥ wet
        wet_days  how many are wet
        sdii      the mean amount of wet days, NaN where there is none

    Spells begin anew with the first day, so that those of a year are its own. A cell with a NaN on any day has NaN.

    Args:
        shape: of a day.
        wet: what a wet day has at least, compared in the type of the data.
    """

    def __init__(self, shape: tuple[int, ...], *, wet: float = 1.0) -> None:
        self._wet = wet
        self._largest = np.full(shape, -np.inf, dtype=np.float32)
        self._amount = np.zeros(shape)
        self._wet_days, self._dry_run, self._wet_run, self._driest, self._wettest = (np.zeros(shape, dtype=np.int32) for _ in range(5))
        self._lost = np.zeros(shape, dtype=bool)

    def add(self, x: np.ndarray, *, follows: bool = True) -> None:
        """The next day [*shape]; `follows`: it is the one after the last, and not some days later, which ends all spells."""
        if not follows:
            self._dry_run[...], self._wet_run[...] = 0, 0
        wet = x >= np.asarray(self._wet, dtype=x.dtype)
        self._lost |= np.isnan(x)
        np.maximum(self._largest, x, out=self._largest)
        self._amount += np.where(wet, x, 0.0)
        self._wet_days += wet
        for run, longest, there in ((self._wet_run, self._wettest, wet), (self._dry_run, self._driest, ~wet)):
            run += 1
            run *= there
            np.maximum(longest, run, out=longest)

    def values(self) -> dict[str, np.ndarray]:
        """Of the days so far, float32 [*shape] by name."""
        with np.errstate(divide="ignore", invalid="ignore"):
            sdii = self._amount / self._wet_days
        found: tuple[np.ndarray, ...] = (self._largest, self._driest, self._wettest, self._wet_days, sdii)
        return {name: np.where(self._lost, np.nan, x).astype(np.float32) for name, x in zip(INDICES, found, strict=True)}
