"""A fine field from its coarse-grained self.

The coarse field is made from the fine one: area-weighted means over the valid cells of blocks of factor x factor cells (edge blocks may be
partial, blocks without valid cells are filled from the nearest). The network sees it interpolated back (bicubic, a = -0.75), with static
fields and the season, and learns the fine field or what the interpolation lacks.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from wxexp.datasets.checks import check_names, moments
from wxexp.datasets.codec import Bounds, Downscaled, DownscalingCodec
from wxexp.datasets.contents import Contents
from wxexp.datasets.memory import InMemory
from wxexp.datasets.partition import Cyclic, Partition
from wxexp.datasets.static import Geometry
from wxexp.datasets.times import Calendar
from wxexp.datasets.transforms import FORWARD, Transform
from wxexp.fields.interpolation import Method, block_mean, block_sum, expand, interpolate
from wxexp.interfaces import Batch, Codec, Dataset, Item, Ports, Source


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
    transforms: Mapping[str, Transform] = dataclasses.field(default_factory=dict)
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


class OpenedDownscaling(InMemory):
    """All times as the network sees them, so that reading is cutting.

    Attributes:
        factor: as `Coarsened`.
    """

    def __init__(self, spec: Downscaling) -> None:
        count = len(spec.targets)
        super().__init__(spec, spec.targets + spec.predictors, targets=count, region=spec.region, factor=spec.factor)
        found, self.factor = self._found, spec.factor
        self._items = self._split(spec.partition, lambda split, allowed: np.flatnonzero(allowed & found.present))
        coarse = _coarsen(found, spec.factor)
        self._coarse = coarse[:, :count]
        self.codec = codec = DownscalingCodec(
            names=spec.targets + spec.predictors,
            targets=spec.targets,
            units=found.units[:count],
            transforms=spec.transforms,
            bounds=spec.bounds,
            target=spec.target,
            shape=self.grid.shape,
        )
        train = self._times("train")
        coarse_up = self.interpolate(coarse, "bicubic")
        codec.standardise(found, train)
        _fit_residual(codec, found, coarse_up, train)
        with torch.no_grad():
            interpolated = codec.normalise(coarse_up)
            origin = torch.zeros((len(found.times), len(self.grid.shape)), dtype=torch.int64)
            learnt = codec.learnt(torch.from_numpy(found.values[:, :count]), interpolated, origin)
            self._target = torch.where(self._mask & ~learnt.isnan(), learnt, 0.0)
            self._condition = torch.cat([interpolated, _lacking(codec, found, self._coarse, interpolated, train, spec.factor)], dim=1)
        inputs = self._condition.shape[1] + self._calendar.shape[1]
        self.ports = Ports(target=count, condition=inputs, static=self._static.shape[1], out=count, grid=self.grid)

    def read(self, items: Sequence[Item], origins: Tensor | None = None) -> Batch:
        cut = self._cut(items, origins)
        condition = torch.cat([cut.own(self._condition), cut.spread(self._calendar[cut.index])], dim=1)
        return self._batch(items, cut, target=cut.own(self._target), condition=condition)

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


def _fit_residual(codec: DownscalingCodec, found: Contents, interpolated: Tensor, train: np.ndarray) -> None:
    """Fills the residual's buffers of a codec from training times and valid cells, one target at a time, in float64."""
    if codec.target == "field":
        return
    for v, name in enumerate(codec.targets):
        here = torch.from_numpy(found.valid[v])
        forward = FORWARD[codec.transforms[v]]
        gap = (forward(torch.from_numpy(found.values[train, v])) - forward(interpolated[train, v])).double()
        if codec.target == "residual_anomaly":
            codec.residual_mean[v] = torch.where(here, gap.mean(0), 0.0)
            codec.residual_std[v] = moments((gap - gap.mean(0))[:, here], name)[1]
        else:
            codec.residual_mean[v, :], codec.residual_std[v] = moments(gap[:, here], name)
