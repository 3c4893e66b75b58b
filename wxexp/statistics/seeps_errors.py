"""Errors of dry, light and heavy precipitation, as likely as the climate of each cell has them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import ClassVar, Literal

import numpy as np

from wxexp.fields.seasons import month_of_year
from wxexp.interfaces import Opened
from wxexp.interfaces.scoring import Reducer, Statistic
from wxexp.statistics.cells import select


class SeepsErrors(Statistic):
    """`error` Σw 1/M Σ_m S(category of x_m, category of y), with `weight` Σw, [G], S the matrix of `penalties` (Rodwell et al. 2010).

    A cell is "dry" with x ≤ `dry`, "light" with dry < x ≤ heavy and "heavy" above, compared in float32. Its dry fraction p₁ and its
    boundary heavy, which makes light twice as frequent as heavy, are those of the truth at training times: the first leads that are
    valid in the same calendar month, of all years, or at any time of the year (`by` "all"). Or both are given, the same everywhere.

    Cells whose p₁ is outside `fractions`, where it is nearly always dry or wet, and cells without training truth are not scored. Truth
    that is NaN is not counted; a NaN member of a scored cell propagates.
    """

    scope: ClassVar[Literal["point", "field"]] = "field"  # the month is that of whole fields
    dry: float = 0.25
    """In the units of the variable, by convention 0.25 mm of a day."""
    by: Literal["month", "all"] = "month"
    dry_fraction: float | None = None
    heavy: float | None = None
    fractions: tuple[float, float] = (0.1, 0.85)

    def __post_init__(self) -> None:
        if not math.isfinite(self.dry):
            raise ValueError(f"SeepsErrors.dry must be finite, got {self.dry}")
        if not 0.0 < self.fractions[0] < self.fractions[1] < 1.0:
            raise ValueError(f"SeepsErrors.fractions must be two increasing numbers in (0, 1), got {self.fractions}")
        if (self.dry_fraction is None) != (self.heavy is None):
            raise ValueError(
                f"SeepsErrors.dry_fraction and heavy are given both or neither, got dry_fraction={self.dry_fraction}, heavy={self.heavy}"
            )
        if self.dry_fraction is not None and not self.fractions[0] <= self.dry_fraction <= self.fractions[1]:
            raise ValueError(f"SeepsErrors.dry_fraction must be in fractions, {self.fractions}, got {self.dry_fraction}")
        if self.heavy is not None and not self.dry < self.heavy < math.inf:
            raise ValueError(f"SeepsErrors.heavy must be above dry, {self.dry}, got {self.heavy}")

    def fit(self, opened: Opened) -> Mapping[str, np.ndarray]:
        """`dry_fraction` and `heavy` [variable, 12 or 1, *S], NaN where unknown; holds the training truth of one variable in memory."""
        if self.heavy is not None:
            return {}
        items = opened.items("train")
        months = np.array([month_of_year(item.time, hours=item.lead_hours) if self.by == "month" else 1 for item in items])
        out: dict[str, list[np.ndarray]] = {"dry_fraction": [], "heavy": []}
        for name in opened.codec.targets:
            truths = [truth[name] for item in items if (truth := opened.truth(item)) is not None]
            fields = np.stack([(x.isel(lead_time=0) if "lead_time" in x.dims else x).values for x in truths])
            found = [climate(fields[months == month], self.dry) for month in range(1, 13 if self.by == "month" else 2)]
            for key, values in zip(out, zip(*found, strict=True), strict=True):
                out[key].append(np.stack(values))
        return {key: np.stack(values) for key, values in out.items()}

    def reducer(self, fitted: Mapping[str, np.ndarray], *, time: str = "", hours: float = 0.0) -> Reducer:
        if not fitted:
            return self.reduce
        month = month_of_year(time, hours=hours) if self.by == "month" else 1
        p, heavy = (fitted[key][month - 1] for key in ("dry_fraction", "heavy"))
        if np.isnan(p).all():
            raise ValueError(f"SEEPS: no training time is in month {month}, that of {hours:g} hours after {time}: use by='all'")
        return partial(self._reduce, p, heavy)

    def reduce(self, truth: np.ndarray, members: np.ndarray, weights: np.ndarray) -> Mapping[str, np.ndarray]:
        if self.dry_fraction is None or self.heavy is None:
            raise ValueError("the climate is known from training times, which there are not here; give dry_fraction and heavy instead")
        return self._reduce(np.full(truth.shape, self.dry_fraction), np.full(truth.shape, self.heavy), truth, members, weights)

    def _reduce(
        self, dry_fraction: np.ndarray, heavy: np.ndarray, truth: np.ndarray, members: np.ndarray, weights: np.ndarray
    ) -> Mapping[str, np.ndarray]:
        low, high = np.asarray(self.fractions, dtype=dry_fraction.dtype)
        known = np.where((low <= dry_fraction) & (dry_fraction <= high) & ~np.isnan(truth), truth, np.nan)
        y, x, w = select(known, members, weights)
        p, limit = (field[(weights > 0).any(axis=0) & ~np.isnan(known)] for field in (dry_fraction.astype(np.float64), heavy))
        table, of_truth, cell = penalties(p), self._category(y, limit), np.arange(y.size)
        error = np.zeros(y.shape)
        for member in x:
            error += np.where(np.isnan(member), np.nan, table[self._category(member, limit), of_truth, cell])
        error /= len(x)
        return {"weight": w.sum(axis=1), "error": np.array([error[weight > 0] @ weight[weight > 0] for weight in w])}

    def _category(self, values: np.ndarray, heavy: np.ndarray) -> np.ndarray:
        """0 dry, 1 light, 2 heavy; 0 where NaN."""
        x = values.astype(np.float32)
        return (x > np.float32(self.dry)).astype(np.int64) + (x > heavy.astype(np.float32))


def climate(fields: np.ndarray, dry: float) -> tuple[np.ndarray, np.ndarray]:
    """(Share of values ≤ dry, upper tercile of those above) over the first dim, float32 [*S]; NaN is left out, and where there is none.

    The tercile is linear between order statistics (Hyndman and Fan 1996, type 7).
    """
    x = np.sort(np.asarray(fields, dtype=np.float32), axis=0)  # NaN last
    count, few = (~np.isnan(x)).sum(axis=0), (x <= np.float32(dry)).sum(axis=0)
    heavy = np.full(x.shape[1:], np.nan, dtype=np.float32)
    if len(x):
        at = few + 2.0 / 3.0 * (count - few - 1)
        below = np.clip(np.floor(at).astype(np.int64), 0, len(x) - 1)
        lower, upper = (np.take_along_axis(x, place[None], axis=0)[0] for place in (below, np.clip(below + 1, 0, np.maximum(count - 1, 0))))
        heavy = np.where(count > few, lower + (at - below) * (upper - lower), np.nan).astype(np.float32)
    with np.errstate(invalid="ignore"):
        return (few / np.where(count, count, np.nan)).astype(np.float32), heavy


def penalties(dry_fraction: np.ndarray) -> np.ndarray:
    """S [forecast, truth, ...], each dry, light, heavy, of the dry fraction p₁ [...] (Rodwell et al. 2010, eq. 15, with p₂ = 2 p₃)."""
    p = np.asarray(dry_fraction, dtype=np.float64)
    zero, wet, light = np.zeros_like(p), 1.0 / (1.0 - p), 3.0 / (2.0 + p)
    return 0.5 * np.array([[zero, wet, 4.0 * wet], [1.0 / p, zero, 3.0 * wet], [1.0 / p + light, light, zero]])
