"""Drawing one work item: a chunk of members of one initial time, from noise to the store.

Exactness. A draw is a function of (ensemble seed, initial time, member, purpose), and every network sees exactly `rows` rows (`Rows`).
The operations around the network have tails too: an element-wise loop treats the last few elements of a tensor with other instructions
than the rest. So members are always drawn in the groups 0 ... rows-1, rows ... 2 rows - 1, ..., each whole, of which an item keeps those
it was asked for. A member is then the outcome of the same operations on the same numbers, whatever else is drawn with it, before it or
on another worker; nothing is asked of the libraries but that the same call gives the same bits. It is no slower where chunks are
multiples of `rows`, since the network would have to be given `rows` rows anyway.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TypedDict

import numpy as np
import torch
from torch import Tensor

from wxexp.config import from_tree
from wxexp.experiment import Experiment
from wxexp.fields.seeds import Draws
from wxexp.interfaces import Batch, Codec, Frame, Item, Learner, Network, Opened
from wxexp.members.rows import Rows
from wxexp.members.store import Store


class Plan(TypedDict):
    """What a worker needs to know, in plain values.

    Keys:
        experiment: its tree; sampler and ensemble are taken from it.
        checkpoint: the folder the learner is loaded from.
        loader: "wxexp.package.module:function" that loads it: (checkpoint, weights="ema", like=tree) -> (Experiment, Learner).
        store: members.zarr; None where members are not stored.
        done: folder of markers; None where members are not stored.
        scratch: folder for what learners cache.
        imports: packages to import first, whose components the experiment uses.
        device: "cpu", "cuda", ...
    """

    experiment: dict[str, object]
    checkpoint: str
    loader: str
    store: str | None
    done: str | None
    scratch: str
    imports: list[str]
    device: str


@dataclasses.dataclass(frozen=True)
class WorkItem:
    """Members `first` ... `stop` - 1 of an initial time, a whole chunk; `index` is the time's place in the store."""

    index: int
    item: Item
    first: int
    stop: int

    def __str__(self) -> str:
        return f"members {self.first} to {self.stop - 1} of {self.item.time}"

    def marker(self, done: Path) -> Path:
        """The file that says that this work is done."""
        return done / f"{self.index}-{self.first}.json"

    def is_done(self, done: Path) -> bool:
        """Whether all its members are there: a chunk may have been drawn when the store had fewer members."""
        marker = self.marker(done)
        try:
            return marker.exists() and int(json.loads(marker.read_bytes())["stop"]) >= self.stop
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(f"{marker} is corrupted; delete it to draw {self} again") from error


@dataclasses.dataclass(frozen=True)
class WorkResult:
    """What it took: wall-clock seconds, and passes of `rows` rows through a network."""

    seconds: float
    evaluations: int


def drawer(plan: Plan) -> Writer:
    """The factory of workers that draw into a store."""
    assert plan["store"] is not None and plan["done"] is not None, "a plan of members that are stored"
    return Writer(_drawer(plan), Store(Path(plan["store"])), Path(plan["done"]))


def maker(plan: Plan) -> Callable[[WorkItem], list[np.ndarray]]:
    """The factory of workers that draw for whoever is waiting: of each work item one array [M, L, *S] for each target, in order."""
    found = _drawer(plan)

    def make(work: WorkItem) -> list[np.ndarray]:
        values = found.members(work.item, range(work.first, work.stop))
        return [np.ascontiguousarray(values[:, :, c]) for c in range(values.shape[2])]

    return make


def _drawer(plan: Plan) -> Drawer:
    for package in plan["imports"]:
        import_module(package)
    experiment = from_tree(plan["experiment"], Experiment)
    _, learner = _loader(plan["loader"])(Path(plan["checkpoint"]), weights="ema", like=plan["experiment"])
    opened = learner.cache(experiment.dataset.open(), Path(plan["scratch"]))
    return Drawer(experiment, learner, opened, torch.device(plan["device"]))


def _loader(name: str) -> Callable[..., tuple[Experiment, Learner]]:
    module, colon, function = name.partition(":")
    if not colon or module.partition(".")[0] != "wxexp":
        raise ValueError(f"loader must be 'wxexp.package.module:function', got {name!r}")
    found: Callable[..., tuple[Experiment, Learner]] = getattr(import_module(module), function)
    return found


