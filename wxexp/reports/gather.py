"""A report's material from the files of a run."""

from __future__ import annotations

import json
from pathlib import Path

import xarray as xr

from wxexp.config import to_tree
from wxexp.experiment import Experiment
from wxexp.interfaces import Opened
from wxexp.reports.material import Material, coarse_input
from wxexp.reports.scores import read_scores
from wxexp.scoring import read_table
from wxexp.scoring.plan import statistics
from wxexp.training.tracker import read


def gather(experiment: Experiment, *, opened: Opened, run: Path, members: Path, scores: Path, question: str = "") -> Material:
    """What the stages before the report have written; metrics.jsonl, provenance.json, scores.zarr and maps.zarr each where it is there.

    Args:
        experiment: that they worked for.
        opened: its dataset.
        run: with metrics.jsonl and provenance.json.
        members: members.zarr, where there is one; of more members than the experiment has, the first.
        scores: with scores.zarr, maps.zarr and table.json.
        question: shown under the title; empty: what provenance.json has as "question".
    """
    scored = read_scores(scores, grid=opened.grid, statistics=statistics(experiment))
    history, note = run / "metrics.jsonl", run / "provenance.json"
    provenance = json.loads(note.read_text(encoding="utf-8")) if note.exists() else {}
    return Material(
        title=experiment.name,
        question=question or str(provenance.pop("question", None) or ""),
        grid=opened.grid,
        units=dict(zip(opened.codec.targets, opened.codec.units, strict=True)),
        items=opened.items(experiment.ensemble.split),
        rows=read_table(scores / "table.json"),
        members=_members(members, experiment.ensemble.members) if members.exists() else None,
        truth=opened.truth,
        coarse=coarse_input(opened),
        maps=scored.maps,
        ranks=scored.ranks,
        spectra=scored.spectra,
        group_spectra=scored.group_spectra,
        exceedances=scored.exceedances,
        neighbourhoods=scored.neighbourhoods,
        histograms=scored.histograms,
        sizes=scored.sizes,
        history=read(history) if history.exists() else [],
        record=to_tree(experiment),
        provenance=provenance,
    )


def _members(path: Path, count: int) -> xr.Dataset:
    members: xr.Dataset = xr.open_zarr(path, consolidated=False, chunks=None, zarr_format=3)
    return members.isel(member=slice(count))
