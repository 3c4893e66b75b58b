"""Truth, weights and members of cases, for whoever scores them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path

import numpy as np
import xarray as xr

from wxexp.config import from_tree
from wxexp.experiment import Experiment
from wxexp.fields.seeds import Draws
from wxexp.interfaces import Item, Tiles
from wxexp.scoring import groups
from wxexp.scoring.files import read_arrays
from wxexp.scoring.plan import FORECAST, Coordinate, Tree


def hours(values: np.ndarray) -> list[float]:
    """Lead times in hours, from timedeltas or from numbers that are hours already."""
    return [float(v) for v in (values / np.timedelta64(1, "s") / 3600.0 if values.dtype.kind == "m" else values)]


def instant(time: object) -> str:
    """A time in one spelling: of an ISO string, a datetime64 or a cftime."""
    text = time.isoformat() if hasattr(time, "isoformat") else str(time)
    try:
        return str(np.datetime64(text, "s"))
    except ValueError:  # a date that only other calendars have
        return text


class Members:
    """A members.zarr, read one variable of one initial time at a time.

    Args:
        path: of the store.
        count: how many members to read, the first ones; a store may have more.

    Raises:
        ValueError: if it has fewer.
    """

    def __init__(self, path: Path, count: int) -> None:
        data = xr.open_zarr(path, consolidated=False, chunks=None, decode_timedelta=False, zarr_format=3)
        if data.sizes["member"] < count:
            raise ValueError(f"{path} has {data.sizes['member']} members, {count} are to be scored")
        self.path, self.data = path, data.isel(member=slice(count))
        self.time = "init_time" if "init_time" in self.data.dims else "time"
        self.leads: list[float | None] = [*hours(self.data["lead_time"].values)] if "lead_time" in self.data.dims else [None]
        self.coordinates: dict[str, Coordinate] = {
            str(name): (tuple(map(str, x.dims)), x.values, x.attrs)
            for name, x in self.data.coords.items()
            if x.dims and self.time not in x.dims and "member" not in x.dims
        }
        self._index = {instant(time): i for i, time in enumerate(self.data[self.time].values)}

    def read(self, time: str, variable: str) -> np.ndarray:
        """[M, lead, *S]; lead has size 1 where there is none."""
        if instant(time) not in self._index:
            raise ValueError(f"{self.path} has no members for {time}")
        x = self.data[variable].isel({self.time: self._index[instant(time)]}).values
        return np.asarray(x if self.leads != [None] else x[:, None])


class Cases:
    """What a worker holds open: the dataset, the members where they are stored, and the fitted baselines."""

    def __init__(self, tree: Tree) -> None:
        for package in tree["imports"]:
            import_module(package)
        experiment: Experiment = from_tree(tree["experiment"], Experiment)
        self.experiment, self.plan = experiment, tree["plan"]
        self.seed, self.baselines = experiment.ensemble.seed, experiment.scoring.baselines
        self.opened = experiment.dataset.open()
        path = tree["members"]
        self.forecast = None if path is None else Members(Path(path), experiment.ensemble.members)
        self.fitted: dict[str, dict[str, np.ndarray]] = {}
        for name in self.baselines:
            self.fitted[name] = read_arrays(Path(tree["fitted"]) / f"{name}.npz")
        self.area = self.opened.grid.area()
        self.groups = np.stack(list(groups.cells(experiment.scoring.groups, self.opened).values()))
        """Which cells belong to each, bool [group, *S]."""

    def item(self, case: int) -> Item:
        return Item(**self.plan["cases"][case])

    def truth(self, case: int) -> tuple[np.ndarray, np.ndarray]:
        """(float32 [variable, lead, *S], NaN where masked or missing; mask bool [variable, *S])."""
        item = self.item(case)
        truth = self.opened.truth(item)
        if truth is None:
            raise ValueError(f"there is no truth for {item.time}")
        mask = self.opened.read([item]).mask.numpy()[0]
        leads = self.plan["leads"]
        if leads != [None]:
            known = hours(truth["lead_time"].values)
            if lacking := [lead for lead in leads if lead not in known]:
                raise ValueError(f"the truth for {item.time} has no lead of {', '.join(map(str, lacking))} hours, but {known}")
            truth = truth.isel(lead_time=[known.index(lead) for lead in leads])  # type: ignore[arg-type]
        shape = (len(leads), *self.area.shape)
        fields = np.stack([np.reshape(truth[name].values, shape) for name in self.plan["variables"]]).astype(np.float32)
        mask = np.broadcast_to(mask, (len(fields), *self.area.shape))
        fields[np.broadcast_to(~mask[:, None], fields.shape)] = np.nan
        return fields, mask

    def members(self, source: str, cases: Sequence[int], tiles: Tiles | None = None) -> Iterator[tuple[int, int, np.ndarray]]:
        """(case, variable, [M, lead, *S]) for each of the cases and variables; the cases of a variable come in their order.

        Members of the forecast come from where they are stored, or from `tiles`: variable -> [m, lead, *S] of each chunk of members, all
        chunks of a case before those of the next.
        """
        if source != FORECAST:
            baseline, fitted = self.baselines[source], self.fitted[source]
            for case in cases:
                item = self.item(case)
                draws = Draws.drawing(self.seed, [item.time]).of("baseline", source)
                x = baseline.members(fitted, self.opened, item, len(self.plan["leads"]), draws)
                yield from ((case, v, x[:, :, v]) for v in range(len(self.plan["variables"])))
            return
        for v, name in enumerate(self.plan["variables"]):
            chunks = None if tiles is None else list(tiles(v))
            for place, case in enumerate(cases):
                if chunks is None:
                    assert self.forecast is not None, "members that are not stored come as tiles"
                    yield case, v, self.forecast.read(self.plan["cases"][case]["time"], name)
                else:
                    each = len(chunks) // len(cases)
                    yield case, v, self._joined(chunks[place * each : (place + 1) * each])

    def _joined(self, chunks: Sequence[np.ndarray]) -> np.ndarray:
        count, drawn = self.experiment.ensemble.members, sum(map(len, chunks))
        if drawn < count:
            raise ValueError(f"{drawn} members were drawn, {count} are to be scored")
        return np.concatenate(chunks)[:count]
