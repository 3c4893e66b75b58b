"""Scores of members that were never stored: drawn on workers, and handed over one variable of a block of cases at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from wxexp.interfaces import Executor, Item, Job, Tiles
from wxexp.scoring.engine import Progress, Scorer, Todo, scorer
from wxexp.scoring.plan import FORECAST, Tree, WorkItem, blocks
from wxexp.scoring.stores import Arrays

I = TypeVar("I")


class Gathered:
    """A worker: (a block of cases, its members of one variable) -> as `Scorer`."""

    def __init__(self, tree: Tree) -> None:
        self.score = Scorer(tree)

    def __call__(self, item: tuple[WorkItem, Tiles], /) -> Arrays:
        return self.score(item[0], tiles=item[1])


def gathered(tree: Tree) -> Gathered:
    """The factory of workers."""
    return Gathered(tree)


def scattered(
    *,
    tree: Tree,
    executor: Executor,
    out: Path,
    make: Job[I, Sequence[np.ndarray]],
    chunks: Callable[[int, Item], Sequence[I]],
    progress: Progress | None = None,
    in_flight: int = 4,
) -> None:
    """The same as `score`, bit for bit, with members that `make` draws instead of stored ones; either finishes what the other began.

    Args:
        tree: from `prepare`, with or without members.
        executor: that draws and scores.
        out: folder.
        make: draws a chunk of members: for each variable [m, lead, *S], physical, float32, NaN where masked.
        chunks: the chunks of a case, from its place in the plan and its item: all its members, in order.
        progress: called after every block of a source.
        in_flight: blocks whose members are drawn at a time, and other items submitted.

    Raises:
        RuntimeError: for an item that failed, with its source and times; an OSError or ValueError where it was one.
    """
    todo = Todo(tree, out, progress)
    plan = tree["plan"]
    drawn = [item for item in todo.missing if plan["sources"][item[0]] == FORECAST]
    if others := [item for item in todo.missing if item not in drawn]:
        todo.take(executor.map(Job(scorer, tree), others, in_flight=in_flight))
    if drawn:
        groups = [
            (item, [chunk for case in blocks(plan)[item[1]] for chunk in chunks(case, Item(**plan["cases"][case]))]) for item in drawn
        ]
        todo.take(executor.gather(make, Job(gathered, tree), groups, tiles=len(plan["variables"]), in_flight=in_flight))
    todo.finish()
