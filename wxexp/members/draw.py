"""Drawing an ensemble: which work items are missing, and an executor to do them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from wxexp.config import to_tree
from wxexp.experiment import Experiment
from wxexp.interfaces import Executor, Failure, Item, Job, Opened
from wxexp.members.drawer import Plan, WorkItem, drawer
from wxexp.members.store import Layout, Store, create_or_extend

Progress = Callable[[int, int], None]
"""(members drawn so far over all times, those of earlier runs included; members in all)."""

IN_FLIGHT = 64
"""Work items given to workers ahead of results; each is a few bytes."""


def layout(experiment: Experiment, opened: Opened, items: Sequence[Item]) -> Layout:
    """What the store of an experiment looks like: a forecast, where the dataset has leads, has a lead dimension."""
    step = items[0].lead_hours
    leads = tuple(step * (lead + 1) for lead in range(experiment.ensemble.leads)) if opened.ports.leads else None
    return Layout(
        variables=dict(zip(opened.codec.targets, opened.codec.units, strict=True)),
        grid=opened.grid,
        times=tuple(str(item.time) for item in items),
        lead_hours=leads,
    )


def draw(
    experiment: Experiment,
    *,
    directory: Path,
    checkpoint: Path,
    loader: str,
    opened: Opened,
    items: Sequence[Item],
    executor: Executor,
    imports: Sequence[str] = (),
    device: str = "cpu",
    progress: Progress | None = None,
) -> Store:
    """Draws what is missing of `experiment.ensemble` into `directory`: members.zarr, done/ with a marker for each work item, scratch/.

    Work is resumed item by item: what has a marker is not drawn again, and more members are added to the store that is there.

    Args:
        experiment: sampler and ensemble are taken from it.
        directory: made if need be.
        checkpoint: of the learner.
        loader: "wxexp.package.module:function" that loads it: (checkpoint, weights="ema", like=tree) -> (Experiment, Learner).
        opened: the experiment's dataset, as the store needs to know it; workers open their own.
        items: the times of the store, in order.
        executor: members are bitwise equal for any, on one kind of CPU.
        imports: packages whose components the experiment uses, which workers import first.
        device: of the workers.
        progress: called before the first item and after each.

    Raises:
        ValueError: there are no items, or the store there is of other times, variables or grid.
        OSError, FloatingPointError, RuntimeError: an item could not be drawn; the message names it. What was drawn is kept.
    """
    if not items:
        raise ValueError("there are no times to draw members for")
    path, done = (directory.absolute() / name for name in ("members.zarr", "done"))
    done.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        for marker in done.glob("*.json"):  # of a store that somebody removed
            marker.unlink()
    ensemble, about = experiment.ensemble, {"title": experiment.name}
    store = create_or_extend(path, layout(experiment, opened, items), members=ensemble.members, chunk=ensemble.chunk, attributes=about)
    work = [WorkItem(t, item, c.start, c.stop) for t, item in enumerate(items) for c in store.chunks(ensemble.members)]
    missing = [one for one in work if not one.is_done(done)]
    total, drawn = _members(work), _members(work) - _members(missing)
    if progress:
        progress(drawn, total)
    if not missing:
        return store
    told = plan(experiment, directory=directory, checkpoint=checkpoint, loader=loader, imports=imports, device=device)
    told |= {"store": str(path), "done": str(done)}
    for one, result in executor.map(Job(drawer, told), missing, in_flight=IN_FLIGHT):
        if isinstance(result, Failure):
            raise result.exception(f"drawing {one}")
        drawn += one.stop - one.first
        if progress:
            progress(drawn, total)
    return store


def plan(
    experiment: Experiment, *, directory: Path, checkpoint: Path, loader: str, imports: Sequence[str] = (), device: str = "cpu"
) -> Plan:
    """What workers that draw are told, of members that are not stored; see `draw`."""
    scratch = directory.absolute() / "scratch"
    scratch.mkdir(parents=True, exist_ok=True)
    return Plan(
        experiment=to_tree(experiment),
        checkpoint=str(checkpoint.absolute()),
        loader=loader,
        store=None,
        done=None,
        scratch=str(scratch),
        imports=list(imports),
        device=device,
    )


def chunks(experiment: Experiment, item: Item) -> list[WorkItem]:
    """The work items of a time, where members are not stored."""
    members, size = experiment.ensemble.members, experiment.ensemble.chunk
    return [WorkItem(item.index, item, first, min(first + size, members)) for first in range(0, members, size)]


def _members(work: Sequence[WorkItem]) -> int:
    return sum(one.stop - one.first for one in work)
