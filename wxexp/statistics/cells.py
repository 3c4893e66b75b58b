"""Which cells a statistic takes, and how the numbers it was asked about are spelt."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np


def scored(truth: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Cells that some group has weight in and that have truth, bool [*S], from [*S] and [G, *S]."""
    return np.asarray((weights > 0).any(axis=0) & ~np.isnan(truth))


def select(truth: np.ndarray, members: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(truth [n], members [M, n], weights [G, n]) of the scored cells, from [*S], [M, *S], [G, *S].

    Raises:
        ValueError: for shapes that do not match.
    """
    if members.shape[1:] != truth.shape or weights.shape[1:] != truth.shape or not len(members):
        raise ValueError(
            f"members must be [M, *S], M >= 1, and weights [G, *S] for truth of shape {truth.shape}, got {members.shape}, {weights.shape}"
        )
    used = scored(truth, weights)
    return truth[used], members[:, used], weights[:, used]


def label(value: float) -> str:
    """A number as part of a name: all its digits, without a trailing ".0"."""
    return repr(float(value)).removesuffix(".0")


def check_numbers(name: str, values: Sequence[float], low: float = -math.inf, high: float = math.inf) -> None:
    """Raises ValueError unless there is at least one value, all are different and all are between low and high (exclusive)."""
    if not values or len(set(values)) < len(values) or not all(low < value < high for value in values):
        between = "finite" if low == -math.inf and high == math.inf else f"in ({label(low)}, {label(high)})"
        raise ValueError(f"{name} must be one or more different numbers, {between}, got {tuple(values)}")
