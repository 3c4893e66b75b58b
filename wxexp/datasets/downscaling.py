"""A fine field from its coarse-grained self.

The coarse field is made from the fine one: area-weighted means over the valid cells of blocks of factor x factor cells (edge blocks may be
partial, blocks without valid cells are filled from the nearest). The network sees it interpolated back (bicubic, a = -0.75), with static
fields and the season, and learns the fine field or what the interpolation lacks.
"""

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
from wxexp.datasets.codec import Bounds, Downscaled, DownscalingCodec
from wxexp.datasets.contents import Contents, coordinates, read, statics
from wxexp.datasets.partition import SPLITS, Cyclic, Partition
from wxexp.datasets.patches import crop
from wxexp.datasets.static import Geometry, channels
from wxexp.datasets.times import Calendar, calendar
from wxexp.fields.interpolation import Method, block_mean, block_sum, expand, interpolate
from wxexp.interfaces import Batch, Codec, Dataset, Frame, Item, Ports, Source, Split


class Downscaling(Dataset):
    """Fine fields of `targets` from coarse ones.

    `read` gives as condition the interpolated coarse fields of targets and predictors, standardised, then what these lack of the known
    mean of each block for every target, then the calendar's sines and cosines.
    The truth of an item has the dims *S only: downscaling has no lead time.
    """

    source: Source
    targets: tuple[str, ...]
    factor: int = 8
    """Fine cells along the side of a coarse one."""
    predictors: tuple[str, ...] = ()
    """Coarse variables seen besides the targets."""
    static: tuple[str, ...] = ()
    """Static fields of the source that the network sees."""
    geometry: tuple[Geometry, ...] = ("mask", "coordinates", "subgrid")
    """What it sees of where a cell is."""
    calendar: tuple[Calendar, ...] = ("day_of_year",)
    """What it sees of the time."""
    target: Downscaled = "residual_anomaly"
    """Learnt is the field, its residual over the interpolated one, or that less its mean over training times in each cell."""
    transforms: Mapping[str, T.Transform] = dataclasses.field(default_factory=dict)
    """By variable, before standardisation."""
    bounds: Mapping[str, Bounds] = dataclasses.field(default_factory=dict)
    """Least and greatest physical value by target, None where unbounded: {"pr": (0.0, None)}."""
    patch: tuple[int, ...] | None = None
    """Size of random training patches. None: full fields."""
    region: tuple[int, int, int, int] | None = None
    """First row, row past the last, first column, column past the last of the source. None: all."""
    partition: Partition = Cyclic()

    def __post_init__(self) -> None:
        if self.factor < 2:
            raise ValueError(f"Downscaling.factor must be at least 2, got {self.factor}")
        check_names("Downscaling", "targets", self.targets, "predictors", self.predictors, self.transforms, self.bounds)

    def open(self) -> OpenedDownscaling:
        return OpenedDownscaling(self)

    def codec(self, recipe: Mapping[str, Any]) -> Codec:
        return DownscalingCodec(**recipe)


