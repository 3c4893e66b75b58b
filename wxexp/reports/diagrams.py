"""What diagrams of thresholds and distributions are drawn from, and how many cases there really are, from sums over cases."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import xarray as xr

from wxexp.interfaces import Statistic, Total
from wxexp.reports.plots.value import COSTS
from wxexp.scoring.sums import Resampling
from wxexp.statistics import Bins, Exceedances, Neighbourhoods
from wxexp.statistics.crps import pair_coefficient
from wxexp.statistics.neighbourhoods import fractions_skill
from wxexp.statistics.reliability import calibrated, economic_value, roc
from wxexp.statistics.significance import effective_size
from wxexp.statistics.spacing import instants

DRAWS = 200
"""Bootstrap draws of a band."""
OUTSIDE = 0.01
"""Part of the truth that may lie outside bins that are meant for a variable."""


def exceedances(sums: xr.Dataset, statistics: Mapping[str, Statistic]) -> xr.Dataset | None:
    """Totals `table` (variable, [lead_time,] threshold, exceeding, event) of all thresholds, with 95 % bounds of what is drawn of them.

    `low`, `high` (variable, [lead_time,] threshold, exceeding) are those of the calibration, `area_low`, `area_high` those of the area
    below the ROC curve, `value_low`, `value_high` (..., cost) those of the economic value at `COSTS`; NaN where there are too few cases.
    None without thresholds, and for a single forecast.
    """
    names = [name for name, one in statistics.items() if isinstance(one, Exceedances) and one.of == "values" and f"{name}.table" in sums]
    if not names or sums.attrs["members"] < 2:
        return None
    tables: list[xr.DataArray] = []
    for name in names:
        one = statistics[name]
        assert isinstance(one, Exceedances)
        axes = dict(zip(sums[f"{name}.table"].dims[-3:], ("threshold", "exceeding", "event"), strict=True))
        tables.append(sums[f"{name}.table"].rename({a: b for a, b in axes.items() if a != b}).assign_coords(threshold=list(one.thresholds)))
    table = xr.concat(tables, "threshold").drop_duplicates("threshold").sortby("threshold")
    table = table.transpose("case", "variable", ..., "threshold", "exceeding", "event")
    cases = Resampling(slice(None), times_of(sums), draws=DRAWS, seed=0)
    dims = table.dims[1:-1]
    out = xr.Dataset(
        {"table": (table.dims[1:], cases.whole(table.values))}, {n: x for n, x in table.coords.items() if "case" not in x.dims}
    )
    each = (("", calibrated, dims), ("area_", _area, dims[:-1]), ("value_", _value, (*dims[:-1], "cost")))
    for name, value, own in each:

        def measured(total: Total, value: object = value) -> np.ndarray:
            return np.asarray(value(total(table.values)))  # type: ignore[operator]

        low, high = cases.over_draws(measured, _known) or (np.full(value(out["table"].values).shape, np.nan),) * 2
        out[f"{name}low"], out[f"{name}high"] = (own, low), (own, high)
    return out


def neighbourhoods(sums: xr.Dataset, statistics: Mapping[str, Statistic]) -> xr.Dataset | None:
    """Fractions skill score `fss` (variable, [lead_time,] threshold, scale) with its 95 % bounds `low` and `high`, scales in cells.

    `frequency` (variable, [lead_time,] threshold) is how often the truth exceeds the threshold; NaN where no sums are of single cells.
    Scores are NaN at scales that a threshold has no sums of, without events, and where no square fits; None where all are.
    """
    cases, parts = Resampling(slice(None), times_of(sums), draws=DRAWS, seed=0), list[xr.Dataset]()
    for name, one in statistics.items():
        if not isinstance(one, Neighbourhoods) or f"{name}.square" not in sums:
            continue
        own = [sums[f"{name}.{key}"] for key in ("square", "forecast", "truth", "weight")]
        dims = (*own[0].dims[1:-2], "threshold", "scale")
        square, forecast, truth, weight = (x.values for x in own)

        def value(total: Total, of: tuple[np.ndarray, ...] = (square, forecast, truth)) -> np.ndarray:
            return fractions_skill(*map(total, of))

        point, low, high = value(cases.whole), *(cases.over_draws(value, _known) or (np.full(square.shape[1:], np.nan),) * 2)
        single = one.scales.index(1) if 1 in one.scales else None
        with np.errstate(divide="ignore", invalid="ignore"):  # of single cells P_y² is 1 or 0
            each = np.full(point.shape[:-1], np.nan) if single is None else (truth.sum(axis=0) / weight.sum(axis=0))[..., single]
        found = xr.Dataset(
            {"fss": (dims, point), "low": (dims, low), "high": (dims, high), "frequency": (dims[:-1], each)},
            {
                **{n: x for n, x in own[0].coords.items() if "case" not in x.dims},
                "threshold": list(one.thresholds),
                "scale": list(one.scales),
            },
        )
        parts.append(found.sortby("scale"))
    if not parts or not any(np.isfinite(part["fss"]).any() for part in parts):
        return None
    return xr.concat(parts, "threshold", join="outer").drop_duplicates("threshold").sortby("threshold")


def times_of(sums: xr.Dataset) -> np.ndarray:
    """Of the cases, in seconds, or their numbers where they have no times."""
    index = sums["index"].values.astype(np.float64)
    return instants(sums["time"].values, index) if "time" in sums.coords else index


def _area(table: np.ndarray) -> np.ndarray:
    false, hits = roc(table)
    return np.asarray((np.diff(false, axis=-1) * (hits[..., 1:] + hits[..., :-1]) / 2).sum(axis=-1))


def _value(table: np.ndarray) -> np.ndarray:
    return economic_value(table, COSTS)


def _known(draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bounds over the draws that say something."""
    lost = np.isnan(draws).all(axis=0)
    low, high = np.nanquantile(np.where(lost, 0.0, draws), [0.025, 0.975], axis=0)
    return np.where(lost, np.nan, low), np.where(lost, np.nan, high)


