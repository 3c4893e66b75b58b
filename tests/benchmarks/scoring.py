"""How fast scoring is against libraries: one process, one thread, interleaved rounds, fresh data in each, median of ratios.

    OMP_NUM_THREADS=1 python tests/benchmarks/scoring.py [crps | fused | memory | loss | decoding | worker] ...

Without an argument all are run. Times are CPU time; every peer is at its best setting: the layout it likes, its fastest exact estimator,
compiled before the clock runs. Aims are in brackets. Memory is what the process's peak grows by, so it needs Linux.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import importlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import properscoring
import scoringrules
import torch
import xarray as xr
import zarr

from wxexp.statistics.crps import crps
from wxexp.statistics.crps_torch import crps as torch_crps
from wxexp.statistics.kernel import compile_kernels, point_sums

POINTS, ROUNDS, SIZES = 200_000, 5, (8, 16, 50)
Peer = Callable[[np.ndarray, np.ndarray, np.ndarray], object]
"""Of truth [N], members [M, N], and the same with the members of a point side by side, [N, M], the libraries' best case."""


def cpu(f: Callable[[], object]) -> float:
    start = time.process_time()
    f()
    return time.process_time() - start


def compare(members: int, own: Peer, peers: Mapping[str, Peer], points: int = POINTS) -> tuple[float, dict[str, float]]:
    """(nanoseconds per point, how many times longer each peer takes)."""
    mine: list[float] = []
    times: dict[str, list[float]] = {name: [] for name in peers}
    for round_ in range(ROUNDS + 1):
        rng = np.random.default_rng(round_)
        y, x = rng.standard_normal(points, dtype=np.float32), rng.standard_normal((members, points), dtype=np.float32)
        points_first = np.ascontiguousarray(x.T)
        now = cpu(lambda: own(y, x, points_first))  # noqa: B023 - called at once
        theirs = {name: cpu(lambda: peer(y, x, points_first)) for name, peer in peers.items()}  # noqa: B023
        if round_:  # the first compiles
            mine.append(now)
            for name, seconds in theirs.items():
                times[name].append(seconds)
    ratios = {name: statistics.median(s / o for s, o in zip(seconds, mine, strict=True)) for name, seconds in times.items()}
    return statistics.median(mine) / points * 1e9, ratios


def tell(what: str, ratios: Mapping[str, float]) -> None:
    print(what)
    for name, ratio in sorted(ratios.items(), key=lambda each: each[1]):
        print(f"    {ratio:6.1f} x  {name}")


def torch_sorted(y: np.ndarray, x: np.ndarray, points: np.ndarray) -> torch.Tensor:
    """The kernel form with a sort of torch along the last dim, fair, as physicsnemo and miles-credit have it."""
    a, b = torch.from_numpy(points), torch.from_numpy(y)
    count = a.shape[-1]
    rank = 2.0 * torch.arange(count) - (count - 1)
    return (a - b[:, None]).abs().mean(-1) - (a.sort(dim=-1).values * rank).sum(-1) / (count * (count - 1))


def xskillscore_peer() -> dict[str, Peer]:
    """Where it is installed; its crps_ensemble is that of properscoring, under xarray."""
    try:
        xskillscore = importlib.import_module("xskillscore")
    except ImportError:
        print("xskillscore is not installed; its crps_ensemble calls properscoring's")
        return {}

    def peer(y: np.ndarray, x: np.ndarray, points: np.ndarray) -> object:
        return xskillscore.crps_ensemble(xr.DataArray(y, dims="x"), xr.DataArray(points, dims=("x", "member")), dim=[])

    return {"xskillscore [5]": peer}


def crps_kernel() -> None:
    """The CRPS of every point alone."""
    exact = {
        f"scoringrules numba {name}": (lambda y, x, p, name=name: scoringrules.crps_ensemble(y, p, estimator=name, backend="numba"))
        for name in ("fair", "nrg", "qd", "pwm", "int")
    }
    peers: dict[str, Peer] = {
        **exact,
        "properscoring [5]": lambda y, x, p: properscoring.crps_ensemble(y, p),
        **xskillscore_peer(),
        "torch sort, kernel form [12]": torch_sorted,
    }
    for members in SIZES:
        nanoseconds, ratios = compare(members, lambda y, x, p: crps(y, x), peers)
        best = min(ratios[name] for name in exact)
        tell(f"CRPS, M = {members}: {nanoseconds:.1f} ns per point; best exact scoringrules {best:.1f} x [4]", ratios)


def library_set(y: np.ndarray, x: np.ndarray, points: np.ndarray) -> None:
    """What the fused kernel gives, by library calls."""
    estimator = "fair" if len(x) <= 20 else "pwm"  # the faster
    scoringrules.crps_ensemble(y, points, estimator=estimator, backend="numba")
    e = x.mean(axis=0) - y
    e.mean(), np.abs(e).mean(), (e**2).mean(), x.var(axis=0, ddof=1).mean()
    np.bincount((x < y).sum(axis=0), minlength=len(x) + 1)


def fused() -> None:
    """Weighted sums of all point statistics."""
    weights = np.ones((1, POINTS))
    for members in SIZES:
        nanoseconds, ratios = compare(
            members, lambda y, x, p: point_sums(y, x, weights), {"the same set by library calls [3]": library_set}
        )
        tell(f"fused set, M = {members}: {nanoseconds:.1f} ns per point", ratios)