class OpenedDownscaling:
    """All times in memory as the network sees them, so that reading is cutting.

    Attributes:
        ports, codec, grid, patch: as `Opened`.
        factor: as `Coarsened`.
    """

    codec: Codec
    patch: tuple[int, ...] | None

    def __init__(self, spec: Downscaling) -> None:
        name, fields = type(spec.source).__name__, spec.source.open()
        found = read(name, fields, spec.targets + spec.predictors, region=spec.region)
        shape, count = found.grid.shape, len(spec.targets)
        check_patch("Downscaling", spec.patch, shape)
        check_domain("Downscaling", found, spec.targets + spec.predictors, spec.transforms)
        self._spec = spec
        self.grid, self.patch, self.factor = found.grid, spec.patch, spec.factor
        self._times, self._labels = found.times, found.labels
        self._items = self._partition(found, spec.partition)
        self._units = dict(zip(spec.targets, found.units, strict=False))
        self._truth = torch.from_numpy(found.values[:, :count])
        coarse = _coarsen(found, spec.factor)
        self._coarse = coarse[:, :count]

        mask = one_mask(found.valid[:count])
        still = channels(
            statics(name, fields, spec.static, region=spec.region), mask, self.grid, geometry=spec.geometry, factor=spec.factor
        )
        self._static, self._mask = torch.from_numpy(still)[None], torch.from_numpy(mask)[None]
        self._area = torch.from_numpy(self.grid.area().astype(np.float32))[None]
        self._calendar = torch.from_numpy(calendar(found.times, spec.calendar))

        self.codec = codec = DownscalingCodec(
            names=spec.targets + spec.predictors,
            targets=spec.targets,
            units=found.units[:count],
            transforms=spec.transforms,
            bounds=spec.bounds,
            target=spec.target,
            shape=shape,
        )
        train = np.array([item.index for item in self._items["train"]])
        coarse_up = self.interpolate(coarse, "bicubic")
        _fit(codec, found, coarse_up, train)
        with torch.no_grad():
            interpolated = codec.normalise(coarse_up)
            origin = torch.zeros((len(found.times), len(shape)), dtype=torch.int64)
            learnt = codec.learnt(self._truth, interpolated, origin)
            self._target = torch.where(self._mask & ~learnt.isnan(), learnt, 0.0)
            self._condition = torch.cat([interpolated, _lacking(codec, found, self._coarse, interpolated, train, spec.factor)], dim=1)
        inputs = self._condition.shape[1] + self._calendar.shape[1]
        self.ports = Ports(target=count, condition=inputs, static=self._static.shape[1], out=count, grid=self.grid)

    @staticmethod
    def _partition(found: Contents, partition: Partition) -> dict[Split, list[Item]]:
        chosen = partition.select(found.labels)
        items = {s: [Item(int(i), str(found.labels[i])) for i in np.flatnonzero(chosen[s] & found.present)] for s in SPLITS}
        if len(items["train"]) < 2:
            raise ValueError(f"Downscaling of {found.name} needs at least 2 training times, got {len(items['train'])}")
        return items

    def items(self, split: Split) -> Sequence[Item]:
        return self._items[split]

    def read(self, items: Sequence[Item], origins: Tensor | None = None) -> Batch:
        index = torch.tensor([item.index for item in items])
        size = self.grid.shape if origins is None else self.patch
        assert size is not None, "origins are of patches, and there is no patch size"
        origin = torch.zeros((len(items), len(size)), dtype=torch.int64) if origins is None else origins

        def own(x: Tensor) -> Tensor:
            return x[index] if origins is None else crop(x, origin, size, rows=index)

        def shared(x: Tensor) -> Tensor:
            return x if origins is None else crop(x, origin, size)

        season = self._calendar[index].view(len(items), -1, *(1,) * len(size)).expand(-1, -1, *size)
        return Batch(
            target=own(self._target),
            condition=torch.cat([own(self._condition), season], dim=1),
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
            raise ValueError(f"Ensemble.leads must be 1 for Downscaling, got {leads}")
        return ()

    def static(self, name: str) -> np.ndarray:
        """As `Charted`."""
        source = self._spec.source
        field: np.ndarray = statics(type(source).__name__, source.open(), (name,), region=self._spec.region)[0]
        return field

    def truth(self, item: Item) -> xr.Dataset:
        """Physical fields of the targets, dims *S, NaN where masked."""
        values = torch.where(self._mask[0], self._truth[item.index], torch.nan).numpy()
        fields = {name: (self.grid.dims, values[c], {"units": unit}) for c, (name, unit) in enumerate(self._units.items())}
        return xr.Dataset(fields, coords=coordinates(self.grid) | {"time": ((), self._times[item.index])})

    def coarse(self, items: Sequence[Item]) -> Tensor:
        return self._coarse[[item.index for item in items]]

    def interpolate(self, coarse: Tensor, method: Method) -> Tensor:
        return interpolate(coarse, self.factor, self.grid.shape, method=method, periodic_x=self.grid.periodic_x)


def _coarsen(found: Contents, factor: int) -> Tensor:
    """float32 [time, variable, *s]; NaN at times that are not present."""
    area = found.grid.area()
    means = [block_mean(found.values[:, v], factor, weights=area * valid) for v, valid in enumerate(found.valid)]
    return torch.from_numpy(np.stack(means, axis=1).astype(np.float32))


def _lacking(codec: DownscalingCodec, found: Contents, coarse: Tensor, interpolated: Tensor, train: np.ndarray, factor: int) -> Tensor:
    """What a prediction of zero lacks of each block's known mean, over its standard deviation in training, float32 [time, target, *S].

    The network could find out by averaging over blocks, which convolutions do badly. Zero in blocks without valid cells.
    """
    count, area = len(codec.targets), found.grid.area()
    base = codec.physical(interpolated).numpy()
    gaps = np.empty_like(base)
    for v in range(count):
        valid = found.valid[v]
        gap = coarse[:, v].numpy() - block_mean(base[:, v], factor, weights=area * valid)
        blocks = block_sum(valid.astype(np.float64), factor, dims=valid.ndim) > 0
        fine = expand(np.where(blocks, gap, 0.0), factor, found.grid.shape)
        gaps[:, v] = fine / max(float(fine[train][:, valid].std()), 1e-6)
    return torch.from_numpy(gaps)


def _fit(codec: DownscalingCodec, found: Contents, interpolated: Tensor, train: np.ndarray) -> None:
    """Fills the buffers of a codec from training times and valid cells, one variable at a time, in float64."""
    for v, name in enumerate(codec.names):
        here = torch.from_numpy(found.valid[v])
        forward = T.FORWARD[codec.transforms[v]]
        x = forward(torch.from_numpy(found.values[train, v]))
        codec.mean[v], codec.std[v] = moments(x[:, here].double(), name)
        if v >= len(codec.targets) or codec.target == "field":
            continue
        gap = (x - forward(interpolated[train, v])).double()
        if codec.target == "residual_anomaly":
            codec.residual_mean[v] = torch.where(here, gap.mean(0), 0.0)
            codec.residual_std[v] = moments((gap - gap.mean(0))[:, here], name)[1]
        else:
            codec.residual_mean[v, :], codec.residual_std[v] = moments(gap[:, here], name)
