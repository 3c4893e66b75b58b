"""One side of a threshold."""

from __future__ import annotations

from typing import Literal

import numpy as np

Tail = Literal["upper", "lower"]


def beyond(values: np.ndarray, threshold: float, tail: Tail) -> np.ndarray:
    """Where x ≥ threshold ("upper") or x ≤ threshold ("lower"), bool, compared in float32; never where x is NaN."""
    limit = np.float32(threshold)
    return np.asarray(values >= limit if tail == "upper" else values <= limit)