def histograms(sums: xr.Dataset, statistics: Mapping[str, Statistic]) -> dict[str, xr.Dataset]:
    """By variable, totals `truth` and `members` ([lead_time,] bin) and `edges`, of the first bins that hold nearly all of its truth."""
    out: dict[str, xr.Dataset] = {}
    for name, one in statistics.items():
        if not isinstance(one, Bins) or f"{name}.truth" not in sums:
            continue
        for variable in sums["variable"].values.tolist():
            sides = [sums[f"{name}.{side}"].sel(variable=variable, drop=True).sum("case") for side in ("truth", "members")]
            truth, members = (x.rename({x.dims[-1]: "bin"}) for x in sides)
            values = truth.values
            beyond = values[..., -1].sum() + (values[..., 0].sum() if one.spacing == "linear" else 0.0)  # dry days are below
            if variable in out or not values.sum() > 0 or beyond > OUTSIDE * values.sum():
                continue
            found = xr.Dataset({"truth": truth, "members": members, "edges": ("edge", one.edges())}, attrs={"spacing": one.spacing})
            out[str(variable)] = found
    return out


def effective_sizes(sums: xr.Dataset) -> dict[str, float]:
    """By variable, how many independent cases would tell as much of the CRPS (of the first lead) as these do; {} without its sums."""
    if "pairs.skill" not in sums:
        return {}
    members, out = int(sums.attrs["members"]), {}
    first = sums.isel(lead_time=0) if "lead_time" in sums.dims else sums
    for variable in first["variable"].values.tolist():
        here = first.sel(variable=variable)
        total = here["pairs.skill"].values - (pair_coefficient(members) * here["pairs.pairs"].values if members > 1 else 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            series = total / here["pairs.weight"].values
        size = effective_size(series, times_of(here)) if len(series) > 2 else math.nan
        if math.isfinite(size):
            out[str(variable)] = size
    return out
