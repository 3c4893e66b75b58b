"""What the table of exceedances of one threshold says: reliability diagram, isotonic calibration (CORP), ROC curve, value.

A table is [..., M + 1, 2]: the weight of the cells in which k of M members exceed, by k and by whether the truth does (no, yes), as
`wxexp.statistics.Exceedances` gives it. There are at most M + 1 different probabilities p = k/M, so everything here is exact, and it is
taken from totals: tables of different cases, tiles and workers are added first.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

BLOCK = 1 << 22
"""Numbers held at a time by `calibrated`, whose work is of size (M + 1)² for each table."""


@dataclasses.dataclass(frozen=True)
class Corp:
    """Brier score = miscalibration − discrimination + uncertainty (Dimitriadis, Gneiting and Jordan 2021), each [...]."""

    miscalibration: np.ndarray
    discrimination: np.ndarray
    uncertainty: np.ndarray


def shares(table: np.ndarray) -> np.ndarray:
    """ō_k, how often the truth exceeds where k members do, [..., M + 1]: the reliability diagram over p = k/M; NaN where k never occurs."""
    with np.errstate(invalid="ignore"):
        return np.asarray(table[..., 1] / table.sum(axis=-1))


def calibrated(table: np.ndarray) -> np.ndarray:
    """The ō_k made non-decreasing in k by weighted least squares, [..., M + 1], what pooling adjacent violators gives (Ayer et al. 1955).

    By the max-min formula, max over a ≤ k of min over b ≥ k of the share in a … b: for all tables at once. NaN where the table is NaN,
    and where k never occurs.
    """
    flat = table.reshape(-1, *table.shape[-2:])
    out = np.empty(flat.shape[:2])
    size = flat.shape[1]
    step = max(1, BLOCK // size**2)
    upper = np.triu(np.ones((size, size), dtype=bool))
    for start in range(0, len(flat), step):
        part = flat[start : start + step]
        weight, events = (np.pad(np.cumsum(x, axis=-1), [(0, 0), (1, 0)]) for x in (part.sum(axis=-1), part[..., 1]))
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = (events[:, None, 1:] - events[:, :-1, None]) / (weight[:, None, 1:] - weight[:, :-1, None])  # of a … b, at [a, b]
        mean[:, ~upper] = np.inf
        mean[np.isnan(mean)] = np.inf  # a run without weight binds nothing
        least = np.minimum.accumulate(mean[..., ::-1], axis=-1)[..., ::-1]  # over b ≥ k, at [a, k]
        out[start : start + step] = np.where(upper, least, -np.inf).max(axis=1)
    out[~(flat.sum(axis=-1) > 0)] = np.nan
    out[np.isnan(flat).any(axis=(-2, -1))] = np.nan
    return out.reshape(table.shape[:-1])


def corp(table: np.ndarray) -> Corp:
    """The CORP decomposition of the biased Brier score of p = k/M; NaN of a table without weight."""
    count = table.shape[-2] - 1
    weight, events = table.sum(axis=-1), table[..., 1]
    total = weight.sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        base = events.sum(axis=-1) / total
        score = _brier(table, np.broadcast_to(np.arange(count + 1) / count, weight.shape)) / total
        best = _brier(table, np.where(weight == 0, 0.0, calibrated(table))) / total
    uncertainty = base * (1 - base)
    return Corp(np.asarray(score - best), np.asarray(uncertainty - best), np.asarray(uncertainty))


def _brier(table: np.ndarray, p: np.ndarray) -> np.ndarray:
    return np.asarray((table[..., 0] * p**2 + table[..., 1] * (1 - p) ** 2).sum(axis=-1))


def roc(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """False alarm rates and hit rates of "at least k members exceed", k = M + 1 … 0, each [..., M + 2], from (0, 0) to (1, 1)."""
    found = []
    for column in (table[..., 0], table[..., 1]):
        above = np.cumsum(column[..., ::-1], axis=-1)
        with np.errstate(divide="ignore", invalid="ignore"):
            rate = above / above[..., -1:]
        found.append(np.concatenate([0.0 * rate[..., :1], rate], axis=-1))
    return found[0], found[1]


def economic_value(table: np.ndarray, costs: Sequence[float] | np.ndarray) -> np.ndarray:
    """Relative value V to users of each cost/loss ratio α in (0, 1), [..., cost], with each one's best k (Richardson 2000, eq. 8).

        V = (min(α, s) − F α (1 − s) + H s (1 − α) − s) / (min(α, s) − s α)

    with the frequency s of the event and the rates F and H of `roc`; NaN without events, or with nothing else.
    """
    alarm, hit = roc(table)
    out = np.empty((*table.shape[:-2], len(costs)))
    with np.errstate(divide="ignore", invalid="ignore"):
        s = (table[..., 1].sum(axis=-1) / table.sum(axis=(-2, -1)))[..., None]
        for i, cost in enumerate(costs):
            known = np.minimum(cost, s)
            out[..., i] = ((known - alarm * cost * (1 - s) + hit * s * (1 - cost) - s) / (known - s * cost)).max(axis=-1)
    return out
