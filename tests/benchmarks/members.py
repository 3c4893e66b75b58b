"""What workers cost: `python tests/benchmarks/members.py`.

1. The time of an item that does nothing, through a worker process and in this process.
2. Drawing with two workers against two bare processes, each of which draws half of the items in a plain loop of one thread. Start-up
   (imports, checkpoint) is in neither: time is counted from the first result of each worker on. The three ways take turns.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

HERE = Path(__file__).parents[1] / "members"
sys.path.insert(0, str(HERE))
ITEMS = 40

BARE = """
import sys, time; sys.path.insert(0, {here!r})
import torch; torch.set_num_threads(1)
import members_doubles as doubles
from wxexp.fields.seeds import Draws
from wxexp.training.checkpoint import load
from pathlib import Path
e, weights = doubles.experiment(members={members}, chunk=4), Path({weights!r})
opened = e.dataset.open()
_, learner = load(weights)
with torch.no_grad():
    def item():
        batch = opened.read([opened.items("test")[0]])
        draws = Draws.drawing(0, ["t"]).members(range(4))
        y = learner.members(batch, draws, e.sampler).flatten(0, 1)
        return learner.codec.decode(y, batch.repeat(4)).numpy()
    item()
    print("ready", flush=True)
    sys.stdin.readline()
    for _ in range({items}):
        item()
"""


def of_an_item() -> None:
    import members_factories

    from wxexp.members.executor import LocalExecutor

    for workers in (0, 1):
        found = LocalExecutor(workers).map(members_factories.nothing, None, range(2001), in_flight=8)
        next(found)
        began = time.perf_counter()
        count = sum(1 for _ in found)
        print(f"{workers} workers: {(time.perf_counter() - began) / count * 1e6:.0f} us an item")


def two_workers(weights: Path, home: Path) -> float:
    """Items a second, after each worker's first."""
    import members_doubles as doubles

    from wxexp.members.executor import LocalExecutor

    marks: list[tuple[float, int]] = []
    e = doubles.experiment(members=4 * ITEMS, chunk=4)
    doubles.drawn(e, weights, home, LocalExecutor(2), lambda done, total: marks.append((time.perf_counter(), done)))
    (start, first), (end, last) = marks[4], marks[-1]
    return (last - first) / 4 / (end - start)


def two_processes(weights: Path) -> float:
    program = BARE.format(here=str(HERE), weights=str(weights), members=4 * ITEMS, items=ITEMS)
    env = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(HERE.parents[1])}
    both = [
        subprocess.Popen([sys.executable, "-c", program], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in "12"
    ]
    for one in both:
        assert one.stdout is not None and one.stdout.readline() == "ready\n"
    began = time.perf_counter()
    for one in both:
        one.communicate("\n")
    return 2 * ITEMS / (time.perf_counter() - began)


def main() -> None:
    import members_doubles as doubles

    of_an_item()
    with TemporaryDirectory() as folder:
        weights = doubles.checkpoint(doubles.experiment(), Path(folder) / "weights")
        rates = [(two_workers(weights, Path(folder) / str(i)), two_processes(weights)) for i in range(3)]
    for ours, bare in rates:
        print(f"items of 4 members a second: two workers {ours:.1f}, two bare processes {bare:.1f}, ratio {ours / bare:.3f}")
    print(f"median ratio {median(a / b for a, b in rates):.3f}; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
