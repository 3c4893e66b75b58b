"""The stores of a scored run from the parts that workers made: sums of every case, and scores of every cell over all cases."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from wxexp.config import from_tree
from wxexp.experiment import Experiment
from wxexp.interfaces import Statistic
from wxexp.scoring.files import Parts, replacing, write_zarr
from wxexp.scoring.maps import chosen, values_of_cells
from wxexp.scoring.plan import FORECAST, Plan, Tree, blocks, statistics
from wxexp.scoring.totals import Totals
from wxexp.statistics.crps import pair_coefficient
from wxexp.statistics.point import CELL_COLUMNS

Arrays = dict[str, np.ndarray]

MEMBERS, MISSING, MAPS = "members", "missing", "maps"
"""Names of what is no sum of a statistic in a part: numbers of members, of values without truth, and sums of every cell by variable."""

SCORES = ("bias", "mae", "rmse", "crps", "spread", "spread_skill")
"""Of every cell."""

log = logging.getLogger(__name__)


def write_scores(path: Path, tree: Tree, parts: Parts) -> None:
    """scores.zarr: a group for each source, its attributes `members` and, by variable, `missing`, the values without truth."""
    plan = tree["plan"]
    needed = statistics(from_tree(tree["experiment"], Experiment))
    with replacing(path) as temporary:
        write_zarr(temporary, xr.Dataset(attrs={"plan": dict(plan)}))
        for source, name in enumerate(plan["sources"]):
            found = [parts.read((source, block)) for block in range(len(blocks(plan)))]
            arrays = {key: np.concatenate([each[key] for each in found]) for key in found[0]}
            if name == FORECAST:
                _say(arrays[MISSING], plan)
            write_zarr(temporary, _dataset(arrays, plan, needed), group=name)


def _say(missing: np.ndarray, plan: Plan) -> None:
    for v, name in enumerate(plan["variables"]):
        if lost := int(missing[..., v].sum()):
            log.warning("%d values of the truth of %s are NaN where it is scored, and have no weight", lost, name)


def _dataset(arrays: Arrays, plan: Plan, needed: dict[str, Statistic]) -> xr.Dataset:
    """Results of all cases of a source, in time order; a dim of another size than the first of its name is `name_size`."""
    data, sizes = {}, dict[str, int]()
    for key, values in arrays.items():
        if key not in (MEMBERS, MISSING):
            statistic, _, name = key.partition("/")
            names = zip(needed[statistic].dims.get(name, ()), values.shape[4:], strict=True)
            extra = [dim if sizes.setdefault(dim, size) == size else f"{dim}_{size}" for dim, size in names]
            data[f"{statistic}.{name}"] = (("case", "lead", "variable", "group", *extra), values)
    counts = np.unique(arrays[MEMBERS]).tolist()
    if len(counts) > 1:
        raise ValueError(f"the number of members differs between cases: {counts}")
    coords = {
        "time": ("case", _times(plan)),
        "index": ("case", [case["index"] for case in plan["cases"]]),
        "lead_hours": ("lead", np.array([np.nan if lead is None else lead for lead in plan["leads"]])),
        "variable": _text(plan["variables"]),
        "group": _text(plan["groups"]),
    }
    missing = dict(zip(plan["variables"], arrays[MISSING].sum(axis=(0, 1)).tolist(), strict=True))
    return xr.Dataset(data, coords=coords, attrs={"members": counts[0], "missing": missing})


def write_maps(path: Path, tree: Tree, parts: Parts, totals: Sequence[Totals]) -> None:
    """maps.zarr, dims (source, variable[, lead_time], *S): `SCORES`, and the metrics that the plan has maps of, by the names of rows.

    `units` are those of variables; a map that has none, or others, has them as its attribute.
    """
    plan = tree["plan"]
    places = {name: xr.Variable(*coordinate) for name, coordinate in tree["coordinates"].items()}
    leads = () if plan["leads"] == [None] else ("lead_time",)
    dims, at = ("source", "variable", *leads, *tree["dims"]), slice(None) if leads else 0
    members = [int(parts.read((source, 0))[MEMBERS][0]) for source in range(len(totals))]
    found: dict[str, list[list[np.ndarray]]] = {name: [] for name in SCORES}
    for total, count in zip(totals, members, strict=True):
        scores = [finished(np.moveaxis(total.read(f"{MAPS}/{v}"), 1, 0), count) for v in range(len(plan["variables"]))]
        for name in SCORES:
            found[name].append([each[name][at].astype(np.float32) for each in scores])
    data = {name: xr.Variable(dims, np.stack([np.stack(row) for row in rows])) for name, rows in found.items()}
    if "maps" in plan:
        data |= {name: xr.Variable(dims, x[:, :, at], attrs) for name, (x, attrs) in _metrics(tree, members, totals).items()}
    own = {"source": _text(plan["sources"]), "variable": _text(plan["variables"]), "units": ("variable", _text(plan["units"]))}
    with replacing(path) as temporary:
        write_zarr(temporary, xr.Dataset(data, coords={**places, **own}))


def _metrics(tree: Tree, members: Sequence[int], totals: Sequence[Totals]) -> dict[str, tuple[np.ndarray, dict[str, str]]]:
    """float32 [source, variable, lead, *S] and attributes by name; NaN where a source has none."""
    plan, metrics = tree["plan"], list(chosen(from_tree(tree["experiment"], Experiment)).values())
    out: dict[str, tuple[np.ndarray, dict[str, str]]] = {}
    for v in range(len(plan["variables"])):
        kernels, arrays = [total.read(f"{MAPS}/{v}") for total in totals], [total.below(f"{MAPS}/{v}/") for total in totals]
        places = kernels[0].shape[2:]
        for l in range(len(plan["leads"])):
            here = [{name: x[l] for name, x in each.items()} for each in arrays]
            flat = [kernel[l].reshape(len(CELL_COLUMNS), -1) for kernel in kernels]
            for (name, source), (values, units) in values_of_cells(metrics, plan["sources"], members, here, flat).items():
                if name not in SCORES:
                    shape, attrs = (
                        (len(totals), len(plan["variables"]), len(plan["leads"]), *places),
                        {} if units is None else {"units": units},
                    )
                    array, _ = out.setdefault(name, (np.full(shape, np.nan, dtype=np.float32), attrs))
                    array[plan["sources"].index(source), v, l] = values.reshape(places)
    return out


def finished(total: np.ndarray, members: int) -> Arrays:
    """Scores of cells from sums over cases [len(CELL_COLUMNS), ...]; NaN in cells without truth.

    `bias`, `mae`, `rmse` of the ensemble mean; `crps` fair, of one member its absolute error; `spread` the root of the mean variance and
    `spread_skill` its ratio to the RMSE times sqrt((M + 1) / M), both NaN for one member.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = dict(zip(CELL_COLUMNS[1:], total[1:] / total[0], strict=True))
        crps = mean["skill"] - (pair_coefficient(members) * mean["pairs"] if members > 1 else 0.0)
        rmse, spread = np.sqrt(mean["square"]), np.sqrt(mean["variance"])
        ratio = np.sqrt((members + 1) / members) * spread / rmse
    return dict(zip(SCORES, (mean["error"], mean["absolute"], rmse, crps, spread, ratio), strict=True))


def _text(values: Sequence[str]) -> np.ndarray:
    """Strings of any length: those of fixed length have no specification in zarr v3."""
    return np.array(values, dtype=np.dtypes.StringDType())


def _times(plan: Plan) -> np.ndarray:
    """Initial times; as they are written where numpy's calendar has no such date."""
    times = [case["time"] for case in plan["cases"]]
    try:
        return np.array(times, dtype="datetime64[s]")
    except ValueError:
        return _text(times)
