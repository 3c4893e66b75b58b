"""All point statistics of an ensemble in one pass: a fused kernel over tiles that stay in cache.

For every cell, from residuals r_m = x_m − y in float32 (the truth is subtracted first, so nothing cancels):

    skill     1/M Σ |r_m|                          pairs     Σ_{i<j} |x_i − x_j| = Σ_i (2i − M − 1) r_(i)
    error     ē = 1/M Σ r_m                        variance  1/(M−1) Σ (r_m − ē)²
    rank      #{x_m < y}, with ties x_m = y split equally over the ranks they span

The sort is a network of comparators run over a whole tile at once, min and max of contiguous rows (Batcher's merge exchange: Knuth, The
Art of Computer Programming 3, algorithm 5.2.2M); above 128 members numpy sorts. Sums over cells are float64.

A cell is scored where its weight is positive and its truth is not NaN; a cell with weight and without truth is counted as missing. A NaN
member of a scored cell makes that cell NaN, and with it every sum it is part of.
"""

from __future__ import annotations

import dataclasses

import numba
import numpy as np

from wxexp.statistics.network import NETWORK_LIMIT, network
from wxexp.statistics.point import CELL_COLUMNS, COLUMNS, PointSums

TILE = 512

# Without "nnan", so that NaN is not optimised away, and without "ninf".
_jit = numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "nsz", "contract", "arcp"})


@dataclasses.dataclass(frozen=True)
class _Fields:
    """Contiguous, writable arrays of the one type the kernel is compiled for."""

    truth: np.ndarray
    members: np.ndarray

    @classmethod
    def of(cls, truth: np.ndarray, members: np.ndarray) -> _Fields:
        if np.shape(members)[1:] != np.shape(truth) or not len(members):
            raise ValueError(f"members must be [M, *S] with M >= 1 for truth of shape {np.shape(truth)}, got {np.shape(members)}")
        x = np.require(np.reshape(members, (len(members), -1)), np.float32, ["C", "W"])
        return cls(np.require(np.reshape(truth, -1), np.float32, ["C", "W"]), x)

    def blocks(self) -> list[slice]:
        """Cells at a time: all of them, or, where numpy sorts, as many as keep the copy small."""
        size = self.truth.size if len(self.members) <= NETWORK_LIMIT else 64 * TILE
        return [slice(a, a + size) for a in range(0, self.truth.size, max(size, 1))]

    def sorted(self, cells: slice) -> _Fields:
        """The same residuals in order, over a truth of zero."""
        truth = self.truth[cells]
        residual = self.members[:, cells] - truth
        return _Fields(np.where(np.isnan(truth), truth, np.float32(0)), np.sort(residual, axis=0))

    def comparators(self) -> tuple[np.ndarray, np.ndarray]:
        return network(len(self.members) if len(self.members) <= NETWORK_LIMIT else 1)


def point_sums(truth: np.ndarray, members: np.ndarray, weights: np.ndarray, cells: np.ndarray | None = None) -> PointSums:
    """Weighted sums over space of one case, which is also added to sums over cases of every cell.

    Args:
        truth: [*S], taken in float32.
        members: [M, *S], taken in float32.
        weights: [G, *S] for G groups; 0: not scored.
        cells: float64 [len(CELL_COLUMNS), *S], C-contiguous, changed in place where the case is scored; the first column counts cases.

    Returns:
        Columns float64 [G] and ranks float64 [G, M + 1].
    """
    fields = _Fields.of(truth, members)
    w = np.require(np.reshape(weights, (len(weights), -1)), np.float64, ["C", "W"])
    if w.shape[1] != fields.truth.size:
        raise ValueError(f"weights must be [G, *S] for truth of shape {np.shape(truth)}, got {np.shape(weights)}")
    columns, ranks = np.zeros((len(w), len(COLUMNS))), np.zeros((len(w), len(fields.members) + 1))
    total = np.zeros((0, fields.truth.size)) if cells is None else _flat(cells, np.shape(truth))
    lower, upper = fields.comparators()
    for block in fields.blocks():
        part = fields if len(fields.members) <= NETWORK_LIMIT else fields.sorted(block)
        here, added = np.ascontiguousarray(w[:, block]), np.ascontiguousarray(total[:, block])  # no copies, of a single block
        _sums(part.truth, part.members, here, lower, upper, columns, ranks, added)
        if part is not fields:
            total[:, block] = added
    return PointSums(columns, ranks)


