"""Truth and forecasts in datasets written by others, found by initial time and lead, one variable of one initial time at a time.

Cells are in the truth's order; forecasts are put into it, and into the truth's units.
"""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import xarray as xr

from wxexp.config.tree import suggest
from wxexp.fields.grid import Grid
from wxexp.scoring import matching
from wxexp.scoring.cases import instant
from wxexp.scoring.names import fields, flattened, level_of, renamed
from wxexp.scoring.units import conversion

Say = Callable[[str], None]
Place = tuple[int, int | None]
"""Of a field in a dataset: of its time, and of its lead."""
HOURS = 1e-3
"""Leads that differ by less are the same: float32 rounds 15 days to 3e-5."""


class Fields:
    """A dataset under our names.

    Args:
        data: as it was written.
        what: it is, in errors, such as "the truth".
    """

    def __init__(self, data: xr.Dataset, what: str) -> None:
        self.data, self.levels = flattened(renamed(data, what))
        self.what = what
        self.known = {time: i for i, time in enumerate(matching.labels(self.data, what))}
        self.times = self.data["time"].values
        self.hours = matching.lead_hours(self.data, what) if "lead_time" in self.data.dims else None

    def names(self, asked: Sequence[str], advice: str = "") -> list[str]:
        """Variables by name, each with all its levels; one at a single level has the name with the level too. ValueError for others."""
        for name in asked:
            base, _, level = name.rpartition("_")
            if name not in self.data.data_vars and base in self.data.data_vars and _text(level_of(self.data[base])) == level:
                self.data = self.data.rename({base: name})
            if name not in self.data.data_vars and name not in self.levels:
                there = [*map(str, self.data.data_vars), *self.levels]
                raise ValueError(f"there is no variable {name!r} in {self.what}{advice}{suggest(name, there)}")
        return [each for name in asked for each in ([name] if name in self.data.data_vars else self.levels[name])]

    def wanted(self, times: Iterable[object], leads: Sequence[float | None]) -> list[list[str]]:
        """Which of its own times hold the fields of initial times and leads: the initial time, or that at which the lead is over."""
        if self.hours is not None or leads == [None]:
            return [[instant(time)] * len(leads) for time in times]
        return [[matching.valid(time, lead) for lead in leads if lead is not None] for time in times]

    def steps(self, leads: Sequence[float | None]) -> list[int | None]:
        """The place of each lead; ValueError for one that is not there."""
        if self.hours is None:
            return [None] * len(leads)
        hours = [0.0 if lead is None else lead for lead in leads]
        near = [int(np.abs(np.subtract(self.hours, lead)).argmin()) for lead in hours]
        if lacking := [f"{lead:g}" for lead, at in zip(hours, near, strict=True) if abs(self.hours[at] - lead) > HOURS]:
            there = ", ".join(f"{lead:g}" for lead in self.hours)
            raise ValueError(f"there is no lead of {', '.join(lacking)} hours in {self.what}, but {there}")
        return [*near]

    def places(self, wanted: Sequence[str], steps: Sequence[int | None]) -> list[Place]:
        return [(self.known[time], step) for time, step in zip(wanted, steps, strict=True)]

    def read(self, name: str, places: Sequence[Place], dims: Sequence[str]) -> np.ndarray:
        """[lead, *dims]; leads of one time in one piece, and so times that follow each other."""
        try:
            return self._read(self.data[name].transpose("time", ..., *dims), places, dims)
        except (OSError, RuntimeError, ValueError, zlib.error) as error:
            of = f" in {source}" if (source := self.data.encoding.get("source")) else ""
            raise ValueError(f"{name} of {self.what}{of} cannot be read: {error}") from error

    def _read(self, field: xr.DataArray, places: Sequence[Place], dims: Sequence[str]) -> np.ndarray:
        (time, step), times = places[0], {time for time, _ in places}
        if step is None:
            if [at for at, _ in places] == list(range(time, time + len(places))):
                return np.asarray(field.isel(time=slice(time, time + len(places))).transpose("time", *dims).values)
            return np.stack([field.isel(time=at).transpose(*dims).values for at, _ in places])
        steps = [step for _, step in places]
        if len(times) == 1 and steps == list(range(self.data.sizes["lead_time"])):
            return np.asarray(field.isel(time=time).transpose("lead_time", *dims).values)
        return np.stack([field.isel(time=time, lead_time=step).transpose(*dims).values for time, step in places])


