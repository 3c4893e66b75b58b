"""What every dataset does with a source: its variables in memory, items of each split, batches cut from them, and the physical truth.

A dataset's own file says which times are items, and what the network sees and learns of one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from wxexp.datasets.checks import check_domain, check_patch, one_mask
from wxexp.datasets.contents import read, statics
from wxexp.datasets.partition import SPLITS, Partition
from wxexp.datasets.patches import crop
from wxexp.datasets.static import Geometry, channels
from wxexp.datasets.times import Calendar, calendar
from wxexp.datasets.transforms import Transform
from wxexp.fields.grid import coordinates
from wxexp.interfaces import Batch, Codec, Frame, Item, Ports, Source, Split


class Described(Protocol):
    """The fields that datasets have in common."""

    @property
    def source(self) -> Source: ...
    @property
    def static(self) -> tuple[str, ...]: ...
    @property
    def geometry(self) -> tuple[Geometry, ...]: ...
    @property
    def calendar(self) -> tuple[Calendar, ...]: ...
    @property
    def transforms(self) -> Mapping[str, Transform]: ...
    @property
    def patch(self) -> tuple[int, ...] | None: ...
    @property
    def partition(self) -> Partition: ...


@dataclasses.dataclass(frozen=True)
class Cut:
    """Where the samples of a batch lie.

    Attributes:
        index: int64 [B], their times in the source.
        origin: int64 [B, dims], first cells of their patches.
        size: of a patch, or of the full field.
        whole: fields are not cut.
    """

    index: Tensor
    origin: Tensor
    size: tuple[int, ...]
    whole: bool

    def own(self, fields: Tensor, at: Tensor | None = None) -> Tensor:
        """Of fields [time, ..., *S] those of the samples' own times, or of times `at` [B]: [B, ..., *size]."""
        at = self.index if at is None else at
        return fields[at] if self.whole else crop(fields, self.origin, self.size, rows=at)

    def shared(self, field: Tensor) -> Tensor:
        """A field of all times, [1, ..., *S]: [1, ..., *S] or [B, ..., *size]."""
        return field if self.whole else crop(field, self.origin, self.size)

    def spread(self, values: Tensor) -> Tensor:
        """Values without a place, [B, K]: [B, K, *size], the same in every cell."""
        return values.view(len(values), -1, *(1,) * len(self.size)).expand(-1, -1, *self.size)


class InMemory:
    """An opened dataset whose source is in memory, all times of it.

    Whoever extends it sets `codec`, `ports` and `_items` and defines `read`. The truth of an item is that of its own time, without lead
    time, and it has no next step, unless `truth` and `frames` say otherwise.

    Attributes:
        ports, codec, grid, patch: as `Opened`.
    """

    codec: Codec
    ports: Ports
    patch: tuple[int, ...] | None
    _items: Mapping[Split, Sequence[Item]]

    def __init__(
        self, spec: Described, variables: Sequence[str], *, targets: int, region: tuple[int, int, int, int] | None = None, factor: int = 1
    ) -> None:
        """Reads `variables`, of which the first `targets` have the truth; `region` as of `contents.read`, `factor` as of `channels`."""
        self._name, self._source, self._region = type(spec).__name__, spec.source, region
        source, fields = type(spec.source).__name__, spec.source.open()
        self._found = found = read(source, fields, variables, region=region)
        self.grid, self.patch = found.grid, spec.patch
        check_patch(self._name, spec.patch, self.grid.shape)
        check_domain(self._name, found, variables, spec.transforms)
        mask = one_mask(found.valid[:targets])
        still = channels(statics(source, fields, spec.static, region=region), mask, self.grid, geometry=spec.geometry, factor=factor)
        self._static, self._mask = torch.from_numpy(still)[None], torch.from_numpy(mask)[None]
        self._area = torch.from_numpy(self.grid.area().astype(np.float32))[None]
        self._calendar = torch.from_numpy(calendar(found.times, spec.calendar))

    def _split(
        self, partition: Partition, start: Callable[[Split, np.ndarray], np.ndarray], *, lead_hours: float = 0.0
    ) -> dict[Split, list[Item]]:
        """Items at the times that `start` chooses for a split among those of the partition (bool [time])."""
        labels, chosen = self._found.labels, partition.select(self._found.labels)
        items = {split: [Item(int(i), str(labels[i]), lead_hours) for i in start(split, chosen[split])] for split in SPLITS}
        if len(items["train"]) < 2:
            raise ValueError(f"{self._name} of {self._found.name} needs at least 2 training times, got {len(items['train'])}")
        return items

    def items(self, split: Split) -> Sequence[Item]:
        """In order of time."""
        return self._items[split]

    def _times(self, split: Split) -> np.ndarray:
        return np.array([item.index for item in self._items[split]])

    def _cut(self, items: Sequence[Item], origins: Tensor | None = None) -> Cut:
        size = self.grid.shape if origins is None else self.patch
        assert size is not None, "origins are of patches, and there is no patch size"
        origin = torch.zeros((len(items), len(size)), dtype=torch.int64) if origins is None else origins
        return Cut(torch.tensor([item.index for item in items]), origin, size, whole=origins is None)

    def _batch(self, items: Sequence[Item], cut: Cut, *, target: Tensor, condition: Tensor, future: tuple[Frame, ...] = ()) -> Batch:
        return Batch(
            target=target,
            condition=condition,
            static=cut.shared(self._static),
            mask=cut.shared(self._mask),
            area=cut.shared(self._area),
            lead_hours=torch.tensor([item.lead_hours for item in items]),
            origin=cut.origin,
            key=cut.index.clone(),
            time=np.array([item.time for item in items]),
            future=future,
        )

    def frames(self, items: Sequence[Item], leads: int) -> Iterable[Frame]:
        """None: there is no next step."""
        if leads > 1:
            raise ValueError(f"Ensemble.leads must be 1 for {self._name}, got {leads}")
        return ()

    def static(self, name: str) -> np.ndarray:
        """As `Charted`."""
        field: np.ndarray = statics(type(self._source).__name__, self._source.open(), (name,), region=self._region)[0]
        return field

    def truth(self, item: Item) -> xr.Dataset | None:
        """Physical fields of the targets, dims *S, NaN where masked."""
        coords = coordinates(self.grid) | {"time": ((), self._found.times[item.index])}
        return xr.Dataset(self._variables(self._physical([item.index])[0], self.grid.dims), coords=coords)

    def _physical(self, times: Sequence[int] | np.ndarray) -> np.ndarray:
        """The targets at times by index, [n, C, *S], NaN where masked."""
        return np.where(self._mask.numpy(), self._found.values[times, : len(self.codec.targets)], np.nan)

    def _variables(self, values: np.ndarray, dims: tuple[str, ...]) -> dict[str, tuple[tuple[str, ...], np.ndarray, dict[str, str]]]:
        """The targets [..., C, *S] by name, for xarray."""
        channel = -1 - len(self.grid.dims)
        units = zip(self.codec.targets, self.codec.units, strict=True)
        return {name: (dims, values.take(c, channel), {"units": unit}) for c, (name, unit) in enumerate(units)}
