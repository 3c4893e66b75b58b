"""What an experiment knows of the world: sources, datasets, batches, codecs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn

from wxexp.config import Spec
from wxexp.fields.grid import Grid

if TYPE_CHECKING:
    import xarray as xr

Split = Literal["train", "valid", "test"]


@dataclasses.dataclass(frozen=True)
class Variable:
    """A field of a source; `level_hpa` is None at the surface."""

    name: str
    units: str
    role: Literal["prognostic", "diagnostic", "forcing", "static", "target"]
    level_hpa: float | None = None


@dataclasses.dataclass(frozen=True)
class Statistics:
    """Mean and standard deviation over valid cells and training times, physical units."""

    mean: float
    std: float


@dataclasses.dataclass(frozen=True)
class Fields:
    """An opened source.

    Attributes:
        data: dims (time[, lead], *S) in physical units, static fields (*S); levels flattened to names like t_850; `attrs["units"]` set.
        variables: by name.
        grid: of the last dims of `data`.
        present: bool [time]; False is a missing date, which windows never touch.
        statistics: the file's own, if any.
    """

    data: xr.Dataset
    variables: Mapping[str, Variable]
    grid: Grid
    present: np.ndarray
    statistics: Mapping[str, Statistics] | None = None


class Source(Spec):
    """One on-disk layout."""

    registry: ClassVar[str] = "wxexp.datasets.sources"

    def open(self) -> Fields:
        """Lazy; errors of disk and network name the path."""
        raise NotImplementedError

    def identity(self) -> str:
        """Checksum, or store id with size and time: part of the train fingerprint."""
        raise NotImplementedError


@dataclasses.dataclass(frozen=True)
class Item:
    """An initial time of a dataset: its index in the source, ISO time, and lead of the (first) target."""

    index: int
    time: str
    lead_hours: float = 0.0


@dataclasses.dataclass
class Frame:
    """A later step of a rollout; `state` (normalised, [B, C, *S]) is None in drawing."""

    state: Tensor | None
    forcing: Tensor
    lead_hours: Tensor


@dataclasses.dataclass
class Batch:
    """Samples as the objectives see them.

    Attributes:
        target: [B, C, *S]; None where there is no truth.
        condition: [B, D, *S]: history oldest first, forcings at the target time, interpolated coarse field.
        static: [1|B, E, *S].
        mask: bool [1|B, 1|C, *S].
        area: [1|B, *S], mean 1 over the full field.
        lead_hours: [B].
        origin: int64 [B, dims], first cell of the patch in the full field.
        key: int64 [B]: place in the training stream, step * batch_size + place; in valid and test the item's index.
        time: [B] ISO strings.
        future: frames of later steps, for rollout training.
        extra: cached mean, probability channels, labels. A tensor is a field iff ndim == dims + 2, and is cropped with a patch.
    """

    target: Tensor | None
    condition: Tensor
    static: Tensor
    mask: Tensor
    area: Tensor
    lead_hours: Tensor
    origin: Tensor
    key: Tensor
    time: np.ndarray
    future: tuple[Frame, ...] = ()
    extra: Mapping[str, Tensor] = dataclasses.field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.condition)

    @property
    def size(self) -> tuple[int, ...]:
        """*S."""
        return tuple(self.condition.shape[2:])

    def map(self, f: Callable[[Tensor], Tensor], *, shared: Callable[[Tensor], Tensor] | None = None) -> Batch:
        """Every tensor through `f`; those that may have one row for all samples (static, mask, area) through `shared`."""
        g = shared or f

        def maybe(x: Tensor | None) -> Tensor | None:
            return None if x is None else f(x)

        return dataclasses.replace(
            self,
            target=maybe(self.target),
            condition=f(self.condition),
            static=g(self.static),
            mask=g(self.mask),
            area=g(self.area),
            lead_hours=f(self.lead_hours),
            origin=f(self.origin),
            key=f(self.key),
            future=tuple(Frame(maybe(a.state), f(a.forcing), f(a.lead_hours)) for a in self.future),
            extra={name: f(x) for name, x in self.extra.items()},
        )

    def rows(self, index: Tensor) -> Batch:
        """Rows by index; tensors whose first size is 1 for all samples stay so."""

        def own(x: Tensor) -> Tensor:
            return x[index.to(x.device)]

        def shared(x: Tensor) -> Tensor:
            return x if len(x) == 1 and len(self) > 1 else own(x) if len(x) == len(self) > 1 else x

        out = self.map(own, shared=shared)
        out.time = self.time[index.cpu().numpy()]
        return out

    def repeat(self, m: int) -> Batch:
        """Every row m times, b-major: B -> B * m."""
        return self if m == 1 else self.rows(torch.arange(len(self)).repeat_interleave(m))

    def __getitem__(self, rows: slice) -> Batch:
        return self.rows(torch.arange(len(self))[rows])

    def to(self, device: torch.device) -> Batch:
        return self.map(lambda x: x.to(device))


class Codec(nn.Module):
    """Between physical units and the space of the network; statistics are buffers, so every checkpoint has them, readable.

    Attributes:
        targets: names of the target channels, in order.
        units: of each target.
    """

    targets: tuple[str, ...]
    units: tuple[str, ...]

    def recipe(self) -> Mapping[str, Any]:
        """Plain JSON values from which `Dataset.codec` allocates an equal module; a checkpoint holds it beside the buffers."""
        raise NotImplementedError

    def encode(self, name: str, x: Tensor) -> Tensor:
        """A physical field of variable `name`, normalised."""
        raise NotImplementedError

    def decode(self, y: Tensor, batch: Batch) -> Tensor:
        """Prediction [N, C, *S] -> physical: adds the interpolated field or last state, applies bounds."""
        raise NotImplementedError

    def advance(self, batch: Batch, y: Tensor, frame: Frame) -> Batch:
        """The whole next batch (history, forcing, lead, and target re-expressed from the new state); rows match y, differentiable."""
        raise NotImplementedError


@dataclasses.dataclass(frozen=True)
class Ports:
    """Channel counts that a network is built for, derived from the opened dataset and altered by objectives.

    Attributes:
        target: channels of the noisy state that goes in (0: none).
        condition: channels of `Inputs.condition`.
        static: channels of `Inputs.static`.
        out: channels that come out.
        level: size of the noise conditioning (0: none).
        latent: size of the latent vector (0: none).
        leads: the lead times in hours the network will see.
        grid: the full grid.
    """

    target: int
    condition: int
    static: int
    out: int
    level: int = 0
    latent: int = 0
    leads: tuple[float, ...] = ()
    grid: Grid | None = None


class Opened(Protocol):
    """An opened dataset."""

    ports: Ports
    codec: Codec
    grid: Grid
    patch: tuple[int, ...] | None
    """Size of training patches; None: full fields."""

    def items(self, split: Split) -> Sequence[Item]:
        """In order of time."""
        ...

    def read(self, items: Sequence[Item], origins: Tensor | None = None) -> Batch:
        """CPU tensors; `origins` int64 [B, dims] cuts patches; `target` is filled wherever there is truth; `key` is the items' index."""
        ...

    def frames(self, items: Sequence[Item], leads: int) -> Iterable[Frame]:
        """Forcings of the leads - 1 steps after the first, for drawing (state None)."""
        ...

    def truth(self, item: Item) -> xr.Dataset | None:
        """Physical, dims (lead_time, *S), or *S where there are no leads, with coordinates; None: there is none."""
        ...


