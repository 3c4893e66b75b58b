"""The CRPS of every point, compiled: residuals, sorting network and sum over tiles that stay in cache."""

from __future__ import annotations

import numba
import numpy as np

from wxexp.statistics.network import network

TILE = 512

# Without "nnan", so that NaN is not optimised away, and without "ninf".
_jit = numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "nsz", "contract", "arcp"})


def crps_of_points(truth: np.ndarray, members: np.ndarray, coefficient: float) -> np.ndarray:
    """1/M Σ |x_i − y| − coefficient Σ_{i<j} |x_i − x_j|, float64 [N], from [N] and [M, N], both float32 or both float64.

    M is at most `wxexp.statistics.network.NETWORK_LIMIT`. NaN where the truth or a member is. Sums over members are in the type given.
    """
    lower, upper = network(len(members))
    slope = (coefficient * np.arange(1 - len(members), len(members), 2)).astype(members.dtype)
    score = np.empty(truth.shape, np.float64)
    x, y = np.require(members, None, ["C", "W"]), np.require(truth, None, ["C", "W"])  # of one kind, for one compiled kernel
    _points(y, x, lower, upper, slope, np.full(1, 1.0 / len(members), members.dtype), score)
    return score


@_jit
def _points(truth, members, lower, upper, slope, share, score):  # type: ignore[no-untyped-def]
    count, size = members.shape[0], truth.size
    r, total = np.empty((count, TILE), members.dtype), np.empty(TILE, members.dtype)
    for start in range(0, size, TILE):
        n = min(TILE, size - start)
        y = truth[start : start + n]
        for m in range(count):
            row, x = r[m], members[m, start : start + n]
            for p in range(n):
                row[p] = x[p] - y[p]
        # Of the two values a comparator gives each once, whatever they are: a NaN may end anywhere, but it is not lost.
        for c in range(lower.size):
            low, high = r[lower[c]], r[upper[c]]
            for p in range(n):
                a, b = low[p], high[p]
                low[p] = a if a < b else b
                high[p] = b if a < b else a
        total[:n] = 0
        for m in range(count):
            row, slant = r[m], slope[m]
            for p in range(n):
                total[p] += share[0] * abs(row[p]) - slant * row[p]
        for p in range(n):
            score[start + p] = total[p]
