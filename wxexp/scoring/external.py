"""Scores of forecasts made elsewhere: any two datasets that xarray holds, by the statistics and metrics of the engine.

One variable of one case (initial time) is read at a time, so memory does not grow with the number of times where the datasets are lazy.
Cells are in the truth's order; the members are put into it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from wxexp.config.tree import defaults, exports, hints, suggest
from wxexp.interfaces import Metric, Row
from wxexp.scoring import matching
from wxexp.scoring.engine import reduce
from wxexp.scoring.groups import ALL
from wxexp.scoring.plan import FORECAST, Case, Plan, needed
from wxexp.scoring.stores import Arrays
from wxexp.scoring.sums import CaseSums
from wxexp.scoring.units import conversion

DEFAULT = ("crps", "mae", "rmse", "bias", "spread_skill")
"""Metrics where none are asked for; the last needs several members."""


def score(
    truth: xr.Dataset,
    members: xr.Dataset,
    *,
    metrics: Mapping[str, Metric] | Sequence[str] | None = None,
    variables: Sequence[str] | None = None,
    draws: int = 1000,
    seed: int = 0,
    say: Callable[[str], None] | None = None,
) -> list[Row]:
    """Rows of a table, as of a run, of source "forecast", for every time of the members.

    Scores are weighted by cell area on a grid of latitudes and longitudes. Bounds are those of `CaseSums`: blocks are runs of times that
    follow each other at the members' shortest step, or moving blocks where no time is left out.

    Args:
        truth: dims (time, *S), or (time, lead_time, *S), in any order; may have other times too.
        members: dims (time[, lead_time][, member], *S), where with leads `time` is the initial time and truth is looked up at the valid
            time (or at both, where truth has leads). `number`, `realization`, `ensemble`, `init_time`, `prediction_timedelta`, `step`,
            `latitude`, `longitude` are understood; latitude may run either way, longitude from 0 or from -180. Without a member
            dimension the forecast is deterministic. Units are converted to the truth's where that is known (K and degC, rates of
            precipitation, ...).
        metrics: by any names, or names of those that need no arguments, such as ("crps", "spread_skill").
        variables: to score, in this order. None: all of the members, by name.
        draws: of the bootstrap.
        seed: of the bootstrap.
        say: is told how many values of the truth are NaN, which have no weight. None: a warning.

    A NaN member of a scored cell makes the scores of its variable and lead NaN.

    Raises:
        ValueError: for names, units, places or times that do not match, members missing at a time, truth that is NaN everywhere.
    """
    pair = _Pair(matching.renamed(truth, "the truth"), matching.renamed(members, "the ensemble"), variables)
    chosen = _metrics(metrics, pair.count)
    statistics = needed(chosen)
    weights = pair.weights(say or (lambda text: warnings.warn(text, stacklevel=3)))
    found = []
    for case in range(len(pair.times)):
        rows = []
        for v, name in enumerate(pair.variables):
            y, x = pair.truth(case, name), pair.members(case, name)
            pair.check_members(case, name, x, weights[v] > 0)
            rows.append([reduce(statistics, y[l], x[:, l], weights[v][None]) for l in range(len(y))])
        found.append({key: np.stack([[row[l][key] for row in rows] for l in range(len(pair.leads))]) for key in rows[0][0]})
    arrays: Arrays = {key: np.stack([each[key] for each in found]) for key in found[0]}
    plan = Plan(
        sources=[FORECAST],
        variables=pair.variables,
        units=pair.units,
        leads=pair.leads,
        groups=[ALL],
        cases=[Case(index=index, time=time, lead_hours=0.0) for index, time in zip(pair.index, pair.times, strict=True)],
        statistics=list(statistics),
        block=len(pair.times),
    )
    sums = CaseSums(FORECAST, pair.count, arrays, plan=plan, draws=draws, seed=seed)
    out = []
    for name, metric in chosen.items():
        if not (new := metric.rows(sums)):
            raise ValueError(f"metric {name!r} has no row for a forecast of {pair.count} members without baselines")
        out += new
    return out


def read(path: Path) -> xr.Dataset:
    """A zarr or netCDF, lazily."""
    if not path.exists():
        raise ValueError(f"there is no file {path}")
    try:
        if path.is_dir():
            return xr.open_dataset(path, engine="zarr", consolidated=False, decode_timedelta=False)
        return xr.open_dataset(path, decode_timedelta=False)
    except (OSError, ValueError, KeyError) as error:
        raise ValueError(f"{path} is neither zarr nor netCDF that can be read ({error})") from error


def _metrics(asked: Mapping[str, Metric] | Sequence[str] | None, members: int) -> Mapping[str, Metric]:
    if isinstance(asked, Mapping):
        return asked
    known = {name.lower(): cls for name, cls in exports(Metric).items()}
    out: dict[str, Metric] = {}
    for name in DEFAULT[: None if members > 1 else -1] if asked is None else asked:
        cls = known.get(name.lower().replace("_", ""))
        if cls is None:
            raise ValueError(f"there is no metric {name!r}{suggest(name.lower(), known)}")
        if lacking := [field for field in hints(cls) if field not in defaults(cls)]:
            raise ValueError(f"metric {name!r} needs {', '.join(lacking)}: give metrics={{{name!r}: {cls.__name__}({lacking[0]}=...)}}")
        out[name] = cls()
    if not out:
        raise ValueError("there is no metric to score")
    return out


class _Pair:
    """Truth and members, matched; read one variable of one case at a time."""

    def __init__(self, truth: xr.Dataset, members: xr.Dataset, variables: Sequence[str] | None) -> None:
        if truth.sizes.get("member") == 1:
            truth = truth.isel(member=0, drop=True)
        if truth.sizes.get("lead_time") == 1 and matching.lead_hours(truth, "the truth") == [0.0]:  # an analysis
            truth = truth.isel(lead_time=0, drop=True)
        if "member" in truth.dims:
            raise ValueError(f"the truth has {truth.sizes['member']} members")
        if "member" not in members.dims:
            members = members.expand_dims("member")
        self._truth, self._members, self.count = truth, members, members.sizes["member"]
        self._match_variables(variables)
        self._match_times()
        self._order = matching.order(truth, members, self._dims)
        self._straight = all(np.array_equal(places, np.arange(len(places))) for places in self._order)

    def _match_variables(self, variables: Sequence[str] | None) -> None:
        fields = [str(name) for name, x in self._members.data_vars.items() if "time" in x.dims and x.dtype.kind in "fiu"]
        self.variables = sorted(fields) if variables is None else list(variables)  # a zarr lists them as its folder does
        for what, data in (("truth", self._truth), ("members", self._members)):
            if lacking := [name for name in self.variables if name not in data.data_vars]:
                there = ", ".join(map(str, data.data_vars))
                raise ValueError(f"the {what} have no variable {', '.join(lacking)}, but {there}; give the variables to score")
        if not self.variables:
            raise ValueError("the members have no variable with a time to score")
        self.units, self._convert, every = list[str](), dict[str, tuple[float, float]](), set[tuple[str, ...]]()
        for name in self.variables:
            y, x = self._truth[name], self._members[name]
            units, theirs = str(y.attrs.get("units", "")), str(x.attrs.get("units", ""))
            if (found := conversion(theirs, units)) is None:
                raise ValueError(f"{name} is in {units or 'no units'} in the truth and in {theirs or 'no units'} in the members")
            self.units.append(units)
            self._convert[name] = found
            dims = [str(dim) for dim in y.dims if dim not in ("time", "lead_time")]
            others = [str(dim) for dim in x.dims if dim not in ("time", "lead_time", "member")]
            if set(dims) != set(others) or not dims:
                raise ValueError(
                    f"{name} has dimensions {', '.join(dims)} in the truth and {', '.join(others)} in the members, besides time"
                )
            if len(dims) > 2:
                raise ValueError(f"{name} has dimensions {', '.join(dims)}, at most 2 can be scored: select one level first")
            every.add(("lat", "lon") if set(dims) == {"lat", "lon"} else tuple(dims))
        if len(every) > 1:
            raise ValueError(f"variables have different dimensions: {'; '.join(', '.join(dims) for dims in sorted(every))}")
        self._dims = every.pop()

    def _match_times(self) -> None:
        """`times`, in order, with the places of each in the members, and of each lead in the truth."""
        known = {time: i for i, time in enumerate(matching.labels(self._truth, "the truth"))}
        labels = matching.labels(self._members, "the ensemble")
        values = self._members["time"].values
        hours = matching.lead_hours(self._members, "the ensemble") if "lead_time" in self._members.dims else None
        self.leads: list[float | None] = [None] if hours is None else [*hours]
        self._place = sorted(range(len(labels)), key=labels.__getitem__)
        self.times = [labels[i] for i in self._place]
        own = matching.lead_hours(self._truth, "the truth") if "lead_time" in self._truth.dims else None
        if own is not None and (lacking := [lead for lead in hours or [0.0] if not np.isclose(own, lead, rtol=0, atol=1e-4).any()]):
            raise ValueError(f"the truth has no lead of {', '.join(f'{lead:g}' for lead in lacking)} hours")
        if own is not None or hours is None:
            wanted = [[time] * len(self.leads) for time in self.times]
        else:
            wanted = [[matching.valid(values[i], lead) for lead in hours] for i in self._place]
        if lost := sorted({time for times in wanted for time in times if time not in known}):
            if not any(time in known for times in wanted for time in times):
                raise ValueError(f"truth and members do not overlap: {min(known)} to {max(known)} and {min(lost)} to {max(lost)}")
            more = f" and {len(lost) - 3} more" if len(lost) > 3 else ""
            raise ValueError(f"the truth lacks {', '.join(lost[:3])}{more}, which the members have")
        steps = [0] * len(self.leads) if own is None else [int(np.abs(np.subtract(own, lead)).argmin()) for lead in hours or [0.0]]
        self._at = [[(known[time], step) for time, step in zip(times, steps, strict=True)] for times in wanted]
        self.index = _index(values[self._place])

    def truth(self, case: int, name: str) -> np.ndarray:
        """float32 [lead, *S]."""
        field = self._truth[name].transpose("time", ..., *self._dims)
        found = []
        for time, step in self._at[case]:
            at = field.isel(time=time)
            found.append((at.isel(lead_time=step) if "lead_time" in at.dims else at).values)
        return np.stack(found).astype(np.float32, copy=False)

    def members(self, case: int, name: str) -> np.ndarray:
        """float32 [M, lead, *S], in the order and units of the truth."""
        field = self._members[name].isel(time=self._place[case])
        leads = ("lead_time",) if "lead_time" in field.dims else ()
        x = field.transpose("member", *leads, *self._dims).values
        x = x if leads else x[:, None]
        if not self._straight:
            at: tuple[slice | np.ndarray, ...] = (slice(None), slice(None), *np.ix_(*self._order))
            x = x[at]
        factor, offset = self._convert[name]
        if (factor, offset) != (1.0, 0.0):
            x = x * factor + offset
        return np.asarray(x, dtype=np.float32)

    def weights(self, say: Callable[[str], None]) -> np.ndarray:
        """Areas of cells that have truth at some time, float64 [variable, *S]."""
        area = matching.grid(self._truth, self._dims).area()
        out = np.zeros((len(self.variables), *area.shape))
        for v, name in enumerate(self.variables):
            seen, lost, size = np.zeros(area.shape, dtype=bool), 0, 0
            for case in range(len(self.times)):
                y = self.truth(case, name)
                there = ~np.isnan(y)
                seen |= there.any(axis=0)
                lost, size = lost + int(y.size - there.sum()), size + y.size
            if not seen.any():
                raise ValueError(f"the truth of {name} is NaN at every time and place to be scored")
            if lost:
                say(
                    f"{lost} of {size} values of the truth of {name} are NaN and have no weight ({int((~seen).sum())} cells are NaN always)"
                )
            out[v] = area * seen
        return out

    def check_members(self, case: int, name: str, x: np.ndarray, scored: np.ndarray) -> None:
        """Raises ValueError for a member that is NaN in every cell that counts: it was not written."""
        lost = np.isnan(x[..., scored]).all(axis=-1).any(axis=1)
        if lost.any():
            names = self._members["member"].values if "member" in self._members.coords else np.arange(self.count)
            which = ", ".join(map(str, names[lost]))
            raise ValueError(f"member {which} of {name} at {self.times[case]} is missing: NaN in every cell")


def _index(times: np.ndarray) -> list[int]:
    """Number of each time, in the shortest step between two; as they come where they are no dates."""
    if times.dtype.kind not in "MO" or len(times) < 2:
        return list(range(len(times)))
    gaps = np.diff(times)
    steps = np.array([gap / gaps.min() for gap in gaps])
    return [0, *np.rint(np.cumsum(steps)).astype(np.int64).tolist()]
