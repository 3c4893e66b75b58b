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

from wxexp.config import at_least
from wxexp.datasets.checks import check_names, moments
from wxexp.datasets.codec import Bounds, Evolved, ForecastingCodec
from wxexp.datasets.contents import Contents
from wxexp.datasets.memory import Cut, InMemory
from wxexp.datasets.partition import Fractions, Partition
from wxexp.datasets.static import Place
from wxexp.datasets.times import Calendar, hours_between
from wxexp.datasets.transforms import Transform
from wxexp.fields.grid import coordinates
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
    transforms: Mapping[str, Transform] = dataclasses.field(default_factory=dict)
    """By variable, before standardisation."""
    bounds: Mapping[str, Bounds] = dataclasses.field(default_factory=dict)
    """Least and greatest physical value by variable, None where unbounded."""
    patch: tuple[int, ...] | None = None
    """Size of random training patches. None: full fields."""
    partition: Partition = Fractions()

    def __post_init__(self) -> None:
        at_least(self, 1, "history", "leads", "stride")
        at_least(self, 0, "future")
        if self.lead_hours <= 0:
            raise ValueError(f"Forecasting.lead_hours must be positive, got {self.lead_hours}")
        check_names("Forecasting", "variables", self.variables, "forcings", self.forcings, self.transforms, self.bounds)

    def open(self) -> OpenedForecasting:
        return OpenedForecasting(self)

    def codec(self, recipe: Mapping[str, Any]) -> Codec:
        return ForecastingCodec(**recipe)


class OpenedForecasting(InMemory):
    """All states and forcings, standardised."""

    def __init__(self, spec: Forecasting) -> None:
        count = len(spec.variables)
        super().__init__(spec, spec.variables + spec.forcings, targets=count)
        self._spec, found = spec, self._found
        self._windows = _Windows(found, spec.lead_hours)

        def start(split: Split, allowed: np.ndarray) -> np.ndarray:
            after = 1 + spec.future if split == "train" else max(1 + spec.future, spec.leads)
            starts = self._windows.starts(allowed, before=spec.history - 1, after=after)
            return starts if split == "train" else starts[:: spec.stride]

        self._items = self._split(spec.partition, start, lead_hours=float(spec.lead_hours))
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

    def _fit(self, found: Contents, count: int) -> tuple[Tensor, Tensor]:
        """Fills the codec from training windows; the standardised states and forcings of all times, 0 where there is none."""
        codec, step, start = self._codec, self._windows.step, self._times("train")
        codec.standardise(found, np.unique([start, start + step]))
        with torch.no_grad():
            fields = codec.normalise(torch.from_numpy(found.values))
        for v, name in enumerate(codec.targets):
            change = (fields[start + step, v] - fields[start, v])[:, torch.from_numpy(found.valid[v])]
            codec.tendency_mean[v], codec.tendency_std[v] = moments(change.double(), f"the tendency of {name}")
        fields = torch.where(torch.from_numpy(found.valid)[None] & ~fields.isnan(), fields, 0.0)
        return fields[:, :count].contiguous(), fields[:, count:].contiguous()

    def read(self, items: Sequence[Item], origins: Tensor | None = None) -> Batch:
        cut, step, spec = self._cut(items, origins), self._windows.step, self._spec
        now, then = cut.index, cut.index + step
        past = [cut.own(self._states, now - back * step) for back in range(spec.history - 1, -1, -1)]
        hours = torch.tensor([item.lead_hours for item in items])
        future = tuple(
            Frame(cut.own(self._states, at), self._forcing(cut, at), hours.clone())
            for at in (now + n * step for n in range(2, 2 + spec.future))
        )
        with torch.no_grad():
            learnt = self._codec.learnt(cut.own(self._states, then), past[-1])
        batch = self._batch(items, cut, target=learnt, condition=torch.cat([*past, self._forcing(cut, then)], dim=1), future=future)
        batch.target = torch.where(batch.mask, learnt, 0.0)
        return batch

    def _forcing(self, cut: Cut, at: Tensor) -> Tensor:
        """What is given at times `at` [B]: forcings, then the calendar."""
        return torch.cat([cut.own(self._forcings, at), cut.spread(self._calendar[at])], dim=1)

    def frames(self, items: Sequence[Item], leads: int) -> Iterable[Frame]:
        """The leads - 1 steps after the first."""
        cut, hours = self._cut(items), torch.tensor([item.lead_hours for item in items])
        given = bool(self._forcings.shape[1] + self._calendar.shape[1])
        for n in range(2, leads + 1):
            if not given:
                yield Frame(None, torch.zeros(len(items), 0, *self.grid.shape), hours)
                continue
            for item in items:
                if self._windows.reach(item.index, n) < n:
                    raise ValueError(f"there are no forcings {n * item.lead_hours:g} hours after {item.time}; see Forecasting.leads")
            yield Frame(None, self._forcing(cut, cut.index + n * self._windows.step), hours)

    def truth(self, item: Item) -> xr.Dataset | None:
        """Physical states, dims (lead_time, *S), of at most `Forecasting.leads` steps; None where not even the first is there."""
        leads = self._windows.reach(item.index, self._spec.leads)
        if leads == 0:
            return None
        steps = np.arange(1, leads + 1)
        values = self._physical(item.index + self._windows.step * steps)
        lead = ("lead_time", self._spec.lead_hours * steps.astype(float), {"standard_name": "forecast_period", "units": "hours"})
        coords = coordinates(self.grid) | {"lead_time": lead, "init_time": ((), self._found.times[item.index])}
        return xr.Dataset(self._variables(values, ("lead_time", *self.grid.dims)), coords=coords)

    def state(self, items: Sequence[Item]) -> Tensor:
        """Physical states at the initial times, [B, C, *S], NaN where masked."""
        return torch.from_numpy(self._physical([item.index for item in items]))


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
