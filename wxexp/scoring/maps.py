"""Scores of every cell over all cases.

A work item is one variable of one source: a worker goes through the cases in time order and adds to a few sums per cell, so its memory
does not grow with the number of times.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from wxexp.interfaces import Executor
from wxexp.scoring.cases import Cases, Members
from wxexp.scoring.engine import Arrays, Progress, WorkItem, run, text
from wxexp.scoring.files import Parts, replacing, write_zarr
from wxexp.scoring.plan import Tree
from wxexp.statistics.crps import pair_coefficient
from wxexp.statistics.point import CELL_COLUMNS

MAPS = ("bias", "mae", "rmse", "crps", "spread", "spread_skill")


class Mapper:
    """A worker: (source, variable) -> maps [lead, *S] by name."""

    def __init__(self, tree: Tree) -> None:
        self.cases = Cases(tree)

    def __call__(self, item: WorkItem, /) -> Arrays:
        from wxexp.statistics.kernel import add_cells

        plan = self.cases.plan
        source, variable = plan["sources"][item[0]], plan["variables"][item[1]]
        total = np.zeros((len(plan["leads"]), len(CELL_COLUMNS), *self.cases.area.shape))
        count = 0
        for case in range(len(plan["cases"])):
            truth = self.cases.truth(case)[0][item[1]]
            (members,) = self.cases.members(source, case, [variable])
            count = len(members)
            for l in range(len(total)):
                add_cells(total[l], truth[l], members[:, l])
        return finished(np.moveaxis(total, 1, 0), count)


def finished(total: np.ndarray, members: int) -> Arrays:
    """Maps from sums over cases [len(CELL_COLUMNS), ...]; NaN in cells without truth.

    `bias`, `mae`, `rmse` of the ensemble mean; `crps` fair, of one member its absolute error; `spread` the root of the mean variance and
    `spread_skill` its ratio to the RMSE times sqrt((M + 1) / M), both NaN for one member.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = dict(zip(CELL_COLUMNS[1:], total[1:] / total[0], strict=True))
        crps = mean["skill"] - (pair_coefficient(members) * mean["pairs"] if members > 1 else 0.0)
        rmse, spread = np.sqrt(mean["square"]), np.sqrt(mean["variance"])
        ratio = np.sqrt((members + 1) / members) * spread / rmse
    return dict(zip(MAPS, (mean["error"], mean["absolute"], rmse, crps, spread, ratio), strict=True))


def mapper(tree: Tree) -> Mapper:
    """The factory of workers."""
    return Mapper(tree)


def maps(*, tree: Tree, executor: Executor, out: Path, progress: Progress | None = None, in_flight: int = 8) -> None:
    """Writes `out`/maps.zarr, dims (source, variable[, lead_time], *S), of every source and variable of a plan; resumes like `score`."""
    store = out / "maps.zarr"
    if store.exists():
        return
    plan = tree["plan"]
    parts = Parts(out / "maps.parts", dict(plan))
    items = [(source, variable) for source in range(len(plan["sources"])) for variable in range(len(plan["variables"]))]
    run(mapper, tree, items, parts, executor=executor, progress=progress, in_flight=in_flight, what="mapping")
    members = Members(Path(tree["members"]), 1)
    example = members.data[plan["variables"][0]].isel({members.time: 0, "member": 0}, drop=True)
    dims = ("source", "variable", *example.dims)
    leading = (len(plan["sources"]), len(plan["variables"]))
    found = [parts.read(item) for item in items]
    data = {name: (dims, np.stack([part[name] for part in found]).reshape(*leading, *example.shape).astype(np.float32)) for name in MAPS}
    coords = {
        **example.coords,
        "source": text(plan["sources"]),
        "variable": text(plan["variables"]),
        "units": ("variable", text(plan["units"])),
    }
    with replacing(store) as temporary:
        write_zarr(temporary, xr.Dataset(data, coords=coords))
    parts.remove()
