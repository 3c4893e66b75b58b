"""How fast scoring is against libraries: one process, one thread, interleaved rounds, fresh data in each, median of ratios.

    OMP_NUM_THREADS=1 python tests/benchmarks/scoring.py

Nanoseconds of CPU time per point, and how many times longer each peer takes at its best setting than the fused kernel, which besides the
CRPS gives errors, variance and rank histogram.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import properscoring
import scoringrules
import zarr

from wxexp.statistics.crps import crps
from wxexp.statistics.kernel import compile_kernels, point_sums

POINTS, ROUNDS = 100_000, 5


def cpu(f: Callable[[], object]) -> float:
    start = time.process_time()
    f()
    return time.process_time() - start


def library_set(y: np.ndarray, x: np.ndarray) -> None:
    """What the fused kernel gives, by library calls."""
    scoringrules.crps_ensemble(y, x, m_axis=0, estimator="fair", backend="numba")
    e = x.mean(axis=0) - y
    e.mean(), np.abs(e).mean(), (e**2).mean(), x.var(axis=0, ddof=1).mean()
    np.bincount((x < y).sum(axis=0), minlength=len(x) + 1)


def compare(members: int) -> None:
    peers: dict[str, Callable[[np.ndarray, np.ndarray], object]] = {
        "scoringrules numba fair, point-major": lambda y, x: scoringrules.crps_ensemble(y, x.T, estimator="fair", backend="numba"),
        "scoringrules numba pwm, point-major": lambda y, x: scoringrules.crps_ensemble(y, x.T, estimator="pwm", backend="numba"),
        "properscoring": lambda y, x: properscoring.crps_ensemble(y, x, axis=0),
        "wxexp numpy": crps,
        "the same set by library calls": library_set,
    }
    own: list[float] = []
    times: dict[str, list[float]] = {name: [] for name in peers}
    weights = np.ones((1, POINTS))
    for round_ in range(ROUNDS + 1):
        rng = np.random.default_rng(round_)
        y, x = rng.standard_normal(POINTS, dtype=np.float32), rng.standard_normal((members, POINTS), dtype=np.float32)
        points = np.asfortranarray(x)  # x.T is contiguous: the members of a point side by side, the libraries' best case
        mine = cpu(lambda: point_sums(y, x, weights))  # noqa: B023 - called at once
        theirs = {name: cpu(lambda: peer(y, points if "point-major" in name else x)) for name, peer in peers.items()}  # noqa: B023
        if round_:  # the first compiles
            own.append(mine)
            for name, seconds in theirs.items():
                times[name].append(seconds)
    print(f"M = {members}: fused kernel {statistics.median(own) / POINTS * 1e9:.1f} ns per point")
    for name, seconds in times.items():
        ratio = statistics.median(s / o for s, o in zip(seconds, own, strict=True))
        print(f"    {ratio:6.1f} x  {name}")


def decoding(members: int = 50) -> None:
    """Scoring a chunk against reading it with zarr's default codec."""
    rng = np.random.default_rng(0)
    smooth = np.cumsum(np.cumsum(rng.standard_normal((members, 181, 360)), axis=1), axis=2).astype(np.float32)
    y, weights = smooth[0] + 0.5, np.ones((1, 181, 360))
    with tempfile.TemporaryDirectory() as folder:
        array = zarr.create_array(Path(folder) / "x.zarr", data=smooth, chunks=(min(members, 16), 181, 360))
        ratios = [cpu(lambda: point_sums(y, smooth, weights)) / cpu(lambda: array[:]) for _ in range(ROUNDS)]
    print(f"fused scoring / decoding of {members} x 181 x 360: {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    compile_kernels()
    for size in (8, 16, 50):
        compare(size)
    decoding()