class Truth(Fields):
    """What happened: no members, and no leads, or the same as the forecasts."""

    def __init__(self, data: xr.Dataset) -> None:
        super().__init__(data, "the truth")
        if self.data.sizes.get("member") == 1:
            self.data = self.data.isel(member=0, drop=True)
        if self.hours == [0.0]:  # an analysis
            self.data, self.hours = self.data.isel(lead_time=0, drop=True), None
        if "member" in self.data.dims:
            raise ValueError(f"the truth has {self.data.sizes['member']} members")

    def grid(self, dims: Sequence[str]) -> Grid:
        return matching.grid(self.data, dims, self.what)

    def area(self, dims: Sequence[str]) -> np.ndarray:
        """Weights of cells, mean 1; of means along circles of latitude those of the circles."""
        area = self.grid(dims).area()
        return area[:, 0] if tuple(dims) == ("lat",) else area

    def seen(self, name: str, places: Iterable[Sequence[Place]], dims: Sequence[str], say: Say) -> np.ndarray:
        """Cells that have a value at some time, bool *S; `say` is told how many values are NaN."""
        seen, lost, size = np.zeros([self.data.sizes[dim] for dim in dims], dtype=bool), 0, 0
        for each in places:
            there = ~np.isnan(self.read(name, each, dims))
            seen |= there.any(axis=0)
            lost, size = lost + int(there.size - there.sum()), size + there.size
        if not seen.any():
            raise ValueError(f"the truth of {name} is NaN at every time and place to be scored")
        if lost:
            always = int((~seen).sum())
            say(
                f"{lost} of {size} values of the truth of {name} are NaN and have no weight"
                f" ({always} cells are NaN always){_zeros(self.data[name])}"
            )
        return seen

    def static(self, name: str, dims: Sequence[str]) -> np.ndarray:
        """A field without a time."""
        there = [str(key) for key, x in self.data.variables.items() if set(x.dims) == set(dims)]
        if name not in there:
            raise ValueError(f"the truth has no field {name!r} by {', '.join(dims)} alone{suggest(name, there)}")
        return np.asarray(self.data[name].transpose(*dims).values)


