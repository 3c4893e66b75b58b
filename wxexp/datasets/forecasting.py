"""The next states of a field from its past ones.

A window is `history` states and those that follow, `lead_hours` apart. It lies within one split, and touches no missing time: a window
that would cross one, or a hole in the time axis, is not there.
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
from wxexp.datasets.codec import Bounds, Evolved, ForecastingCodec
from wxexp.datasets.contents import Contents, coordinates, read, statics
from wxexp.datasets.partition import SPLITS, Fractions, Partition
from wxexp.datasets.patches import crop
from wxexp.datasets.static import Place, channels
from wxexp.datasets.times import Calendar, calendar, hours_between
from wxexp.interfaces import Batch, Codec, Dataset, Frame, Item, Ports, Source, Split


class Forecasting(Dataset):
    """States of `variables`, one step of `lead_hours` after another.

    `read` gives as condition the past states, oldest first, standardised, then forcings and calendar at the target time. An item's `time`
    is the initial time, its `lead_hours` and those of every frame are one step: a longer forecast is a chain of steps. The truth of an
    item has the dims (lead_time, *S).
    """

    source: Source
    variables: tuple[str, ...]
    lead_hours: float
    """Hours of one step; a multiple of the source's."""
    history: int = 1
    """Past states seen, the present one included."""
    target: Evolved = "tendency"
    """Learnt is the next state or its difference from the present one."""
    leads: int = 1
    """Steps for which every validation and test item has truth."""
    future: int = 0
    """Steps after the first that training batches hold, for rollout training."""
    stride: int = 1
    """Source times between initial times of validation and test items; training uses all."""
    forcings: tuple[str, ...] = ()
    """Variables of the source that are given at the target time."""
    calendar: tuple[Calendar, ...] = ()
    """What the network sees of the target time."""
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
    partition: Partition = Fractions()

    def __post_init__(self) -> None:
        for name, least in (("history", 1), ("leads", 1), ("future", 0), ("stride", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"Forecasting.{name} must be at least {least}, got {getattr(self, name)}")
        if self.lead_hours <= 0:
            raise ValueError(f"Forecasting.lead_hours must be positive, got {self.lead_hours}")
        check_names("Forecasting", "variables", self.variables, "forcings", self.forcings, self.transforms, self.bounds)

    def open(self) -> OpenedForecasting:
        return OpenedForecasting(self)

    def codec(self, recipe: Mapping[str, Any]) -> Codec:
        return ForecastingCodec(**recipe)


class OpenedForecasting:
    """All states in memory, standardised.

    Attributes:
        ports, codec, grid, patch: as `Opened`.
    """

    codec: Codec
    patch: tuple[int, ...] | None

    def __init__(self, spec: Forecasting) -> None:
        name, fields = type(spec.source).__name__, spec.source.open()
        found = read(name, fields, spec.variables + spec.forcings)
        check_patch("Forecasting", spec.patch, found.grid.shape)
        check_domain("Forecasting", found, spec.variables + spec.forcings, spec.transforms)
        count = len(spec.variables)
        self.grid, self.patch = found.grid, spec.patch
        self._spec, self._found = spec, found
        self._windows = _Windows(found, spec.lead_hours)
        self._items = self._partition(spec, found)

        mask = one_mask(found.valid[:count])
        still = channels(statics(name, fields, spec.static), mask, self.grid, geometry=spec.geometry)
        self._static, self._mask = torch.from_numpy(still)[None], torch.from_numpy(mask)[None]
        self._area = torch.from_numpy(self.grid.area().astype(np.float32))[None]
        self._calendar = torch.from_numpy(calendar(found.times, spec.calendar))

        self.codec = self._codec = ForecastingCodec(
            names=spec.variables + spec.forcings,
            targets=spec.variables,
            units=found.units[:count],
            transforms=spec.transforms,
            bounds=spec.bounds,
            target=spec.target,
            history=spec.history,
        )
        self._states, self._forcings = self._fit(found, count)
        inputs = spec.history * count + self._forcings.shape[1] + self._calendar.shape[1]
        self.ports = Ports(
            target=count, condition=inputs, static=self._static.shape[1], out=count, leads=(float(spec.lead_hours),), grid=self.grid
        )

    def _partition(self, spec: Forecasting, found: Contents) -> dict[Split, list[Item]]:
        chosen = spec.partition.select(found.labels)
        items: dict[Split, list[Item]] = {}
        for split in SPLITS:
            after = 1 + spec.future if split == "train" else max(1 + spec.future, spec.leads)
            starts = self._windows.starts(chosen[split], before=spec.history - 1, after=after)
            starts = starts if split == "train" else starts[:: spec.stride]
            items[split] = [Item(int(i), str(found.labels[i]), float(spec.lead_hours)) for i in starts]
        if len(items["train"]) < 2:
            raise ValueError(f"Forecasting of {found.name} needs at least 2 training times, got {len(items['train'])}")
        return items

    def _fit(self, found: Contents, count: int) -> tuple[Tensor, Tensor]:
        """Fills the codec from training windows; the standardised states and forcings of all times, 0 where there is none."""
        codec, step = self._codec, self._windows.step
        start = np.array([item.index for item in self._items["train"]])
        seen = np.unique([start, start + step])
        for v, name in enumerate(codec.names):
            x = T.FORWARD[codec.transforms[v]](torch.from_numpy(found.values[seen, v]))
            codec.mean[v], codec.std[v] = moments(x[:, torch.from_numpy(found.valid[v])].double(), name)
        with torch.no_grad():
            fields = codec.normalise(torch.from_numpy(found.values))
        for v, name in enumerate(codec.targets):
            change = (fields[start + step, v] - fields[start, v])[:, torch.from_numpy(found.valid[v])]
            codec.tendency_mean[v], codec.tendency_std[v] = moments(change.double(), f"the tendency of {name}")
        fields = torch.where(torch.from_numpy(found.valid)[None] & ~fields.isnan(), fields, 0.0)
        return fields[:, :count].contiguous(), fields[:, count:].contiguous()

    def items(self, split: Split) -> Sequence[Item]:
        return self._items[split]

    def read(self, items: Sequence[Item], origins: Tensor | None = None) -> Batch:
        index = torch.tensor([item.index for item in items])
        size = self.grid.shape if origins is None else self.patch
        assert size is not None, "origins are of patches, and there is no patch size"
        origin = torch.zeros((len(items), len(size)), dtype=torch.int64) if origins is None else origins

        def own(x: Tensor, at: Tensor) -> Tensor:
            return x[at] if origins is None else crop(x, origin, size, rows=at)

        def shared(x: Tensor) -> Tensor:
            return x if origins is None else crop(x, origin, size)

        step, h = self._windows.step, self._spec.history
        past = [own(self._states, index - back * step) for back in range(h - 1, -1, -1)]
        mask = shared(self._mask)
        hours = torch.tensor([item.lead_hours for item in items])

        def forcing(at: Tensor) -> Tensor:
            turn = self._calendar[at].view(len(items), -1, *(1,) * len(size)).expand(-1, -1, *size)
            return torch.cat([own(self._forcings, at), turn], dim=1)

        future = tuple(
            Frame(own(self._states, index + n * step), forcing(index + n * step), hours.clone()) for n in range(2, 2 + self._spec.future)
        )
        with torch.no_grad():
            learnt = self._codec.learnt(own(self._states, index + step), past[-1])
        return Batch(
            target=torch.where(mask, learnt, 0.0),
            condition=torch.cat([*past, forcing(index + step)], dim=1),
            static=shared(self._static),
            mask=mask,
            area=shared(self._area),
            lead_hours=hours,
            origin=origin,
            key=index.clone(),
            time=np.array([item.time for item in items]),
            future=future,
        )

    def frames(self, items: Sequence[Item], leads: int) -> Iterable[Frame]:
        """The leads - 1 steps after the first."""
        index, hours = torch.tensor([item.index for item in items]), torch.tensor([item.lead_hours for item in items])
        channels = self._forcings.shape[1] + self._calendar.shape[1]
        for n in range(2, leads + 1):
            at = index + n * self._windows.step
            if not channels:
                yield Frame(None, torch.zeros(len(items), 0, *self.grid.shape), hours)
                continue
            for item in items:
                if self._windows.reach(item.index, n) < n:
                    raise ValueError(f"there are no forcings {n * item.lead_hours:g} hours after {item.time}; see Forecasting.leads")
            turn = self._calendar[at].view(len(items), -1, *(1,) * len(self.grid.shape)).expand(-1, -1, *self.grid.shape)
            yield Frame(None, torch.cat([self._forcings[at], turn], dim=1), hours)

    def static(self, name: str) -> np.ndarray:
        """As `Charted`."""
        source = self._spec.source
        field: np.ndarray = statics(type(source).__name__, source.open(), (name,))[0]
        return field

    def truth(self, item: Item) -> xr.Dataset | None:
        """Physical states, dims (lead_time, *S), of at most `Forecasting.leads` steps; None where not even the first is there."""
        leads = self._windows.reach(item.index, self._spec.leads)
        if leads == 0:
            return None
        at = item.index + self._windows.step * np.arange(1, leads + 1)
        values = self._physical(at)
        dims = ("lead_time", *self.grid.dims)
        units = dict(zip(self.codec.targets, self.codec.units, strict=True))
        fields = {name: (dims, values[:, c], {"units": unit}) for c, (name, unit) in enumerate(units.items())}
        hours = self._spec.lead_hours * np.arange(1.0, leads + 1)
        lead = ("lead_time", hours, {"standard_name": "forecast_period", "units": "hours"})
        return xr.Dataset(fields, coords=coordinates(self.grid) | {"lead_time": lead, "init_time": ((), self._found.times[item.index])})

    def state(self, items: Sequence[Item]) -> Tensor:
        """Physical states at the initial times, [B, C, *S], NaN where masked."""
        return torch.from_numpy(self._physical(np.array([item.index for item in items])))

    def _physical(self, index: np.ndarray) -> np.ndarray:
        return np.where(self._mask.numpy(), self._found.values[index, : len(self.codec.targets)], np.nan)


class _Windows:
    """Runs of times that are one step apart, all present.

    Attributes:
        step: a step of the forecast in times of the source.
    """

    def __init__(self, found: Contents, lead_hours: float) -> None:
        hours = hours_between(np.repeat(found.times[:1], len(found.times)), found.times)
        least = float(np.diff(hours).min()) if len(hours) > 1 else lead_hours
        self.step = max(1, round(lead_hours / least))
        if abs(self.step * least - lead_hours) > 1e-3:
            raise ValueError(
                f"Forecasting.lead_hours must be a multiple of the {least:g} hours between times of {found.name}, got {lead_hours}"
            )
        self._linked = np.zeros(len(hours), dtype=bool)  # a time and the one a step later
        on_time = abs(hours[self.step :] - hours[: -self.step] - lead_hours) < 1e-3
        self._linked[: -self.step] = on_time & found.present[: -self.step] & found.present[self.step :]

    def starts(self, allowed: np.ndarray, *, before: int, after: int) -> np.ndarray:
        """Times with `before` steps before them and `after` after them, all in `allowed` (bool [time])."""
        k, n = self.step, len(allowed)
        links = self._linked.copy()
        links[: n - k] &= allowed[: n - k] & allowed[k:]
        found = np.ones(n, dtype=bool)
        for step in range(-before, after):
            at = np.arange(n) + step * k
            found &= (at >= 0) & (at < n) & links[at.clip(0, n - 1)]
        return np.flatnonzero(found)

    def reach(self, index: int, most: int) -> int:
        """Steps that can be made from a time, `most` at most."""
        made = 0
        while made < most and index + made * self.step < len(self._linked) and self._linked[index + made * self.step]:
            made += 1
        return made
