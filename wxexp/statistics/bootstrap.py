"""Block bootstrap over cases (Künsch 1989): cases that follow each other are drawn together, because weather is correlated in time."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from wxexp.fields.seeds import stream
from wxexp.statistics.spacing import Spacing

FEWEST = 8
"""Runs that are blocks as they are, and cases that bounds are made from, at least."""


def runs(times: Sequence[float] | np.ndarray) -> np.ndarray:
    """Run of each case, int64 [case]: cases whose times rise by their usual step, see `Spacing`."""
    return Spacing(times).runs()


def are_blocks(run: np.ndarray) -> bool:
    """Whether runs are drawn as they are: where they tell as much as `FEWEST` of one length, (Σ n)² / Σ n², to half a run.

    The mean of draws of two runs is between those of the two, which an interval of 95 % holds as often as not.
    """
    _, sizes = np.unique(run, return_counts=True)
    return len(run) ** 2 >= (FEWEST - 0.5) * float(sizes @ sizes)


def clusters(times: Sequence[float] | np.ndarray) -> np.ndarray:
    """Number of the cluster of each case, int64 [case], of which nothing is known but its time: runs, or parts of n^(1/3) cases of them."""
    run = runs(times)
    if len(run) < FEWEST or are_blocks(run):
        return run
    place = np.arange(len(run)) - np.searchsorted(run, run)
    return np.cumsum(np.diff(run, prepend=0) + (place % block_length(len(run), math.nan) == 0) > 0) - 1


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


def moving_counts(
    times: Sequence[float] | np.ndarray | Spacing, *, length: int, draws: int, seed: int, run: np.ndarray | None = None
) -> np.ndarray:
    """How often each case is in each draw of moving blocks, float64 [draws, case], each draw of as many cases as there are.

    A block spans the time that `length` cases take on average within runs, from any case (Künsch 1989), so that it has fewer where some are
    left out; runs that are shorter are blocks as they are. Blocks are drawn with replacement until there are enough cases, the last one
    cut. Unlike whole runs it gives bounds for a single run too: `length` is how many cases weather stays correlated for.

    Args:
        times: of the cases, increasing, or how they are spaced.
        length: of blocks.
        draws: how many.
        seed: of the stream of random numbers.
        run: number of the run of each case; None: those of `runs`.

    Raises:
        ValueError: for a length below 1.
    """
    if length < 1:
        raise ValueError(f"length must be at least 1, got {length}")
    spacing = times if isinstance(times, Spacing) else Spacing(times)
    run = spacing.runs() if run is None else run
    cases, inside = len(run), run[1:] == run[:-1]
    step = float(spacing.gaps[inside].mean()) if inside.any() else 1.0
    ends = np.searchsorted(run, run, side="right")
    size = np.minimum(np.searchsorted(spacing.at, spacing.at + (length - 0.5) * step), ends) - np.arange(cases)
    fits = spacing.at + (length - 1.25) * step <= spacing.at[ends - 1]
    first = np.flatnonzero(fits | (np.diff(run, prepend=-1) > 0))
    chosen = first[stream("bootstrap", seed).integers(0, len(first), (draws, cases))]
    out = np.empty((draws, cases))
    for start in range(0, draws, 64):
        begins = chosen[start : start + 64]
        taken = size[begins]
        before = np.cumsum(taken, axis=1) - taken
        taken = np.clip(cases - before, 0, taken)
        marks = np.zeros((len(begins), cases + 1))  # +1 where a block begins, −1 where it has ended
        rows = np.broadcast_to(np.arange(len(begins))[:, None], begins.shape)
        np.add.at(marks, (rows, begins), 1.0)
        np.add.at(marks, (rows, begins + taken), -1.0)
        out[start : start + 64] = np.cumsum(marks, axis=1)[:, :-1]
    return out


def block_length(size: int, effective: float) -> int:
    """Length of moving blocks for n cases that tell as much as n' independent ones: L = (n − L + 1)^(2/3 (1 − n'/n)) (Wilks 1997).

    The least whole number that is not below; 1 for independent cases. Where n' is not known (NaN), the length that grows as fast as the
    best one does, n^(1/3) (Hall, Horowitz and Jing 1995).
    """
    if math.isnan(effective):
        return math.ceil(round(math.cbrt(size), 9))
    power = 2.0 / 3.0 * (1.0 - effective / size)
    return next(length for length in range(1, size + 1) if length >= (size - length + 1) ** power)


def circular_counts(starts: np.ndarray, *, length: int, cases: int) -> np.ndarray:
    """How often each case is in blocks of `length` cases from `starts` [draws, blocks], float64 [draws, cases].

    The last case is followed by the first, so that all are drawn equally often (Politis and Romano 1992).
    """
    at = (starts[:, :, None] + np.arange(length)) % cases
    flat = np.bincount((at.reshape(len(starts), -1) + cases * np.arange(len(starts))[:, None]).ravel(), minlength=len(starts) * cases)
    return flat.reshape(len(starts), cases).astype(np.float64)
