"""What workers cost: `python tests/benchmarks/members.py [item drawing scoring]`.

1. item: the time of one that does nothing, through a Ray worker and in this process.
2. drawing, scoring: two Ray workers against two bare processes, each of which does half of the items in a plain loop of one thread.
   Start-up (imports, checkpoint) is in neither: time is counted from the first results on. The two ways take turns.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

HERE = Path(__file__).parents[1]
sys.path[:0] = [str(HERE), str(HERE / "members")]
ITEMS = 40
ROUNDS = 3

BARE = """
import sys; sys.path.insert(0, {here!r})
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


SCORING = """
import json, sys
import torch; torch.set_num_threads(1)
from wxexp.scoring.engine import scorer
from wxexp.scoring.plan import work
tree = json.loads(open({tree!r}).read())
tree["coordinates"] = {{}}
score = scorer(tree)
items = [tuple(item) for item in work(tree["plan"])]
items = items[: len(items) // 2] if {half} else items[len(items) // 2 :]
score(items[0])
print("ready", flush=True)
sys.stdin.readline()
for item in items[1:]:
    score(item)
"""


def item() -> None:
    import factories

    from wxexp.interfaces import Executor, Job
    from wxexp.launch.cluster import cluster
    from wxexp.launch.executor import RayExecutor
    from wxexp.members.executor import LocalExecutor

    def measure(name: str, executor: Executor) -> None:
        found = executor.map(Job(factories.nothing, None), range(2001), in_flight=8)
        next(found)
        began = time.perf_counter()
        count = sum(1 for _ in found)
        print(f"{name}: {(time.perf_counter() - began) / count * 1e3:.3f} ms an item")

    measure("this process", LocalExecutor())
    with cluster(), RayExecutor(1) as executor:
        measure("a Ray worker", executor)


def rate(marks: list[tuple[float, float]]) -> float:
    """Items a second from the fifth on: by then each worker has its first behind it."""
    (start, first), (end, last) = marks[4], marks[-1]
    return (last - first) / (end - start)


def bare(programs: list[str], items: int) -> float:
    """Items a second of processes that begin together."""
    env = os.environ | {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1", "PYTHONPATH": str(HERE.parent)}
    processes = [
        subprocess.Popen([sys.executable, "-c", program], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for program in programs
    ]
    for one in processes:
        assert one.stdout is not None and one.stdout.readline() == "ready\n"
    began = time.perf_counter()
    for one in processes:
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.close()
    for one in processes:
        one.wait()
    return items / (time.perf_counter() - began)


def drawing(folder: Path) -> Callable[[], tuple[float, float]]:
    import members_doubles as doubles

    from wxexp.launch.executor import RayExecutor

    weights = doubles.checkpoint(doubles.experiment(), folder / "weights")
    e = doubles.experiment(members=4 * ITEMS, chunk=4)
    program = BARE.format(here=str(HERE / "members"), weights=str(weights), members=4 * ITEMS, items=ITEMS)

    def both() -> tuple[float, float]:
        marks: list[tuple[float, float]] = []
        with TemporaryDirectory() as home, RayExecutor(2) as executor:
            doubles.drawn(e, weights, Path(home), executor, lambda done, total: marks.append((time.perf_counter(), done / 4)))
        return rate(marks), bare([program] * 2, 2 * ITEMS)

    return both


def scoring(folder: Path) -> Callable[[], tuple[float, float]]:
    """16 members of two variables on 120 x 180 cells, 160 times, the usual metrics."""
    import json

    import numpy as np

    import wxexp as wx
    from wxexp.launch.executor import RayExecutor
    from wxexp.members.draw import layout
    from wxexp.members.store import create_or_extend
    from wxexp.scoring import prepare, score, work

    e = wx.edit(
        wx.load(HERE / "small.py"),
        {
            "dataset.source.cells": (120, 180),
            "dataset.source.times": 900,
            "ensemble.members": 16,
            "ensemble.chunk": 8,
            "scoring.metrics.spread_skill": wx.metrics.SpreadSkill(),
            "scoring.metrics.lsd": wx.metrics.LogSpectralDistance(),
        },
    )
    opened = e.dataset.open()
    items = opened.items("test")
    store = create_or_extend(folder / "members.zarr", layout(e, opened, items), members=16, chunk=8)
    draw = np.random.default_rng(0)
    for t in range(len(items)):
        for chunk in store.chunks(16):
            fields = {name: draw.standard_normal((len(chunk), 1, 120, 180), dtype=np.float32) for name in store.variables}
            store.write(t, chunk, fields)
    (folder / "out").mkdir()
    tree = prepare(e, opened, members=folder / "members.zarr", out=folder / "out")
    text = folder / "tree.json"
    text.write_text(json.dumps({**tree, "coordinates": {}}))
    programs = [SCORING.format(tree=str(text), half=half) for half in (0, 1)]

    def both() -> tuple[float, float]:
        marks: list[tuple[float, float]] = []
        with TemporaryDirectory() as out, RayExecutor(2) as executor:
            score(tree=tree, executor=executor, out=Path(out), progress=lambda done, _: marks.append((time.perf_counter(), done)))
        return rate(marks), bare(programs, len(work(tree["plan"])) - 2)

    return both


def main() -> None:
    from wxexp.launch.cluster import cluster

    chosen = sys.argv[1:] or ["item", "drawing", "scoring"]
    if "item" in chosen:
        item()
    with TemporaryDirectory() as folder, cluster():
        for make in (drawing, scoring):
            if make.__name__ in chosen:
                (home := Path(folder) / make.__name__).mkdir()
                both = make(home)
                rates = [both() for _ in range(ROUNDS)]
                for ours, bare in rates:
                    print(
                        f"{make.__name__}: items a second: two workers {ours:.1f}, two bare processes {bare:.1f}, ratio {ours / bare:.3f}"
                    )
                print(f"{make.__name__}: median ratio {median(a / b for a, b in rates):.3f}")
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
