"""How far apart cases are in time, how much neighbours are alike, and how many independent cases would tell as much.

Scores of forecasts are taken to be a stationary series whose autocorrelation falls off as r^τ with the distance τ, a first-order
autoregressive process seen at the times of the cases (Wilks 2019, section 9.3; of irregular times Mudelsee 2002, eq. 2). So cases that are
strided, or have gaps, count by how far apart they are and not by their number.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

NEAR = 1.5
"""Usual steps from one case to the next within a run, at least."""

EVEN = 0.25
"""Of a usual step, how much steps may differ to be taken as equal: months, or days of 23 hours."""


class Spacing:
    """Increasing times of cases, in units of their usual step, the (lower) median from one to the next.

    Args:
        times: in any unit, [case].

    Attributes:
        at: float64 [case], from 0.
        gaps: from each case to the next, [case - 1].

    Raises:
        ValueError: for times that do not increase.
    """

    def __init__(self, times: Sequence[float] | np.ndarray) -> None:
        x = np.asarray(times, dtype=np.float64)
        steps = np.diff(x)
        if (steps <= 0).any():
            at = int((steps <= 0).argmax())
            raise ValueError(f"times of cases must increase, got {x[at]:.10g} and then {x[at + 1]:.10g}")
        step = float(np.quantile(steps, 0.5, method="lower")) if len(steps) else 1.0
        self.at, self.gaps = (x - x[:1]) / step, steps / step
        self._even = bool((np.abs(self.gaps - 1.0) <= EVEN).all())
        self._pairs: tuple[np.ndarray, np.ndarray] | None = None

    def runs(self, reach: float = NEAR) -> np.ndarray:
        """Number of the run of each case, int64 [case]; a run ends before a step of more than `reach` (or `NEAR`) usual ones."""
        return np.concatenate([[0], np.cumsum(self.gaps > max(reach, NEAR))]).astype(np.int64)[: len(self.at)]

    def correlation(self, series: np.ndarray) -> np.ndarray:
        """r, of cases one usual step apart, of each series, [case, ...] -> [...]; NaN of a constant one, and where there is a NaN.

        The mean product of neighbours, at most `NEAR` steps apart, over the variance is set to that of r^τ over their distances; of even
        steps it is the autocorrelation itself. Of others r is at most 1 − 1/n, as n cases cannot show that they remember more.
        """
        e = series - series.mean(axis=0)
        square, product = (e * e).sum(axis=0), e[1:] * e[:-1]
        near = self.gaps <= NEAR
        with np.errstate(invalid="ignore", divide="ignore"):
            if self._even:
                return np.asarray(product.sum(axis=0) / square)
            r = np.asarray(product[near].mean(axis=0) / (square / len(e))) if near.any() else 0.0 * square
        gaps, counts = np.unique(np.round(self.gaps[near], 3), return_counts=True)
        if (np.abs(gaps - 1.0) > EVEN).any():
            low, high = np.zeros_like(r), np.ones_like(r)
            for _ in range(40):
                middle = (low + high) / 2
                less = sum(count * middle**gap for gap, count in zip(gaps, counts, strict=True)) / counts.sum() < r
                low, high = np.where(less, middle, low), np.where(less, high, middle)
            r = np.where(np.isnan(r), r, np.where(r > 0, low, 0.0))
        return np.where(square > 0, np.minimum(r, 1.0 - 1.0 / len(e)), np.nan)

    def sizes(self, correlation: np.ndarray) -> np.ndarray:
        """How many independent cases n cases are worth, for each r: n² / Σ_ij r^|t_i − t_j|, NaN of NaN.

        Of even steps it is n (1 − r) / (1 + r) (Wilks 2019, eq. 5.12), n at most; otherwise a negative r counts as 0.
        """
        r, n = np.asarray(correlation, dtype=np.float64), len(self.at)
        if self._even:
            with np.errstate(divide="ignore"):
                return np.where(np.isnan(r), np.nan, np.minimum(n, n * (1.0 - r) / (1.0 + r)))
        base = np.clip(r, 0.0, 1.0 - 1.0 / n)
        lags, counts = self._distances()
        out = np.full(r.shape, np.nan)
        for place in np.argwhere(~np.isnan(r)):
            at = tuple(place)
            few = slice(int(np.searchsorted(lags, -30.0 / math.log(base[at])))) if base[at] > 0 else slice(0)
            out[at] = n**2 / (n + 2.0 * float(counts[few] @ base[at] ** lags[few]))
        return out

    def _distances(self) -> tuple[np.ndarray, np.ndarray]:
        """Distances of pairs of cases, to a quarter of a usual step where they are no whole ones, and how many pairs have each."""
        if self._pairs is None:
            parts = 1 if (np.abs(self.at - np.rint(self.at)) < 1e-6).all() else 4
            there = np.bincount(np.rint(self.at * parts).astype(np.int64)).astype(np.float64)
            size = 1 << (2 * len(there)).bit_length()
            counts = np.rint(np.fft.irfft(np.abs(np.fft.rfft(there, size)) ** 2, size)[: len(there)])
            counts[0] = np.sum(there * (there - 1) / 2)  # pairs nearer than that
            lags = np.flatnonzero(counts)
            self._pairs = lags / parts, counts[lags]
        return self._pairs


def memory(correlation: np.ndarray) -> np.ndarray:
    """Usual steps until r^τ has fallen to 5 %, the practical range of an exponential (Chilès and Delfiner 2012, section 2.5.1).

    0 where r is not positive, or not known.
    """
    r = np.asarray(correlation, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(r > 0, np.where(r < 1, -3.0 / np.log(r), np.inf), 0.0)


def instants(times: Sequence[object] | np.ndarray, index: Sequence[int] | np.ndarray) -> np.ndarray:
    """Seconds of ISO times, float64 [case]; the index instead where one is no date of numpy's calendar or they do not increase."""
    try:
        found = np.array([np.datetime64(str(time), "s") for time in times]).astype(np.int64).astype(np.float64)
    except ValueError:
        return np.asarray(index, dtype=np.float64)
    return found if (np.diff(found) > 0).all() else np.asarray(index, dtype=np.float64)
