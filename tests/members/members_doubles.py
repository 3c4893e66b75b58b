"""A tiny experiment that worker processes can import by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from wxexp.diffusion.parameterizations import EDM
from wxexp.experiment import Ensemble, Experiment
from wxexp.fields.grid import Grid
from wxexp.fields.seeds import stream
from wxexp.interfaces import Batch, Codec, Dataset, Frame, Item, Learner, Opened, Ports
from wxexp.levels import Karras
from wxexp.members.draw import draw
from wxexp.models import SongUNet
from wxexp.objectives import Denoising
from wxexp.samplers import Heun
from wxexp.schedulers import LogNormal
from wxexp.training.build import build
from wxexp.training.checkpoint import State, write

TIMES = ("2001-01-01", "2001-01-02")
SHAPE = (20, 23)
MASKED = (slice(None), slice(0, 3))


class ToyCodec(Codec):
    """Physical units are the network's times 10, and 280 more for the first target."""

    targets, units = ("tas", "pr"), ("K", "mm day-1")
    scale: Tensor
    shift: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("scale", torch.tensor([10.0, 10.0]))
        self.register_buffer("shift", torch.tensor([280.0, 0.0]))

    def recipe(self) -> Mapping[str, Any]:
        return {}

    def decode(self, y: Tensor, batch: Batch) -> Tensor:
        return y * self.scale[:, None, None] + self.shift[:, None, None] + batch.condition[:, :1]

    def advance(self, batch: Batch, y: Tensor, frame: Frame) -> Batch:
        assert len(frame.forcing) == len(y) == len(batch)
        return dataclasses.replace(batch, condition=torch.cat([y[:, :1], frame.forcing], 1), lead_hours=frame.lead_hours)


@dataclasses.dataclass
class ToyOpened:
    leads: tuple[float, ...]
    patch: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        height, width = SHAPE
        self.grid = Grid("latlon", lat=np.linspace(40.0, 50.0, height), lon=np.linspace(0.0, 11.0, width))
        self.codec = ToyCodec()
        self.ports = Ports(target=0, condition=2, static=1, out=2, leads=self.leads, grid=self.grid)
        self.mask = torch.ones(1, 1, *SHAPE, dtype=torch.bool)
        self.mask[(0, 0, *MASKED)] = False

    def items(self, split: str) -> Sequence[Item]:
        return [Item(i, time, self.leads[0] if self.leads else 0.0) for i, time in enumerate(TIMES)]

    def _field(self, item: Item, *key: int | str) -> Tensor:
        return torch.from_numpy(stream("toy", item.time, *key).standard_normal((1, *SHAPE), dtype=np.float32))

    def read(self, items: Sequence[Item], origins: Tensor | None = None) -> Batch:
        condition = torch.stack([torch.cat([self._field(i, "a"), self._field(i, "b", 0)]) for i in items])
        n = len(items)
        return Batch(
            target=None,
            condition=condition,
            static=torch.linspace(-1, 1, SHAPE[0] * SHAPE[1]).reshape(1, 1, *SHAPE),
            mask=self.mask,
            area=torch.ones(1, *SHAPE),
            lead_hours=torch.tensor([i.lead_hours for i in items]),
            origin=torch.zeros(n, 2, dtype=torch.int64),
            key=torch.tensor([i.index for i in items]),
            time=np.array([i.time for i in items]),
        )

    def frames(self, items: Sequence[Item], leads: int) -> Iterator[Frame]:
        for lead in range(1, leads):
            hours = torch.tensor([i.lead_hours * (lead + 1) for i in items])
            yield Frame(None, torch.stack([self._field(i, "b", lead) for i in items]), hours)


class Toy(Dataset):
    """Noise for fields; with `leads`, forecasts."""

    leads: tuple[float, ...] = ()

    def open(self) -> Opened:
        return ToyOpened(self.leads)  # type: ignore[return-value]

    def codec(self, recipe: Mapping[str, Any]) -> Codec:
        return ToyCodec()


def experiment(*, precision: str = "float32", leads: int = 1, rows: int = 4, **ensemble: int) -> Experiment:
    levels = Karras(sigma_min=0.02, sigma_max=20.0, rho=7.0)
    return Experiment(
        name="toy",
        dataset=Toy(leads=(6.0,) if leads > 1 else ()),
        model=SongUNet(channels=32, multipliers=(1, 2), blocks=1, attention=(1,), precision=precision),
        objective=Denoising(parameterization=EDM(sigma_data=1.0)),
        scheduler=LogNormal(mean=-1.2, std=1.2),
        sampler=Heun(steps=2, levels=levels, churn=0.5),
        ensemble=Ensemble(leads=leads, rows=rows, **ensemble),
    )


def checkpoint(e: Experiment, folder: Path) -> Path:
    """Of weights that do something: those a network starts from end in zeros."""
    opened = e.dataset.open()
    learner = build(e, opened, _no_parent)
    with torch.no_grad():
        for name, p in learner.named_parameters():
            p.add_(torch.from_numpy(0.05 * stream(name).standard_normal(p.shape, dtype=np.float32)))
    assert learner.made_from is not None
    state = State(step=0, samples=0, finished=True, metrics={}, best=None, stale=0, window={}, made_from=learner.made_from)
    write(folder, learner=learner, ema=None, optimizers={}, state=state)
    return folder


def _no_parent(e: Experiment) -> Learner:
    raise AssertionError("the toy has no parent")


LOADER = "wxexp.training.checkpoint:load"


def drawn(e: Experiment, weights: Path, directory: Path, executor: Any, progress: Callable[[int, int], None] | None = None) -> None:
    """`draw` of the toy."""
    opened = e.dataset.open()
    draw(
        e,
        directory=directory,
        checkpoint=weights,
        loader=LOADER,
        opened=opened,
        items=opened.items("test"),
        executor=executor,
        imports=["members_doubles"],
        progress=progress,
    )