class Writer:
    """Draws work items into a store."""

    def __init__(self, drawer: Drawer, store: Store, done: Path) -> None:
        self._drawer, self._store, self._done = drawer, store, done

    def __call__(self, work: WorkItem) -> WorkResult:
        """Draws, writes the chunk, then the marker.

        Raises:
            FloatingPointError: a valid cell is not finite.
            OSError: the store cannot be written.
        """
        began, passes = time.perf_counter(), self._drawer.passes
        values = self._drawer.members(work.item, range(work.first, work.stop))
        names = self._drawer.targets
        self._store.write(work.index, range(work.first, work.stop), {name: values[:, :, c] for c, name in enumerate(names)})
        result = WorkResult(time.perf_counter() - began, self._drawer.passes - passes)
        self._mark(work, result)
        return result

    def _mark(self, work: WorkItem, result: WorkResult) -> None:
        marker = work.marker(self._done)
        part = marker.with_name(marker.name + ".part")
        about = {"time": work.item.time, "first": work.first, "stop": work.stop, **dataclasses.asdict(result)}
        part.write_text(json.dumps(about) + "\n", encoding="utf-8")
        part.replace(marker)


class Drawer:
    """Draws members. The learner is used for nothing else: its networks get wrappers."""

    def __init__(self, experiment: Experiment, learner: Learner, opened: Opened, device: torch.device | None = None) -> None:
        assert learner.codec is not None, "a loaded learner has a codec"
        self._ensemble, self._sampler = experiment.ensemble, experiment.sampler
        self._opened, self._device = opened, device or torch.device("cpu")
        self._rows: list[Rows] = []
        learner.wrap(self._wrapped)
        self._learner: Learner = learner.to(self._device).eval()
        self._codec: Codec = learner.codec

    @property
    def targets(self) -> Sequence[str]:
        """Names of what is drawn."""
        return self._codec.targets

    @property
    def passes(self) -> int:
        """Passes of `rows` rows through a network so far."""
        return sum(network.passes for network in self._rows)

    def _wrapped(self, network: Network) -> Network:
        self._rows.append(Rows(network, self._ensemble.rows))
        return self._rows[-1]

    @torch.no_grad()
    def members(self, item: Item, members: range) -> np.ndarray:
        """[M, L, C, *S] physical, float32, NaN at masked cells."""
        batch = self._opened.read([item]).to(self._device)
        frames = [] if self._ensemble.leads == 1 else list(self._opened.frames([item], self._ensemble.leads))
        rows, kept = self._ensemble.rows, []
        for first in range(members.start - members.start % rows, members.stop, rows):
            group = range(first, first + rows)
            here = [m - first for m in group if m in members]
            values = self._group(item, batch, frames, group)[here].float()
            valid = batch.mask.expand(1, *values.shape[2:])
            self._check(values, valid, item, [group[i] for i in here])
            kept.append(values.masked_fill(~valid, torch.nan).cpu().numpy())
        return np.concatenate(kept)

    def _group(self, item: Item, batch: Batch, frames: list[Frame], members: range) -> Tensor:
        """[M, L, C, *S] physical: one lead after another, each from the member's own last state."""
        m, draws = len(members), Draws.drawing(self._ensemble.seed, [item.time]).members(members)
        y = self._learner.members(batch, draws.of("lead", 0), self._sampler).flatten(0, 1)
        batch = batch.repeat(m)
        out = [self._codec.decode(y, batch)]
        for lead, frame in enumerate(frames, 1):
            forcing, hours = (x.to(self._device).repeat_interleave(m, 0) for x in (frame.forcing, frame.lead_hours))
            batch = self._codec.advance(batch, y, Frame(None, forcing, hours))
            y = self._learner.members(batch, draws.of("lead", lead), self._sampler).flatten(0, 1)
            out.append(self._codec.decode(y, batch))
        return torch.stack(out, 1)

    def _check(self, values: Tensor, valid: Tensor, item: Item, members: list[int]) -> None:
        if bool((values.isfinite() | ~valid).all()):
            return
        m, lead, c = (int(i) for i in (~values.isfinite() & valid).nonzero()[0][:3])
        name = self._codec.targets[c]
        raise FloatingPointError(f"{name} of member {members[m]} of {item.time}, lead {lead + 1}, is not finite")
