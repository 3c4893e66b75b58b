"""Fields of the climate, given nothing but what is known of the place and the time of the year."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from wxexp.datasets import transforms as T
from wxexp.datasets.checks import check_domain, check_names, check_patch, moments, one_mask
from wxexp.datasets.codec import Bounds, GenerationCodec
from wxexp.datasets.contents import Contents, coordinates, read, statics
from wxexp.datasets.partition import SPLITS, Cyclic, Partition
from wxexp.datasets.patches import crop
from wxexp.datasets.static import Place, channels
from wxexp.datasets.times import Calendar, calendar
from wxexp.interfaces import Batch, Codec, Dataset, Frame, Item, Ports, Source, Split


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
    transforms: Mapping[str, T.Transform] = dataclasses.field(default_factory=dict)
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


class OpenedGeneration:
    """All fields in memory, standardised.

    Attributes:
        ports, codec, grid, patch: as `Opened`.
    """

    codec: Codec
    patch: tuple[int, ...] | None

    def __init__(self, spec: Generation) -> None:
        name, fields = type(spec.source).__name__, spec.source.open()
        found = read(name, fields, spec.variables)
        check_patch("Generation", spec.patch, found.grid.shape)
        check_domain("Generation", found, spec.variables, spec.transforms)
        self.grid, self.patch = found.grid, spec.patch
        self._spec, self._found = spec, found
        self._items = self._partition(spec, found)

        mask = one_mask(found.valid)
        still = channels(statics(name, fields, spec.static), mask, self.grid, geometry=spec.geometry)
        self._static, self._mask = torch.from_numpy(still)[None], torch.from_numpy(mask)[None]
        self._area = torch.from_numpy(self.grid.area().astype(np.float32))[None]
        self._calendar = torch.from_numpy(calendar(found.times, spec.calendar))

        self.codec = codec = GenerationCodec(
            names=spec.variables, targets=spec.variables, units=found.units, transforms=spec.transforms, bounds=spec.bounds
        )
        train = np.array([item.index for item in self._items["train"]])
        for v, variable in enumerate(codec.names):
            x = T.FORWARD[codec.transforms[v]](torch.from_numpy(found.values[train, v]))
            codec.mean[v], codec.std[v] = moments(x[:, torch.from_numpy(found.valid[v])].double(), variable)
        with torch.no_grad():
            normal = codec.normalise(torch.from_numpy(found.values))
        self._fields = torch.where(self._mask & ~normal.isnan(), normal, 0.0)
        count = len(spec.variables)
        self.ports = Ports(target=count, condition=self._calendar.shape[1], static=self._static.shape[1], out=count, grid=self.grid)

    @staticmethod
    def _partition(spec: Generation, found: Contents) -> dict[Split, list[Item]]:
        chosen = spec.partition.select(found.labels)
        items: dict[Split, list[Item]] = {}
        for split in SPLITS:
            at = np.flatnonzero(chosen[split] & found.present)
            items[split] = [Item(int(i), str(found.labels[i])) for i in (at if split == "train" else at[:: spec.stride])]
        if len(items["train"]) < 2:
            raise ValueError(f"Generation of {found.name} needs at least 2 training times, got {len(items['train'])}")
        return items

    def items(self, split: Split) -> Sequence[Item]:
        return self._items[split]

    def read(self, items: Sequence[Item], origins: Tensor | None = None) -> Batch:
        index = torch.tensor([item.index for item in items])
        size = self.grid.shape if origins is None else self.patch
        assert size is not None, "origins are of patches, and there is no patch size"
        origin = torch.zeros((len(items), len(size)), dtype=torch.int64) if origins is None else origins

        def shared(x: Tensor) -> Tensor:
            return x if origins is None else crop(x, origin, size)

        return Batch(
            target=self._fields[index] if origins is None else crop(self._fields, origin, size, rows=index),
            condition=self._calendar[index].view(len(items), -1, *(1,) * len(size)).expand(-1, -1, *size),
            static=shared(self._static),
            mask=shared(self._mask),
            area=shared(self._area),
            lead_hours=torch.zeros(len(items)),
            origin=origin,
            key=index.clone(),
            time=np.array([item.time for item in items]),
        )

    def frames(self, items: Sequence[Item], leads: int) -> Iterable[Frame]:
        if leads > 1:
            raise ValueError(f"Ensemble.leads must be 1 for Generation, got {leads}")
        return ()

    def static(self, name: str) -> np.ndarray:
        """As `Charted`."""
        source = self._spec.source
        field: np.ndarray = statics(type(source).__name__, source.open(), (name,))[0]
        return field

    def truth(self, item: Item) -> xr.Dataset:
        """Physical fields, dims *S, NaN where masked."""
        values = np.where(self._mask[0].numpy(), self._found.values[item.index], np.nan)
        units = zip(self.codec.targets, self.codec.units, strict=True)
        fields = {name: (self.grid.dims, values[c], {"units": unit}) for c, (name, unit) in enumerate(units)}
        return xr.Dataset(fields, coords=coordinates(self.grid) | {"time": ((), self._found.times[item.index])})