def peak(f: Callable[[], object]) -> int:
    """Bytes by which the peak of resident memory is above what is resident before."""

    def status(key: str) -> int:
        line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(key))
        return int(line.split()[1]) * 1024

    Path("/proc/self/clear_refs").write_text("5")  # the peak is the present
    before = status("VmRSS")
    f()
    return max(status("VmHWM") - before, 0)


def memory() -> None:
    """Of the fused set and the CRPS, beyond the ensemble."""
    members, shape = 50, (181, 360)
    rng = np.random.default_rng(0)
    y, x = rng.standard_normal(shape, dtype=np.float32), rng.standard_normal((members, *shape), dtype=np.float32)
    weights = np.ones((1, *shape))
    point_sums(y[:1], x[:, :1], weights[:, :1]), crps(np.repeat(y, 2), np.repeat(x[:2].reshape(2, -1), 2, axis=1))  # compiles
    for name, f in {"fused set": lambda: point_sums(y, x, weights), "CRPS of every point": lambda: crps(y, x)}.items():
        print(f"{name}: {peak(f) / x.nbytes:.3f} of the ensemble in extra memory [0.1]")


def pairwise(y: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Fair, all pairs in memory."""
    return (x - y).abs().mean(0) - (x[:, None] - x[None]).abs().sum((0, 1)) / (2 * len(x) * (len(x) - 1))


def loss() -> None:
    """Forward and backward; pairs in memory for one channel at a time, as all of them take 40 GB."""
    torch.set_num_threads(1)
    members, channels, shape = 16, 20, (181, 360)
    ratios = []
    for round_ in range(ROUNDS):
        generator = torch.Generator().manual_seed(round_)
        y, x = torch.randn(shape, generator=generator), torch.randn(members, *shape, generator=generator).requires_grad_()
        seconds = [cpu(lambda: form(y, x).mean().backward()) for form in (lambda y, x: torch_crps(y, x, estimator="fair"), pairwise)]  # noqa: B023
        ratios.append(seconds[1] / seconds[0])
    print(f"torch loss, {members} members: pairwise form {statistics.median(ratios[1:]):.1f} x forward and backward [5]")
    y, x = torch.randn(channels, *shape), torch.randn(members, channels, *shape).requires_grad_()
    extra = peak(lambda: torch_crps(y, x, estimator="fair").mean().backward())
    print(f"    {extra / (4 * x.numel()):.2f} of the ensemble in extra memory, its gradient included [2]")


def decoding(members: int = 50) -> None:
    """Scoring a chunk against reading it with zarr's default codec."""
    rng = np.random.default_rng(0)
    smooth = np.cumsum(np.cumsum(rng.standard_normal((members, 181, 360)), axis=1), axis=2).astype(np.float32)
    y, weights = smooth[0] + 0.5, np.ones((1, 181, 360))
    with tempfile.TemporaryDirectory() as folder:
        array = zarr.create_array(Path(folder) / "x.zarr", data=smooth, chunks=(min(members, 16), 181, 360))
        ratios = [cpu(lambda: point_sums(y, smooth, weights)) / cpu(lambda: array[:]) for _ in range(ROUNDS)]
    print(f"fused scoring / decoding of {members} x 181 x 360: {statistics.median(ratios):.2f} [0.7]")


WORKER = """
import resource, sys
import wxexp as wx
from wxexp.scoring.external import read, score
from pathlib import Path
folder = Path(sys.argv[1])
score(read(folder / "truth.zarr"), read(folder / "members.zarr"))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def worker(members: int = 50, variables: int = 3) -> None:
    """Peak memory of a process that scores 50 members x times x 3 variables x 181 x 360; chunks are one time, and not written."""
    lat, lon = np.linspace(-90, 90, 181), np.arange(360.0)
    for times in (10, 100):
        with tempfile.TemporaryDirectory() as folder:
            for name, dims, shape in (
                ("truth", ("time", "lat", "lon"), (times, 181, 360)),
                ("members", ("time", "member", "lat", "lon"), (times, members, 181, 360)),
            ):
                group = zarr.create_group(Path(folder) / f"{name}.zarr")
                for v in range(variables):
                    chunks = (1, *shape[1:-2], 181, 360)
                    group.create_array(f"v{v}", shape=shape, chunks=chunks, dtype="float32", fill_value=1.0, dimension_names=dims)
                for key, values in {"lat": lat, "lon": lon, "time": np.arange(times) * 6}.items():
                    array = group.create_array(key, data=values, dimension_names=(key,))
                    if key == "time":
                        array.attrs["units"] = "hours since 2000-01-01"
            out = subprocess.run([sys.executable, "-c", WORKER, folder], check=True, capture_output=True, text=True).stdout
        print(f"worker, {members} members x {times} times x {variables} variables: {int(out.split()[-1]) / 1024**2:.2f} GiB at most [1]")


BENCHMARKS = {"crps": crps_kernel, "fused": fused, "memory": memory, "loss": loss, "decoding": decoding, "worker": worker}

if __name__ == "__main__":
    compile_kernels()
    for name in sys.argv[1:] or BENCHMARKS:
        BENCHMARKS[name]()