class Forecasts(Fields):
    """Members, or a single forecast.

    Attributes:
        count: of members.
        variables: that are scored.
        units: of each, those of the truth.
        dims: of *S, in the truth's order.

    Args:
        data: as it was written.
        truth: it is to be matched with.
        variables: to score. None: all.
        what: it is, in errors.

    Raises:
        ValueError: for names, levels, units or places that do not match those of the truth.
    """

    def __init__(self, data: xr.Dataset, truth: Truth, variables: Sequence[str] | None, what: str) -> None:
        super().__init__(data, what)
        if "member" not in self.data.dims:
            self.data = self.data.expand_dims("member")
        self.count = self.data.sizes["member"]
        self.variables = fields(self.data) if variables is None else self.names(variables)
        if not self.count or not len(self.times):
            raise ValueError(f"there is nothing to score: {what} are {self.count} at {len(self.times)} times")
        if variables is not None and not self.variables:
            raise ValueError("there is no variable to score: variables is empty")
        if not self.variables:
            raise ValueError(
                f"there is no variable with a time and a place to score in {what}, but {', '.join(map(str, self.data.data_vars))}"
            )
        self.variables = self.names([self._leveled(name, truth) for name in self.variables])
        truth.names(self.variables, " (name the variables to score, and others are left out)" if variables is None else "")
        if repeated := [name for i, name in enumerate(self.variables) if name in self.variables[:i]]:
            raise ValueError(f"variables has {repeated[0]!r} twice")
        self.units, self._convert = list[str](), dict[str, tuple[float, float]]()
        every = {self._matched(name, truth.data[name], self.data[name]) for name in self.variables}
        if len(every) > 1:
            raise ValueError(f"variables have different dimensions: {'; '.join(', '.join(dims) for dims in sorted(every))}")
        self.dims = every.pop()
        self._order = matching.order(truth.data, self.data, self.dims, what)
        self._straight = all(np.array_equal(places, np.arange(len(places))) for places in self._order)

    def _leveled(self, name: str, truth: Truth) -> str:
        """A single level by the name that it has in truth of several."""
        if name in truth.data.data_vars or name not in truth.levels:
            return name
        level = _text(level_of(self.data[name]))
        if not level:
            raise ValueError(f"{name} has levels in the truth, {', '.join(truth.levels[name])}, and {self.what} do not say which they are")
        return f"{name}_{level}"

    def _matched(self, name: str, y: xr.DataArray, x: xr.DataArray) -> tuple[str, ...]:
        """The dims of a variable; notes its units."""
        if (own := level_of(x)) is not None and (other := level_of(y)) is not None and not np.isclose(own, other):
            raise ValueError(f"{name} is at level {other:g} in the truth and at level {own:g} in {self.what}")
        units, theirs = str(y.attrs.get("units", "")), str(x.attrs.get("units", ""))
        if (found := conversion(theirs, units)) is None:
            given = f"{name} is in {units or 'no units'} in the truth and in {theirs or 'no units'} in {self.what}"
            lacking = "" if units and theirs else f"; set the attribute units of {name}"
            raise ValueError(f"{given}{lacking or ', which are not known to be convertible'}")
        self.units.append(units)
        self._convert[name] = found
        dims = tuple(str(dim) for dim in y.dims if dim not in ("time", "lead_time"))
        others = [str(dim) for dim in x.dims if dim not in ("time", "lead_time", "member")]
        if set(dims) != set(others) or not dims:
            raise ValueError(
                f"{name} has dimensions {', '.join(dims) or 'none'} in the truth and {', '.join(others)} in {self.what}, besides time"
            )
        if len(dims) > 2:
            raise ValueError(f"{name} has dimensions {', '.join(dims)}, at most 2 can be scored: select one of each other first")
        if len(dims) == 2 and len({"lat", "lon"} & set(dims)) == 1:
            raise ValueError(
                f"{name} has dimensions {', '.join(dims)}, of which only one is known to be a latitude or longitude: call the other so,"
                " or give it the units degrees_north or degrees_east"
            )
        for data, has in ((y, "the truth"), (x, self.what)):
            if "time" not in data.dims:
                raise ValueError(f"{name} has no time in {has}")
        return ("lat", "lon") if set(dims) == {"lat", "lon"} else dims

    def members(self, name: str, places: Sequence[Place]) -> np.ndarray:
        """float32 [M, lead, *S], in the order and units of the truth."""
        x = self.read(name, places, ("member", *self.dims)).swapaxes(0, 1)
        if not self._straight:
            at: tuple[slice | np.ndarray, ...] = (slice(None), slice(None), *np.ix_(*self._order))
            x = x[at]
        factor, offset = self._convert[name]
        if (factor, offset) != (1.0, 0.0):
            x = x * factor + offset
        return np.asarray(x, dtype=np.float32)

    def missing(self, name: str, time: str, leads: Sequence[float | None], x: np.ndarray, scored: np.ndarray) -> int:
        """How many values [M, lead, *S] are NaN where they are `scored` [lead, *S].

        Raises:
            ValueError: for a member that is NaN in all of these cells: it was not written.
        """
        lost = np.isnan(x) & scored
        if not lost.any():
            return 0
        cells = tuple(range(2, lost.ndim))
        gone = (lost.sum(axis=cells) == scored.sum(axis=tuple(range(1, scored.ndim)))) & scored.any(axis=tuple(range(1, scored.ndim)))
        if gone.any():
            raise ValueError(
                f"{self._named(gone.any(axis=1))} of {name} at {time}{_at(gone.any(axis=0), leads)} is missing: NaN in every cell"
            )
        return int(lost.sum())

    def _named(self, which: np.ndarray) -> str:
        """Members, by their own numbers."""
        names = self.data["member"].values if "member" in self.data.coords else np.arange(self.count)
        of = "" if self.what == "the members" else f" of {self.what}"
        if self.count == 1:
            return f"the forecast{of}"
        return f"every member{of}" if which.all() else f"member {', '.join(map(str, names[which]))}{of}"

    def say_missing(self, name: str, lost: int, size: int, say: Say) -> None:
        """That scores will be NaN."""
        if lost:
            say(
                f"{lost} of {size} values of {self.what} of {name} are NaN where there is truth, and make its scores NaN"
                f"{_zeros(self.data[name])}"
            )


def _text(level: float | None) -> str:
    return "" if level is None else f"{level:g}"


def _at(gone: np.ndarray, leads: Sequence[float | None]) -> str:
    """Leads, where not all are meant."""
    return "" if gone.all() else f" +{', '.join(f'{lead:g}' for lead, lost in zip(leads, gone, strict=True) if lost)} h"


def _zeros(x: xr.DataArray) -> str:
    """What a store of zarr version 2 that says nothing else takes for missing."""
    return "; its fill value is 0, so every 0 in the file is read as NaN" if x.encoding.get("_FillValue") == 0 else ""


@dataclasses.dataclass(frozen=True)
class Chart:
    """What subsets ask of an opened dataset, of truth written by others."""

    truth: Truth
    dims: tuple[str, ...]

    @property
    def grid(self) -> Grid:
        found = self.truth.grid(self.dims)
        return Grid("cells", found.lat, np.full(found.shape[0], np.nan)) if self.dims == ("lat",) else found  # circles are at no longitude

    def static(self, name: str) -> np.ndarray:
        return self.truth.static(name, self.dims)
