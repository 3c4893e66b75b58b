"""From sums to rows: finished scores, their table on disk, and back."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import xarray as xr
import zarr

from wxexp.config import ConfigError
from wxexp.experiment import Experiment
from wxexp.interfaces import Metric, Row
from wxexp.scoring.files import replacing
from wxexp.scoring.plan import FORECAST, Plan
from wxexp.scoring.sums import CaseSums

FORMAT = 1


def open_sums(experiment: Experiment, out: Path) -> CaseSums:
    """The forecast's sums of `out`/scores.zarr; those of the baselines are its `references`."""
    path = out / "scores.zarr"
    plan: Plan = zarr.open_group(path, mode="r", zarr_format=3).attrs["plan"]  # type: ignore[assignment]
    draws, seed = experiment.scoring.draws, experiment.scoring.seed
    baselines: dict[str, CaseSums] = {}
    for source in [*plan["sources"][1:], FORECAST]:
        with xr.open_zarr(path, group=source, chunks=None, zarr_format=3) as data:
            arrays = {"/".join(str(name).rsplit(".", 1)): x.values for name, x in data.data_vars.items()}
            members = int(data.attrs["members"])
        references = dict(baselines) if source == FORECAST else None
        baselines[source] = CaseSums(source, members, arrays, plan=plan, draws=draws, seed=seed, references=references)
    return baselines[FORECAST]


def finalise(experiment: Experiment, out: Path) -> list[Row]:
    """Rows of every metric of the experiment, for the forecast and each baseline, from `out`/scores.zarr alone.

    Raises:
        ValueError: if the sums lack a statistic that a metric needs, and as of `check_rows`.
    """
    forecast, metrics = open_sums(experiment, out), experiment.scoring.metrics
    sources = [forecast, *forecast.references.values()]
    found = {name: [row for sums in sources for row in metric.rows(sums)] for name, metric in metrics.items()}
    check_rows(metrics, found)
    return [row for rows in found.values() for row in rows]


def check_rows(metrics: Mapping[str, Metric], found: Mapping[str, Sequence[Row]]) -> None:
    """Raises ValueError for metrics of one class whose rows differ in value and not in name: who reads the table would see one of them."""
    seen: dict[tuple[object, ...], tuple[str, float]] = {}
    for name, rows in found.items():
        for row in rows:
            key = (type(metrics[name]), row.metric, row.variable, row.source, row.group, row.lead_hours)
            other, value = seen.setdefault(key, (name, row.value))
            if not math.isclose(value, row.value, rel_tol=1e-6) and not (math.isnan(value) and math.isnan(row.value)):
                raise ValueError(
                    f"metrics {other!r} and {name!r} both have a row {row.metric!r}, of {row.variable} {value:g} and {row.value:g}, which"
                    f" cannot be told apart: score one of them"
                )


def table_text(rows: Sequence[Row]) -> str:
    """What is in a `table.json`; a value that is not finite is null."""
    plain = [{k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in dataclasses.asdict(row).items()} for row in rows]
    return json.dumps({"format": FORMAT, "rows": plain}, indent=1, allow_nan=False) + "\n"


def write_table(path: Path, rows: Sequence[Row]) -> None:
    """`table.json`."""
    with replacing(path) as temporary:
        temporary.write_text(table_text(rows))


def read_table(path: Path) -> list[Row]:
    """Rows of a `table.json`; a value of null is NaN.

    Raises:
        ConfigError: if a later version wrote it.
    """
    table = json.loads(path.read_text())
    if table["format"] > FORMAT:
        raise ConfigError(f"{path} has format {table['format']}, this wxexp reads up to {FORMAT}")
    return [Row(**{**row, "value": math.nan if row["value"] is None else row["value"]}) for row in table["rows"]]
