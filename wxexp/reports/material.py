"""What a report is made from, in memory or lazily opened, so that reports know nothing of how stages store their results."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import numpy as np
import xarray as xr

from wxexp.fields.grid import Grid
from wxexp.interfaces import Coarsened, Item, Opened, Row
from wxexp.reports.panels import blocks

Lookup = Callable[[Item], xr.Dataset | None]
"""Physical fields of an item, data variables [(lead_time,) *S]; None where there are none."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Material:
    """Everything a report shows. What is None or empty is left out of it.

    Attributes:
        title: of the page: the experiment's name.
        grid: of the fields.
        units: CF units by variable; its order is that of all pictures.
        items: the cases, in the order of the time axis of `members`.
        rows: of the score table.
        members: the opened store, (time, member, *S) or (init_time, member, lead_time, *S) per variable; read case by case.
        truth: physical truth of an item, `Opened.truth`.
        coarse: coarse input of an item as blocks on the fine grid, see `coarse_input`.
        maps: data variables (variable, [lead_time,] *S), such as `bias`, `crps`, `spread_skill`, `crps_bicubic`.
        ranks: counts (case, variable, [lead_time,] bin), optionally with a coordinate `block` [case].
        spectra: power (source, variable, [lead_time,] wavenumber), optionally with a coordinate `wavelength_km`.
        group_spectra: the same of each group of cells, by its name.
        exceedances: as `wxexp.reports.diagrams.exceedances` gives them.
        neighbourhoods: as `wxexp.reports.diagrams.neighbourhoods` gives them, with the attribute `cell_km` where cells have a size.
        histograms: by variable, as `wxexp.reports.diagrams.histograms` gives them.
        sizes: by variable, how many independent cases would tell as much as the cases do.
        history: rows of metrics.jsonl, {"step", "values", "context"}.
        record: the experiment's tree.
        provenance: versions, command, host and the like, by name.
        question: one or two sentences under the title.
        picks: places in `items` of the cases to show; None: those of median and of largest spread.
    """

    title: str
    grid: Grid
    units: Mapping[str, str]
    items: Sequence[Item] = ()
    rows: Sequence[Row] = ()
    members: xr.Dataset | None = None
    truth: Lookup | None = None
    coarse: Lookup | None = None
    maps: xr.Dataset | None = None
    ranks: xr.DataArray | None = None
    spectra: xr.DataArray | None = None
    group_spectra: Mapping[str, xr.DataArray] = dataclasses.field(default_factory=dict)
    exceedances: xr.Dataset | None = None
    neighbourhoods: xr.Dataset | None = None
    histograms: Mapping[str, xr.Dataset] = dataclasses.field(default_factory=dict)
    sizes: Mapping[str, float] = dataclasses.field(default_factory=dict)
    history: Sequence[Mapping[str, object]] = ()
    record: Mapping[str, object] = dataclasses.field(default_factory=dict)
    provenance: Mapping[str, object] = dataclasses.field(default_factory=dict)
    question: str = ""
    picks: Sequence[int] | None = None

    def __post_init__(self) -> None:
        if self.members is not None and self.members.sizes[self.time_axis] != len(self.items):
            raise ValueError(f"Material.items must be the {self.members.sizes[self.time_axis]} times of the members, got {len(self.items)}")

    @property
    def time_axis(self) -> str:
        """Name of the axis of cases in `members`."""
        assert self.members is not None
        return "init_time" if "init_time" in self.members.dims else "time"

    @property
    def size(self) -> int:
        """Members M; 0 where there are none."""
        return 0 if self.members is None else self.members.sizes["member"]

    @property
    def leads(self) -> tuple[float | None, ...]:
        """Lead times in hours that pictures show, the first and the last; (None,) where fields have none."""
        for data in (self.members, self.maps, self.ranks, self.spectra):
            if data is not None and "lead_time" in data.dims:
                hours = lead_hours(data["lead_time"].values)
                return tuple(dict.fromkeys((float(hours[0]), float(hours[-1]))))
        return (None,)

    def ensemble(self, place: int, variable: str, lead: float | None) -> np.ndarray:
        """[M, *S] of one case."""
        assert self.members is not None
        return np.asarray(at_lead(self.members[variable].isel({self.time_axis: place}), lead).transpose("member", ...).values)

    def field(self, lookup: Lookup | None, place: int, variable: str, lead: float | None) -> np.ndarray | None:
        """[*S] of one case from `truth` or `coarse`; None where there is none."""
        found = lookup(self.items[place]) if lookup is not None else None
        if found is None or variable not in found:
            return None
        return np.asarray(at_lead(found[variable], lead).values).reshape(self.grid.shape)


def lead_hours(values: np.ndarray) -> np.ndarray:
    """A lead_time coordinate, in hours or as timedelta64, as hours."""
    return values / np.timedelta64(1, "h") if np.issubdtype(values.dtype, np.timedelta64) else np.asarray(values, dtype=np.float64)


F = TypeVar("F", xr.DataArray, xr.Dataset)


def at_lead(field: F, lead: float | None) -> F:
    """The field at a lead time in hours; the only one, or the field itself, where it has no choice."""
    if "lead_time" not in field.dims:
        return field
    if lead is None or "lead_time" not in field.coords:
        return field.isel(lead_time=0)
    return field.isel(lead_time=int(np.abs(lead_hours(field["lead_time"].values) - lead).argmin()))


def coarse_input(opened: Opened) -> Lookup | None:
    """The coarse fields of a downscaling dataset as blocks on its fine grid; None for any other dataset."""
    if not isinstance(opened, Coarsened):
        return None
    coarsened, grid, names = opened, opened.grid, opened.codec.targets

    def look(item: Item) -> xr.Dataset:
        fields = blocks(coarsened.coarse([item])[0].numpy(), coarsened.factor, grid.shape)
        return xr.Dataset({name: (grid.dims, field) for name, field in zip(names, fields, strict=True)})

    return look
