"""The report of a run: which pictures there are, what they show, and where they are written."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import xarray as xr

from wxexp.reports import plots
from wxexp.reports.course import over_leads, over_times
from wxexp.reports.history import losses, losses_by_noise_level, noise_densities, progress_unit, validation_curves
from wxexp.reports.html import Picture, page
from wxexp.reports.material import Material, at_lead
from wxexp.reports.plots.decomposition import Kind
from wxexp.reports.plots.maps import score_word
from wxexp.reports.style import Drawing, date_text, lead_text, png
from wxexp.reports.survey import Survey, survey
from wxexp.reports.tables import single_sources
from wxexp.scoring.comparison import best

MOST_VARIABLES = 6
"""Variables with pictures of their own; the table has all."""
MOST_MAPS = 9
"""In a picture."""

DECOMPOSED: Mapping[Kind, str] = {
    "brier": "Parts of the Brier score (small is good) of the probability of exceeding a threshold: what the frequency of the event alone "
    "would score (uncertainty, grey), plus what probabilities that are not frequencies cost (reliability, 0 is best), less what telling "
    "events from the rest gains (resolution, large is good). The diamond is the score, what is left: that of the members as they are, "
    "which is larger than the fair one the fewer they are.",
    "corp": "Parts of the Brier score (small is good) without bins: what the frequency of the event alone would score (uncertainty, grey), "
    "plus what calibration would save (miscalibration, 0 is best), less what the forecast knows once it is calibrated (discrimination, "
    "large is good). The diamond is the score, what is left: that of the members as they are, which is larger than the fair one the "
    "fewer they are.",
    "crps": "Parts of the CRPS (small is good) of the members as they are: what members among which the truth is not at home cost, by a "
    "bias or by too little or too much spread (reliability, 0 is best), and what would be left of the score without that (potential). "
    "The diamond is the score, their sum, which is larger than the fair CRPS the fewer members there are.",
}
"""Captions of the decompositions."""

Made = tuple[str, str, Drawing, str]
"""Name, section, drawing, caption."""


def report(material: Material, *, out: Path, progress: Callable[[str], None] | None = None) -> Path:
    """Writes `index.html` (self-contained) into the folder `out`, and each picture as `<name>.png` beside the numbers in it as `<name>.nc`.

    Args:
        material: what the report is made from; pictures whose material is absent are left out.
        out: a folder, made where it is missing. Files are written under temporary names and renamed, index.html last.
        progress: called with the name of each picture when it is done.

    Returns:
        The path of index.html.
    """
    out.mkdir(parents=True, exist_ok=True)
    pictures = []
    for name, section, (figure, data), caption in _pictures(material):
        image = png(figure)
        write(out / f"{name}.png", image)
        write_data(out / f"{name}.nc", data)
        pictures.append(Picture(name, section, image, caption))
        if progress:
            progress(name)
    text = page(
        title=material.title,
        question=material.question,
        facts=_facts(material),
        rows=material.rows,
        pictures=pictures,
        record=material.record,
        provenance=material.provenance,
    )
    write(out / "index.html", text.encode())
    return out / "index.html"


def _facts(material: Material) -> list[str]:
    facts = []
    if material.items:
        first, last = date_text(material.items[0].time), date_text(material.items[-1].time)
        facts.append(f"{len(material.items)} cases, {first} to {last}" if len(material.items) > 1 else f"1 case, {first}")
    if material.sizes and len(material.items) > 1:
        each = ", ".join(f"{name} {size:.0f}" for name, size in material.sizes.items())
        facts.append(f"the CRPS of these cases tells as much as that of so many independent ones: {each}")
    if material.size:
        facts.append(f"{material.size} members" if material.size > 1 else "1 member (deterministic)")
    facts.append(f"{' × '.join(str(n) for n in material.grid.shape)} cells")
    return facts


def _pictures(material: Material) -> Iterator[Made]:
    """All pictures, in the order of the page; drawn one by one."""
    shown = list(material.units)[:MOST_VARIABLES]
    if material.members is not None:
        found = survey(material, lead=material.leads[-1])
        yield from _stamps(material, found, shown)
        yield from _plume(material, found, shown)
    if material.maps is not None:
        yield from _maps(material, material.maps, shown)
    if material.members is not None and found.pairs and material.size > 1:
        yield _spread_skill(material, found, shown)
    if material.ranks is not None and material.size != 1:
        yield from _ranks(material, material.ranks, shown)
    if material.exceedances is not None:
        yield from _thresholds(material, material.exceedances, shown)
    yield from _decompositions(material, shown)
    if material.neighbourhoods is not None:
        yield from _neighbourhoods(material, material.neighbourhoods, shown)
    if counted := {name: x for name, x in material.histograms.items() if name in shown}:
        yield from _quantiles(material, counted)
    if material.spectra is not None:
        yield from _spectra(material, material.spectra, shown)
    for group, power in material.group_spectra.items():
        yield from _spectra(material, power, shown, group=group)
    yield from _leads(material, shown)
    yield from _learning(material)


def _stamps(material: Material, found: Survey, shown: list[str]) -> Iterator[Made]:
    picks = tuple(material.picks) if material.picks is not None else found.picks
    words = ("median", "largest") if material.picks is None and len(picks) == 2 else ("",) * len(picks)
    measure = "ensemble spread" if material.size > 1 else "error"
    for lead in material.leads:
        for pick, word in zip(picks, words, strict=True):
            if lead != material.leads[-1] and pick != picks[0]:
                continue  # the first lead time of one case is enough
            for name in shown:
                truth, coarse = (material.field(lookup, pick, name, lead) for lookup in (material.truth, material.coarse))
                drawing = plots.postage_stamps(
                    material.ensemble(pick, name, lead),
                    grid=material.grid,
                    variable=name,
                    units=material.units[name],
                    time=material.items[pick].time,
                    truth=truth,
                    coarse=coarse,
                    lead_hours=lead,
                )
                case = f" (the case of {word} {measure} among {found.cases})" if word else ""
                line = material.grid.kind == "ring"
                parts = [p for p in ("truth" if truth is not None else "", "coarse input" if coarse is not None else "") if p]
                parts += (
                    ["ensemble mean", "spread (standard deviation of all members)", "the first members"]
                    if material.size > 1
                    else ["forecast"]
                )
                parts += ["the error"] if material.size == 1 and truth is not None else []
                norm = "" if line else " Fields share one colour scale; grey cells have no data."
                norm += " (√): colours go with the square root." if drawing[1].attrs.get("scale") == "square root" else ""
                caption = f"{name} of {date_text(material.items[pick].time)} {lead_text(lead)}".rstrip() + f"{case}: {_list(parts)}.{norm}"
                yield f"stamps-{name}-{_slug(material.items[pick].time, lead)}", "Cases", drawing, caption


def _plume(material: Material, found: Survey, shown: list[str]) -> Iterator[Made]:
    """Over lead times where there are several, else over the cases of a run; of an ensemble only."""
    if material.size < 2:
        return
    forecast = len(material.leads) > 1
    course = over_leads(material, (material.picks or found.picks)[0], shown) if forecast else over_times(material, found, shown)
    if not course.members or not forecast and len(course.items) < 2:
        return
    first, last = date_text(course.items[0].time), date_text(course.items[-1].time)
    drawing = plots.plume(
        course.members,
        truth=course.truth,
        units=material.units,
        places=course.places,
        lead_hours=course.lead_hours,
        times=[item.time for item in course.items],
        title=f"from {first}" if forecast else lead_text(material.leads[-1]),
    )
    if forecast:
        where = f"The forecast from {first} by lead time, in the cell in the middle of those with data"
    else:
        widest = ", with that of largest spread," if material.items[found.picks[-1]] in course.items else ","
        where = f"{len(course.items)} cases in a row, {first} to {last}{widest} for each variable in the cell of largest mean spread"
    inside = 90 * (material.size - 1) / (material.size + 1)
    caption = (
        f"{where}: what the members say (blue) and truth (black). Half of the members are in the dark ribbon; of a reliable ensemble of "
        f"{material.size} members, about {inside:.0f} % of the truth is in the light one."
    )
    yield "plume", "Cases", drawing, caption


def _maps(material: Material, maps: xr.Dataset, shown: list[str]) -> Iterator[Made]:
    single = "forecast" in single_sources(material.rows) or material.size == 1
    asked = [str(name) for name in maps.data_vars if maps[name].attrs.get("asked")]
    usual = [str(name) for name in maps.data_vars if name not in asked]
    parts = [asked[i : i + MOST_MAPS] for i in range(0, len(asked), MOST_MAPS)]
    pages = [("maps", usual), *((f"maps-asked-{i + 1}" if i else "maps-asked", part) for i, part in enumerate(parts))]
    words = {
        "bias": "bias, the mean of forecast (ensemble mean) minus truth",
        "crps": "MAE" if single else "fair CRPS, small is good",
        "spread_skill": "spread over skill, below 1 where the ensemble is too sure of itself",
    }
    for (prefix, names), lead, name in itertools.product(pages, material.leads, shown):
        fields = xr.Dataset({score: at_lead(maps[score].sel(variable=name, drop=True), lead) for score in names})
        fields = fields.drop_vars([score for score in fields.data_vars if not np.isfinite(fields[score].values).any()])
        if not fields.data_vars:
            continue
        drawing = plots.maps(fields, grid=material.grid, variable=name, units=material.units[name], lead_hours=lead, deterministic=single)
        told = [words.get(str(score)) or _score_text(str(score), str(score) in asked) for score in fields.data_vars]
        caption = f"{name} {lead_text(lead)}".rstrip() + f" in each cell over all cases: {'; '.join(told)}."
        caption += "" if material.grid.kind == "ring" else " Colours end at the 2nd and 98th percentile; grey cells have no data."
        yield f"{prefix}-{name}{_slug('', lead)}", "Where", drawing, caption


def _score_text(score: str, explained: bool) -> str:
    """What a score is called, and where asked for, which values are good."""
    good = {"small": ", small is good", "large": ", large is good", "0": ", 0 is best", "1": ", 1 is best"}
    return score_word(score) + (good.get(best(score) or "", "") if explained else "")


def _spread_skill(material: Material, found: Survey, shown: list[str]) -> Made:
    lead = material.leads[-1]
    drawing = plots.spread_skill(
        {name: found.pairs[name] for name in shown if name in found.pairs}, units=material.units, members=material.size, lead_hours=lead
    )
    caption = (
        "Error of the ensemble mean where the spread is small (left) to large (right), in bins of equally many cells of "
        f"{found.cases} cases; the spread is corrected for the size of the ensemble. On the dashed line the ensemble knows how wrong it "
        "will be; above it, it is too sure of itself."
    )
    return "spread-skill", "Calibration", drawing, caption


def _ranks(material: Material, ranks: xr.DataArray, shown: list[str]) -> Iterator[Made]:
    for lead in material.leads:
        drawing = plots.rank_histogram(
            at_lead(ranks, lead).sel(variable=[n for n in shown if n in ranks["variable"].values]), lead_hours=lead
        )
        sizes = ", ".join(
            f"{name} {size:.0f}" for name, size in zip(drawing[1]["variable"].values, drawing[1]["effective_size"].values, strict=True)
        )
        caption = (
            "How often the truth has each rank among the members, times the number of ranks: flat at 1 if truth and members are "
            "exchangeable; U-shaped if the spread is too small, a dome if too large, sloped if biased. The grey band holds each bar of a "
            f"reliable ensemble with 95 %, for as many independent ranks as the scatter between cases shows ({sizes})."
        )
        yield f"rank-histogram{_slug('', lead)}", "Calibration", drawing, caption
        pit = plots.pit_histogram(at_lead(ranks, lead).sel(variable=[n for n in shown if n in ranks["variable"].values]), lead_hours=lead)
        caption = (
            "The same over equal parts of the unit interval, comparable between ensembles of any size: bias above 0 means that the truth "
            "is higher than the members say, dispersion above 1 that they spread too little."
        )
        yield f"pit{_slug('', lead)}", "Calibration", pit, caption


def _thresholds(material: Material, found: xr.Dataset, shown: list[str]) -> Iterator[Made]:
    for lead in material.leads:
        here = at_lead(found.sel(variable=[n for n in shown if n in found["variable"].values]), lead)
        if not plots.events(here["table"]):
            continue
        drawing = plots.reliability(here["table"], bounds=here, units=dict(material.units), lead_hours=lead)
        caption = (
            "How often a threshold is exceeded where a part of the members does. Dots, as large as that part is frequent, and the line, "
            "their isotonic calibration (CORP, with its 95 % band), should lie on the diagonal; in the shaded region the forecast beats "
            "the mean frequency (dotted). MCB is what calibration would gain, DSC what it knows; MCB − DSC + UNC is the Brier score."
        )
        yield f"reliability{_slug('', lead)}", "Thresholds", drawing, caption
        drawing = plots.roc_curves(here["table"], bounds=here, units=dict(material.units), lead_hours=lead)
        caption = (
            "Hits over false alarms for every number of members that may have to exceed before one warns, with the area below and its 95 % "
            "interval: 1 tells all events from the rest, ½ (dashed) none."
        )
        yield f"roc{_slug('', lead)}", "Thresholds", drawing, caption
        drawing = plots.value_curves(here["table"], bounds=here, units=dict(material.units), lead_hours=lead)
        caption = (
            "What warnings are worth, by what protection costs, relative to the loss it prevents: 1 (dashed) is a perfect forecast, 0 to "
            "know only how often the event occurs. Each user warns from the number of members that pays best; bands are 95 % intervals. "
            "Worth most (dot) to those whose cost is the frequency of the event, given in the legend with that value."
        )
        yield f"value{_slug('', lead)}", "Thresholds", drawing, caption


def _decompositions(material: Material, shown: list[str]) -> Iterator[Made]:
    """Where their rows have been asked for."""
    for kind, told in DECOMPOSED.items():
        if names := [n for n in shown if n in plots.decomposed(material.rows, kind=kind)]:
            drawing = plots.decomposition(material.rows, kind=kind, variables=names, units=material.units)
            quantiles = kind != "crps" and any(label.startswith("q") for label in drawing[1]["threshold"].values.tolist())
            caption = told + (" Thresholds q are quantiles of the climatology of each cell." if quantiles else "")
            yield f"decomposition-{kind}", "Calibration" if kind == "crps" else "Thresholds", drawing, caption


def _neighbourhoods(material: Material, found: xr.Dataset, shown: list[str]) -> Iterator[Made]:
    for lead in material.leads:
        here = at_lead(found.sel(variable=[n for n in shown if n in found["variable"].values]), lead)
        if not np.isfinite(here["fss"]).any():
            continue
        drawing = plots.fss_by_scale(here, units=dict(material.units), cell_km=found.attrs.get("cell_km"), lead_hours=lead)
        caption = (
            "Fractions skill score: how well the part of a square in which a threshold is exceeded agrees with that of the truth, by the "
            "side of the square, with 95 % intervals; 1 is perfect. A forecast is useful from the scale where its line is above the dotted "
            "one of its colour, ½ + f/2, with f how often the event is observed; f itself (dashes at the left) is the score of single "
            "cells forecast at random."
        )
        yield f"fss{_slug('', lead)}", "Scales", drawing, caption


def _quantiles(material: Material, found: Mapping[str, xr.Dataset]) -> Iterator[Made]:
    for lead in material.leads:
        for spacing in ("linear", "log"):
            here = {name: at_lead(x, lead) for name, x in found.items() if x.attrs["spacing"] == spacing}
            if not here:
                continue
            drawing = plots.quantile_quantile(
                {name: (x["edges"].values, x["truth"].values, x["members"].values) for name, x in here.items()},
                units=material.units,
                logarithmic=spacing == "log",
                lead_hours=lead,
            )
            caption = (
                "Quantiles of all members over those of the truth, over all cells and cases; off the dashed line the forecast has another "
                "climate, beyond 99 % other extremes."
            )
            yield f"quantiles{'-log' if spacing == 'log' else ''}{_slug('', lead)}", "Distribution", drawing, caption


def _spectra(material: Material, spectra: xr.DataArray, shown: list[str], *, group: str = "") -> Iterator[Made]:
    for lead in material.leads:
        power = at_lead(spectra, lead).sel(variable=[n for n in shown if n in spectra["variable"].values])
        drawing = plots.spectra(power, units=dict(material.units), lead_hours=lead)
        box = f" On the largest box without gaps (cells {spectra.attrs['box']}), mean removed, tapered." if "box" in spectra.attrs else ""
        caption = (
            "Power by scale, averaged over cases, large scales at the left; below, its ratio to truth (grey: within 25 %). Members should "
            "follow truth at every scale; the ensemble mean is smoother wherever the members disagree."
        ) + box
        caption = f"{group}: {caption}" if group else caption
        yield f"spectra{'-' + group if group else ''}{_slug('', lead)}", "Scales", drawing, caption


def _leads(material: Material, shown: list[str]) -> Iterator[Made]:
    if len({r.lead_hours for r in material.rows if r.lead_hours is not None}) < 2:
        return
    for metric, label in (("crps", "CRPS"), ("rmse", "RMSE"), ("spread_skill", "spread / skill")):
        names = [n for n in shown if any(r.metric == metric and r.variable == n for r in material.rows)]
        if names:
            drawing = plots.score_by_lead(material.rows, metric=metric, label=label, variables=names)
            yield f"lead-{metric}", "Lead time", drawing, f"{label} by lead time, with 95 % intervals."
    have = {
        metric: {r.variable for r in material.rows if r.metric == metric and r.source == "forecast"} for metric in ("rmse", "spread_skill")
    }
    if names := [n for n in shown if n in have["rmse"] & have["spread_skill"]]:
        caption = (
            "Does the ensemble grow unsure as fast as it grows wrong? Error of its mean (solid) and its spread, corrected for its size "
            "(dashed), by lead time; below, spread over error, with 95 % intervals: 1 (dotted) for a reliable ensemble, less if it is too "
            "sure of itself."
        )
        yield "lead-spread-and-error", "Lead time", plots.spread_and_error(material.rows, variables=names), caption


def _learning(material: Material) -> Iterator[Made]:
    if curves := losses(material.history):
        yield (
            "loss",
            "Training",
            plots.loss_curves(curves, unit=progress_unit(material.history)),
            "Loss: training as it went (faint) and smoothed, and validation.",
        )
    if levels := losses_by_noise_level(material.history):
        caption = "Validation loss by noise level, at some moments of training (the darkest is the last): where learning still goes on."
        yield "loss-by-noise-level", "Training", plots.loss_by_noise_level(levels), caption
    if densities := noise_densities(material.history):
        caption = "The noise levels that training draws, as the schedule had adapted them at each checkpoint: more where errors are large."
        yield "noise-density", "Training", plots.noise_density(densities), caption
    if scores := validation_curves(material.history):
        drawing = plots.validation_scores(scores, units=material.units, unit=progress_unit(material.history))
        yield "validation", "Training", drawing, "Scores of members drawn for the validation times while training."


def _slug(time: str, lead: float | None) -> str:
    parts = [time.replace(":", "").removesuffix("T000000")] if time else []
    parts += [f"{lead:g}h"] if lead is not None else []
    return "-".join(parts) if time else "".join(f"-{p}" for p in parts)


def _list(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def write(path: Path, data: bytes) -> None:
    """Under a temporary name, then renamed."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(data)
    temporary.replace(path)


def write_data(path: Path, data: xr.Dataset) -> None:
    """The same, as netCDF."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    data.to_netcdf(temporary, engine="h5netcdf")
    temporary.replace(path)
