"""Block bootstrap over cases (Künsch 1989): contiguous cases are drawn together, because weather is correlated in time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from wxexp.fields.seeds import stream


def runs(index: Sequence[int] | np.ndarray) -> np.ndarray:
    """Block of each case: runs of cases whose index rises by 1, int64 [case]."""
    steps = np.diff(np.asarray(index, dtype=np.int64))
    return np.concatenate([[0], np.cumsum(steps != 1)]).astype(np.int64)[: len(index)]


def block_counts(blocks: np.ndarray, *, draws: int, seed: int) -> np.ndarray:
    """How often each block is in each draw, float64 [draws, block]: as many blocks as there are, with replacement."""
    size = len(np.unique(blocks))
    chosen = stream("bootstrap", seed).integers(0, size, (draws, size))
    flat = np.bincount((chosen + size * np.arange(draws)[:, None]).ravel(), minlength=draws * size)
    return flat.reshape(draws, size).astype(np.float64)


def counts(blocks: np.ndarray, *, draws: int, seed: int) -> np.ndarray:
    """How often each case is in each draw, float64 [draws, case]; `counts @ sums` are the bootstrapped totals."""
    _, block = np.unique(blocks, return_inverse=True)
    return block_counts(blocks, draws=draws, seed=seed)[:, block]


def interval(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """2.5 % and 97.5 % quantiles over the draws on the first axis; NaN where any draw is NaN."""
    with np.errstate(invalid="ignore"):
        low, high = np.quantile(values, [0.025, 0.975], axis=0)
    return low, high
