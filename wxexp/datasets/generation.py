"""Fields of the climate, given nothing but what is known of the place and the time of the year."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from wxexp.datasets.checks import check_names
from wxexp.datasets.codec import Bounds, GenerationCodec
from wxexp.datasets.memory import InMemory
from wxexp.datasets.partition import Cyclic, Partition
from wxexp.datasets.static import Place
from wxexp.datasets.times import Calendar
from wxexp.datasets.transforms import Transform
from wxexp.interfaces import Batch, Codec, Dataset, Item, Ports, Source, Split


class Generation(Dataset):
    """Fields of `variables`, standardised, at any time.

    An item is a time, whose field is the truth: without a condition, members of a good model are distributed over all items as the truth
    is, and none of them knows the truth of its own item, so that its scores are those of the climatology.
    """

    source: Source
    variables: tuple[str, ...]
    stride: int = 1
    """Times between those of validation and test items; training uses all."""
    calendar: tuple[Calendar, ...] = ()
    """What the network sees of the time."""
    static: tuple[str, ...] = ()
    """Static fields of the source that it sees."""
    geometry: tuple[Place, ...] = ()
    """What it sees of where a cell is."""
    transforms: Mapping[str, Transform] = dataclasses.field(default_factory=dict)
    """By variable, before standardisation."""
    bounds: Mapping[str, Bounds] = dataclasses.field(default_factory=dict)
    """Least and greatest physical value by variable, None where unbounded."""
    patch: tuple[int, ...] | None = None
    """Size of random training patches. None: full fields."""
    partition: Partition = Cyclic()

    def __post_init__(self) -> None:
        if self.stride < 1:
            raise ValueError(f"Generation.stride must be at least 1, got {self.stride}")
        check_names("Generation", "variables", self.variables, "variables", (), self.transforms, self.bounds)

    def open(self) -> OpenedGeneration:
        return OpenedGeneration(self)

    def codec(self, recipe: Mapping[str, Any]) -> Codec:
        return GenerationCodec(**recipe)


class OpenedGeneration(InMemory):
    """All fields, standardised."""

    def __init__(self, spec: Generation) -> None:
        count = len(spec.variables)
        super().__init__(spec, spec.variables, targets=count)
        found = self._found

        def start(split: Split, allowed: np.ndarray) -> np.ndarray:
            at = np.flatnonzero(allowed & found.present)
            return at if split == "train" else at[:: spec.stride]

        self._items = self._split(spec.partition, start)
        self.codec = codec = GenerationCodec(
            names=spec.variables, targets=spec.variables, units=found.units, transforms=spec.transforms, bounds=spec.bounds
        )
        codec.standardise(found, self._times("train"))
        with torch.no_grad():
            normal = codec.normalise(torch.from_numpy(found.values))
        self._fields = torch.where(self._mask & ~normal.isnan(), normal, 0.0)
        self.ports = Ports(target=count, condition=self._calendar.shape[1], static=self._static.shape[1], out=count, grid=self.grid)

    def read(self, items: Sequence[Item], origins: Tensor | None = None) -> Batch:
        cut = self._cut(items, origins)
        return self._batch(items, cut, target=cut.own(self._fields), condition=cut.spread(self._calendar[cut.index]))
