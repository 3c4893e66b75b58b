"""Truth, weights and members of one case, for whoever scores it."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import numpy as np
import xarray as xr

from wxexp.config import from_tree
from wxexp.experiment import Experiment
from wxexp.fields.seeds import Draws
from wxexp.interfaces import Item
from wxexp.scoring.plan import Tree


def hours(coordinate: xr.DataArray) -> list[float]:
    """Lead times in hours, from timedeltas or from numbers that are hours already."""
    values = coordinate.values
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
        data = xr.open_zarr(path, consolidated=False, chunks=None, decode_timedelta=False)
        if data.sizes["member"] < count:
            raise ValueError(f"{path} has {data.sizes['member']} members, {count} are to be scored")
        self.path, self.data = path, data.isel(member=slice(count))
        self.time = "init_time" if "init_time" in self.data.dims else "time"
        self.leads: list[float | None] = [*hours(self.data["lead_time"])] if "lead_time" in self.data.dims else [None]
        self._index = {instant(time): i for i, time in enumerate(self.data[self.time].values)}

    def read(self, time: str, variable: str) -> np.ndarray:
        """[M, lead, *S]; lead has size 1 where there is none."""
        if instant(time) not in self._index:
            raise ValueError(f"{self.path} has no members for {time}")
        x = self.data[variable].isel({self.time: self._index[instant(time)]}).values
        return np.asarray(x if self.leads != [None] else x[:, None])


class Cases:
    """What a worker holds open: the dataset, the members and the fitted baselines."""

    def __init__(self, tree: Tree) -> None:
        for package in tree["imports"]:
            import_module(package)
        experiment: Experiment = from_tree(tree["experiment"], Experiment)
        self.experiment, self.plan = experiment, tree["plan"]
        self.seed, self.baselines = experiment.ensemble.seed, experiment.scoring.baselines
        self.opened = experiment.dataset.open()
        self.forecast = Members(Path(tree["members"]), experiment.ensemble.members)
        self.fitted: dict[str, dict[str, np.ndarray]] = {}
        for name in self.baselines:
            with np.load(Path(tree["fitted"]) / f"{name}.npz", allow_pickle=False) as file:
                self.fitted[name] = dict(file)
        self.area = self.opened.grid.area()

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
            known = hours(truth["lead_time"])
            if lacking := [lead for lead in leads if lead not in known]:
                raise ValueError(f"the truth for {item.time} has no lead of {', '.join(map(str, lacking))} hours, but {known}")
            truth = truth.isel(lead_time=[known.index(lead) for lead in leads])  # type: ignore[arg-type]
        shape = (len(leads), *self.area.shape)
        fields = np.stack([np.reshape(truth[name].values, shape) for name in self.plan["variables"]]).astype(np.float32)
        mask = np.broadcast_to(mask, (len(fields), *self.area.shape))
        fields[np.broadcast_to(~mask[:, None], fields.shape)] = np.nan
        return fields, mask

    def members(self, source: str, case: int, variables: list[str] | None = None) -> list[np.ndarray]:
        """[M, lead, *S] of each variable."""
        names = self.plan["variables"] if variables is None else variables
        item = self.item(case)
        if source not in self.baselines:
            return [self.forecast.read(item.time, name) for name in names]
        draws = Draws.drawing(self.seed, [item.time]).of("baseline", source)
        x = self.baselines[source].members(self.fitted[source], self.opened, item, len(self.plan["leads"]), draws)
        return [x[:, :, self.plan["variables"].index(name)] for name in names]