def _flat(cells: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    if cells.shape != (len(CELL_COLUMNS), *shape) or cells.dtype != np.float64 or not cells.flags.c_contiguous:
        raise ValueError(f"cells must be float64 {(len(CELL_COLUMNS), *shape)}, C-contiguous, got {cells.dtype} {cells.shape}")
    return cells.reshape(len(CELL_COLUMNS), -1)


def compile_kernels() -> None:
    """Compiles the kernel, or loads it from the cache on disk: once by the process that starts workers, so that they only load."""
    x = np.zeros((2, 1), dtype=np.float32)
    point_sums(x[0], x, np.ones((1, 1)))


@_jit
def _residuals(truth, members, cells, n, r):  # type: ignore[no-untyped-def]
    """Residuals of the n listed cells; contiguous where the list has no gap."""
    first = cells[0]
    if cells[n - 1] - first == n - 1:
        for m in range(members.shape[0]):
            # A slice, not first + p: an index that might be negative, for all the compiler knows, keeps the loop from being vectorised.
            row, x, y = r[m], members[m, first : first + n], truth[first : first + n]
            for p in range(n):
                row[p] = x[p] - y[p]
    else:
        for m in range(members.shape[0]):
            for p in range(n):
                r[m, p] = members[m, cells[p]] - truth[cells[p]]


@_jit
def _points(r, n, lower, upper, skill, pairs, error, variance, below, equal):  # type: ignore[no-untyped-def]
    """All statistics of the n cells of a tile. Each inner loop touches at most three arrays: a single fused loop runs half as fast."""
    count = r.shape[0]
    one = np.float32(1)
    for p in range(n):
        skill[p] = pairs[p] = error[p] = variance[p] = np.float32(0)
        below[p] = equal[p] = np.int32(0)
    for m in range(count):
        row = r[m]
        for p in range(n):
            skill[p] += abs(row[p])
            error[p] += row[p]
        for p in range(n):
            below[p] += np.int32(row[p] < 0)
            equal[p] += np.int32(row[p] == 0)
    for p in range(n):
        skill[p] *= one / np.float32(count)
        error[p] *= one / np.float32(count)
    for m in range(count):
        row = r[m]
        for p in range(n):
            d = row[p] - error[p]
            variance[p] += d * d
    for p in range(n):
        variance[p] = variance[p] / np.float32(count - 1) if count > 1 else np.float32(np.nan)
    for c in range(lower.size):
        low, high = r[lower[c]], r[upper[c]]
        for p in range(n):
            a, b = low[p], high[p]
            low[p] = a if a < b else b
            high[p] = b if a < b else a
    for m in range(count):
        factor = np.float32(2 * m - (count - 1))
        row = r[m]
        for p in range(n):
            pairs[p] += factor * row[p]
    for p in range(n):
        if skill[p] != skill[p]:  # a comparator may drop a NaN, the skill never does
            pairs[p] = skill[p]


@_jit
def _add(cells, n, skill, pairs, error, variance, total):  # type: ignore[no-untyped-def]
    """The n cells of a tile to sums over cases."""
    for p in range(n):
        e, cell = np.float64(error[p]), cells[p]
        total[0, cell] += 1
        total[1, cell] += skill[p]
        total[2, cell] += pairs[p]
        total[3, cell] += e
        total[4, cell] += abs(e)
        total[5, cell] += e * e
        total[6, cell] += variance[p]


@_jit
def _sums(truth, members, weights, lower, upper, columns, ranks, total):  # type: ignore[no-untyped-def]
    count, size, groups = members.shape[0], truth.size, weights.shape[0]
    r = np.empty((count, TILE), np.float32)
    skill, pairs, error, variance = (
        np.empty(TILE, np.float32),
        np.empty(TILE, np.float32),
        np.empty(TILE, np.float32),
        np.empty(TILE, np.float32),
    )
    below, equal, cells = np.empty(TILE, np.int32), np.empty(TILE, np.int32), np.empty(TILE, np.int64)
    for start in range(0, size, TILE):
        n = 0
        for p in range(start, min(start + TILE, size)):
            used = False
            for g in range(groups):
                if weights[g, p] > 0:
                    used = True
                    if np.isnan(truth[p]):
                        columns[g, 1] += 1
            if used and not np.isnan(truth[p]):
                cells[n] = p
                n += 1
        if n == 0:
            continue
        _residuals(truth, members, cells, n, r)
        _points(r, n, lower, upper, skill, pairs, error, variance, below, equal)
        if total.shape[0] > 0:
            _add(cells, n, skill, pairs, error, variance, total)
        for g in range(groups):
            weight = s_skill = s_pairs = s_error = s_absolute = s_square = s_variance = 0.0
            for p in range(n):
                w = weights[g, cells[p]]
                if w > 0:
                    e = np.float64(error[p])
                    weight += w
                    s_skill += w * skill[p]
                    s_pairs += w * pairs[p]
                    s_error += w * e
                    s_absolute += w * abs(e)
                    s_square += w * (e * e)
                    s_variance += w * variance[p]
                    if skill[p] != skill[p]:
                        ranks[g, :] = np.nan
                    if equal[p] == 0:
                        ranks[g, below[p]] += w
                    else:
                        for k in range(below[p], below[p] + equal[p] + 1):
                            ranks[g, k] += w / (equal[p] + 1)
            columns[g, 0] += weight
            columns[g, 2] += s_skill
            columns[g, 3] += s_pairs
            columns[g, 4] += s_error
            columns[g, 5] += s_absolute
            columns[g, 6] += s_square
            columns[g, 7] += s_variance