@runtime_checkable
class Coarsened(Protocol):
    """What an opened downscaling dataset has beside: its input."""

    factor: int

    def coarse(self, items: Sequence[Item]) -> Tensor:
        """Physical block means [B, C, h, w], cells without valid ones filled from the nearest."""
        ...

    def interpolate(self, coarse: Tensor, method: Literal["bilinear", "bicubic"]) -> Tensor:
        """[B, C, h, w] -> [B, C, H, W], `align_corners=False`, bicubic a = -0.75."""
        ...


@runtime_checkable
class Evolving(Protocol):
    """What an opened forecasting dataset has beside: its initial state."""

    def state(self, items: Sequence[Item]) -> Tensor:
        """Physical [B, C, *S], NaN where masked."""
        ...


@runtime_checkable
class Charted(Protocol):
    """What an opened dataset has beside, where its source has static fields."""

    def static(self, name: str) -> np.ndarray:
        """A static field of the source, whether or not the network sees it: physical *S, NaN where there is none.

        Raises ValueError where there is none of that name.
        """
        ...


class Dataset(Spec):
    """What is to be predicted from what."""

    registry: ClassVar[str] = "wxexp.datasets"

    def open(self) -> Opened:
        """Reads what it needs of the source; errors in the data (an all-NaN variable, unsorted times) are ValueErrors that name it."""
        raise NotImplementedError

    def codec(self, recipe: Mapping[str, Any]) -> Codec:
        """An empty codec to load buffers into, without opening the data."""
        raise NotImplementedError
