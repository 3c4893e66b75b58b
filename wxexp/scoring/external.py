"""Scores of forecasts made elsewhere: any two datasets that xarray holds, by the statistics and metrics of the engine.

One variable of one case (initial time) is read at a time, so memory does not grow with the number of times where the datasets are lazy.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import numpy as np
import xarray as xr

from wxexp.config import Spec
from wxexp.config.tree import check, defaults, exports, hints, suggest
from wxexp.interfaces import Item, Metric, Opened, Row, Statistic, Subset
from wxexp.scoring import groups as grouping
from wxexp.scoring.engine import reduce
from wxexp.scoring.pair import Pair
from wxexp.scoring.plan import FORECAST, Case, Plan, needed
from wxexp.scoring.sources import Chart, Say
from wxexp.scoring.stores import Arrays
from wxexp.scoring.sums import CaseSums
from wxexp.scoring.table import check_rows

DEFAULT = ("crps", "mae", "rmse", "bias")
"""Metrics where none are asked for; of several members also `spread_skill`, with references also `crpss`."""


def score(
    truth: xr.Dataset,
    members: xr.Dataset,
    *,
    metrics: Mapping[str, Metric] | Sequence[str] | None = None,
    variables: Sequence[str] | None = None,
    groups: Mapping[str, Subset] | None = None,
    references: Mapping[str, xr.Dataset] | None = None,
    common: bool = False,
    draws: int = 1000,
    seed: int = 0,
    say: Say | None = None,
) -> list[Row]:
    """Rows of a table, as of a run, of source "forecast", for every time of the members.

    Scores are weighted by cell area on a grid of latitudes and longitudes, or circles of latitude; other cells count the same. Bounds are
    those of `CaseSums`, of blocks made from the members' times.

    Args:
        truth: dims (time, *S), or (time, lead_time, *S), in any order; may have other times and levels too.
        members: dims (time[, lead_time][, member], *S), where with leads `time` is the initial time and truth is looked up at the valid
            time (or at both, where truth has leads). `number`, `realization`, `ensemble`, `init_time`, `prediction_timedelta`, `step`,
            `latitude`, `longitude` are understood; latitude may run either way, longitude from 0 or from -180. Without a member
            dimension the forecast is deterministic. Units are converted to the truth's where that is known (K and degC, rates of
            precipitation, ...). A variable with levels is a variable for each, such as `geopotential_500`, in hPa.
        metrics: by any names, or names of those that need no arguments, such as ("crps", "spread_skill").
        variables: to score, in this order. None: all of the members, by name. One with levels stands for all of them.
        groups: parts of the grid and of the times that get rows of their own, beside "all", as an experiment's `scoring.groups`: such as
            {"europe": Region(south=35, north=70, west=-10, east=40)}. `Static` takes a field of the truth that has no time.
        references: forecasts of the same times to be compared with, by name, which get rows of their own, and make the source of skill
            scores such as `crpss`. They are given as members are, or without leads by valid time, or by `dayofyear` and `hour`, as
            climatologies are; other times, leads and variables are passed over.
        common: leave out initial times for which truth or a reference lacks a lead, instead of raising; `say` is told how many.
        draws: of the bootstrap.
        seed: of the bootstrap.
        say: is told how many values are NaN. Those of the truth have no weight. None: a warning.

    A NaN member of a scored cell makes the scores of its variable and lead NaN.

    Raises:
        ValueError: for names, units, places or times that do not match, members missing at a time, truth that is NaN everywhere, groups
            without cells or times that are scored.
    """
    say = say or (lambda text: warnings.warn(text, stacklevel=3))
    _check(truth, members, groups or {}, references or {})
    if draws < 1:
        raise ValueError(f"draws must be at least 1, got {draws}")
    pair = Pair(truth, members, variables, references or {}, common, say)
    chosen = _metrics(metrics, pair)
    cells, weights = _weights(groups or {}, pair, say)
    statistics = needed(chosen)
    items = [Item(index, time) for index, time in zip(pair.index, pair.times, strict=True)]
    plan = Plan(
        sources=list(pair.sources),
        variables=pair.variables,
        units=pair.units,
        leads=pair.leads,
        groups=list(cells),
        selections=grouping.cases(groups or {}, items, what="groups"),
        cases=[Case(index=item.index, time=item.time, lead_hours=item.lead_hours) for item in items],
        statistics=list(statistics),
        block=len(pair.times),
    )
    arrays = {name: _sums(pair, name, statistics, weights, say) for name in pair.sources}
    sums: dict[str, CaseSums] = {}
    for name in [*list(pair.sources)[1:], FORECAST]:
        others = dict(sums) if name == FORECAST else None
        sums[name] = CaseSums(name, pair.sources[name][0].count, arrays[name], plan=plan, draws=draws, seed=seed, references=others)
    found: dict[str, list[Row]] = {}
    for name, metric in chosen.items():
        found[name] = [row for source_name in pair.sources for row in metric.rows(sums[source_name])]
        if not found[name]:
            raise ValueError(f"metric {name!r} has no row for a forecast of {pair.count} members without references")
    check_rows(chosen, found)
    return [row for rows in found.values() for row in rows]


def read(path: Path) -> xr.Dataset:
    """A zarr or netCDF, lazily."""
    if re.match(r"\w{2,}:/", str(path)):
        raise ValueError(f"{path} is no path of this machine; open it with xarray and call wx.score(truth, members)")
    if not path.exists():
        raise ValueError(f"there is no file {path}")
    try:
        if not path.is_dir():
            return xr.open_dataset(path, decode_timedelta=False)
        data = _zarr(path)
        # zarr of version 2 has a fill value, as a rule 0, also where nothing is missing; in coordinates nothing is (CF conventions, 2.5.1)
        zeros = [str(name) for name, x in data.coords.items() if x.dims == (name,) and x.encoding.get("_FillValue") == 0]
        return _zarr(path, unmasked=zeros) if zeros else data
    except (OSError, ValueError, KeyError) as error:
        reason = str(error).partition(". Consider")[0]  # which other engines there are
        raise ValueError(f"{path} is neither zarr nor netCDF that can be read ({reason})") from error


def _zarr(path: Path, unmasked: Sequence[str] = ()) -> xr.Dataset:
    masked = {name: False for name in unmasked} or None
    return xr.open_dataset(path, engine="zarr", consolidated=False, decode_timedelta=False, mask_and_scale=masked)


def _metrics(asked: Mapping[str, Metric] | Sequence[str] | None, pair: Pair) -> Mapping[str, Metric]:
    if not asked and asked is not None:
        raise ValueError("there is no metric to score")
    if isinstance(asked, Mapping):
        _each(asked, Metric, "metrics")
        return asked
    if isinstance(asked, str):
        raise ValueError(f"metrics must be names, such as [{asked!r}], got the text {asked!r}")
    if asked is None:
        asked = [*DEFAULT, *(["spread_skill"] if pair.count > 1 else []), *(["crpss"] if len(pair.sources) > 1 else [])]
    return named(asked)


def _check(truth: object, members: object, groups: object, references: object) -> None:
    """Raises ValueError for arguments of other types."""
    _each({"truth": truth, "members": members}, xr.Dataset, "datasets")
    _each(groups, Subset, "groups")
    _each(references, xr.Dataset, "references")


def _each(given: object, cls: type, what: str) -> None:
    if not isinstance(given, Mapping):
        raise ValueError(f"{what} must be a mapping from names, got {given!r}")
    for name, value in given.items():
        if not isinstance(value, cls):
            raise ValueError(f"{what}[{name!r}] must be a {cls.__name__}, got {type(value).__name__}")
        if isinstance(value, Spec):
            check(value, f"{what}[{name!r}]")


def named(names: Sequence[str]) -> dict[str, Metric]:
    """Metrics that need no arguments; ValueError for others."""
    known = {name.lower(): cls for name, cls in exports(Metric).items()}
    out: dict[str, Metric] = {}
    for name in names:
        if not isinstance(name, str):
            raise ValueError(f"metrics must be names, or metrics by name, got {name!r}")
        cls = known.get(name.lower().replace("_", ""))
        if cls is None:
            raise ValueError(f"there is no metric {name!r}{suggest(name.lower().replace('_', ''), known)}")
        if lacking := [field for field in hints(cls) if field not in defaults(cls)]:
            raise ValueError(
                f"metric {name!r} needs {', '.join(lacking)}: metrics={{{name!r}: {cls.__name__}({lacking[0]}=...)}}, or"
                f" --metrics.{name}={cls.__name__} --metrics.{name}.{lacking[0]}=..."
            )
        out[name] = cls()
    return out


def _sums(pair: Pair, source: str, statistics: Mapping[str, Statistic], weights: np.ndarray, say: Say) -> Arrays:
    """Of one source, float64 [case, lead, variable, group, ...] by "statistic/name"."""
    forecasts, places = pair.sources[source]
    lost, sizes = [0] * len(pair.variables), [0] * len(pair.variables)
    found = []
    for case, time in enumerate(pair.times):
        rows = []
        for v, variable in enumerate(pair.variables):
            y, x = pair.truth_of(case, variable), forecasts.members(variable, places[case])
            scored = ~np.isnan(y) & (weights[v, 0] > 0)
            lost[v] += forecasts.missing(variable, time, pair.leads, x, scored)
            sizes[v] += len(x) * int(scored.sum())
            rows.append([reduce(statistics, y[l], x[:, l], weights[v]) for l in range(len(y))])
        found.append({key: np.stack([[row[l][key] for row in rows] for l in range(len(pair.leads))]) for key in rows[0][0]})
    for v, variable in enumerate(pair.variables):
        forecasts.say_missing(variable, lost[v], sizes[v], say)
    return {key: np.stack([each[key] for each in found]) for key in found[0]}


def _weights(groups: Mapping[str, Subset], pair: Pair, say: Say) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Cells of all and of the groups that have not all, and the areas of those that have truth, float64 [variable, group, *S]."""
    if grouping.ALL in groups:
        raise ValueError("groups cannot have an entry 'all', which names everything")
    cells = grouping.cells(groups, cast(Opened, Chart(pair.truth, pair.dims)), what="groups")
    seen = np.stack([pair.truth.seen(name, pair.places, pair.dims, say) for name in pair.variables])
    grouping.check_cells(cells, seen, what="groups")
    return cells, pair.truth.area(pair.dims) * seen[:, None] * np.stack(list(cells.values()))
