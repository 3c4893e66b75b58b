"""One page of two runs: scorecard, table with the intervals of the differences, and what is configured differently."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

import numpy as np

from wxexp.config import ConfigError
from wxexp.config import load as load_record
from wxexp.config.diff import Change
from wxexp.config.diff import compare as compare_records
from wxexp.experiment import Experiment
from wxexp.reports.html import Picture, document, figure_html
from wxexp.reports.plots.scorecard import scorecard
from wxexp.reports.report import write, write_data
from wxexp.reports.style import Drawing, date_text, lead_text, number, png, unit_text, with_units
from wxexp.reports.tables import HEADINGS
from wxexp.scoring.comparison import Comparison, Difference, compare
from wxexp.scoring.plan import FORECAST
from wxexp.scoring.table import open_sums

MOST_COLUMNS = 10
"""Metrics of a scorecard without lead times, at most: a second one goes on."""
_SIGNS = {"better": 1.0, "worse": -1.0, "same": 0.0}


@dataclasses.dataclass(frozen=True)
class Scored:
    """Scores of a run, and what they are called.

    Attributes:
        name: of the run.
        scores: folder with scores.zarr and the record of the experiment.
    """

    name: str
    scores: Path

    @property
    def label(self) -> str:
        """Of these scores among all of the run's."""
        return f"{self.name}-{self.scores.name}"


def scored(run: Path) -> Scored:
    """The latest scores of a run directory, of the drawing of members in a folder of its `samples`, or those in a folder of `scores`.

    Raises:
        ConfigError: where there are none.
    """
    own = [path.parent for pattern in ("", "scores/*/", "samples/*/scores/*/") for path in run.glob(f"{pattern}scores.zarr")]
    if not own:
        raise ConfigError(f"{run} has no scores yet; next: python -m wxexp score {run}")
    latest = max(own, key=lambda path: (path / "scores.zarr").stat().st_mtime)
    return Scored(latest.parents[3].name, latest)  # run/samples/<fingerprint>/scores/<fingerprint>


def comparison(first: Scored, second: Scored, *, out: Path) -> Path:
    """Writes `index.html` and the scorecards into the folder `out`; only scores.zarr and the records of both are read.

    Raises:
        ConfigError: for the same scores twice.
        ValueError: where they have no case, lead, variable or metric in common, or other units.
    """
    if first.scores.resolve() == second.scores.resolve():
        raise ConfigError(f"{first.scores} cannot be compared with itself: give two runs")
    names = _names(first, second)
    experiments = [load_record(each.scores, Experiment).experiment for each in (first, second)]
    sums = [open_sums(experiment, each.scores) for experiment, each in zip(experiments, (first, second), strict=True)]
    metrics = [metric for experiment in experiments for metric in experiment.scoring.metrics.values()]
    found = compare(sums[0], sums[1], metrics, names=names)
    out.mkdir(parents=True, exist_ok=True)
    pictures = []
    for name, (figure, data), caption in _cards(found, names):
        image = png(figure)
        write(out / f"{name}.png", image)
        write_data(out / f"{name}.nc", data)
        pictures.append(Picture(name, "Scorecard", image, caption))
    changes = compare_records(first.scores, second.scores)
    write(out / "index.html", _page(found, names, pictures, changes).encode())
    return out / "index.html"


def _names(first: Scored, second: Scored) -> tuple[str, str]:
    """Of the runs; of two drawings or scorings of one run, with what tells them apart."""
    if first.name != second.name:
        return first.name, second.name
    if (one := first.scores.parents[1].name) != (other := second.scores.parents[1].name):
        return f"{first.name}/{one}", f"{second.name}/{other}"
    return f"{first.name}/{first.scores.name}", f"{second.name}/{second.scores.name}"


def _cards(found: Comparison, names: tuple[str, str]) -> Iterator[tuple[str, Drawing, str]]:
    chosen = [d for d in found.differences if d.verdict is not None or np.isfinite(d.change)]
    metrics = [key for key in dict.fromkeys((d.metric, d.source) for d in chosen) if key[1] == FORECAST]  # of skill it is the score's own
    leads = list(dict.fromkeys(d.lead_hours for d in found.differences))
    variables = list(dict.fromkeys(d.variable for d in found.differences))
    size = MOST_COLUMNS if len(leads) == 1 else max(1, 24 // len(variables))
    for group in dict.fromkeys(d.group for d in found.differences):
        at = {(d.metric, d.source, d.variable, d.lead_hours): d for d in chosen if d.group == group}
        for part in range(0, len(metrics), size):
            keys = metrics[part : part + size]
            shape = len(keys), len(variables), len(leads)
            change, verdict = np.full(shape, np.nan), np.full(shape, np.nan)
            for place in np.ndindex(shape):
                if (d := at.get((*keys[place[0]], variables[place[1]], leads[place[2]]))) is not None:
                    change[place] = d.change
                    verdict[place] = np.nan if d.verdict is None else _SIGNS[d.verdict]
            drawing = scorecard(
                change, verdict, metrics=[_heading(*key) for key in keys], variables=variables, leads=leads, names=_short(names)
            )
            marked, known = int(np.isin(verdict, (1.0, -1.0)).sum()), int(np.isfinite(verdict).sum())
            where = "" if group == "all" else f" In {group}."
            caption = (
                f"Change from {names[0]} to {names[1]} of each score's distance from its best value, in per cent; ▲ better and ▼ worse "
                f"where the 95 % interval of the difference excludes 0: {marked} of {known}, of which {0.05 * known:.1f} would be marked "
                f"by chance alone if there were no difference. Pale cells do not differ significantly.{where}"
            )
            yield f"scorecard-{group}-{part // size + 1}", drawing, caption


def _short(names: tuple[str, str]) -> tuple[str, str]:
    """Without the fingerprint where the names differ before it."""
    bare = [name.rpartition("-")[0] or name for name in names]
    return (bare[0], bare[1]) if bare[0] != bare[1] else names


def _heading(metric: str, source: str) -> str:
    word = HEADINGS.get(metric, metric.replace("_", " "))
    return word if source == FORECAST else f"{word} over {source.replace('_', ' ')}"


def _page(found: Comparison, names: tuple[str, str], pictures: Sequence[Picture], changes: Sequence[Change]) -> str:
    first, last = (date_text(time) for time in found.times)
    facts = [f"{found.cases} common cases, {first} to {last}" if found.cases > 1 else f"1 common case, {first}"]
    sections = [
        ("Scorecard", "\n".join(figure_html(picture) for picture in pictures)),
        ("Differences", _table(found.differences, names)),
        ("Configuration", _changes(changes, names)),
    ]
    return document(
        title=f"{names[0]} and {names[1]}",
        question="",
        facts=facts,
        findings=_findings(found, names),
        notes=found.notes,
        sections=[(name, inner) for name, inner in sections if inner],
    )


def _findings(found: Comparison, names: tuple[str, str]) -> list[str]:
    """One sentence per variable, of the CRPS (or the first metric) at the first and the last lead."""
    metrics = [d.metric for d in found.differences if d.source == FORECAST]
    metric = "crps" if "crps" in metrics else metrics[0] if metrics else ""
    chosen = [d for d in found.differences if (d.metric, d.source, d.group) == (metric, FORECAST, "all")]
    leads = list(dict.fromkeys(d.lead_hours for d in chosen))
    out = []
    for d in (d for d in chosen if d.lead_hours in (leads[0], leads[-1])):
        where = " ".join(part for part in (d.variable, lead_text(d.lead_hours)) if part)
        values = f"{_heading(metric, FORECAST)} {number(d.second)} against {number(d.first)} {unit_text(d.units)}".rstrip()
        if d.verdict is None:
            said = "too few cases, or nothing, to tell which is better"
        elif d.verdict == "same":
            said = "no significant difference"
        else:
            said = f"{names[1]} is {d.verdict}" + (f" by {abs(100 * d.change):.1f} %" if np.isfinite(d.change) else "")
        out.append(f"{where}: {values}, {said}")
    return out


def _table(differences: Sequence[Difference], names: tuple[str, str]) -> str:
    heads = ["", *(escape(name) for name in names), "difference", "95 % interval", "change", "verdict", "independent cases"]
    top = "".join(f'<th scope="col">{head}</th>' for head in heads)
    blocks: dict[tuple[str, str, float | None], list[Difference]] = {}
    for d in differences:
        blocks.setdefault((d.variable, d.group, d.lead_hours), []).append(d)
    several = len({group for _, group, _ in blocks}) > 1
    body = []
    for (variable, group, lead), mine in blocks.items():
        title = " ".join(part for part in (variable, group if several else "", lead_text(lead)) if part)
        body.append(f'<tr class="block"><th colspan="{len(heads)}" scope="colgroup">{escape(title)}</th></tr>')
        for d in mine:
            look = {"better": ' class="better"', "worse": ' class="worse"'}.get(d.verdict or "", "")
            mark = {"better": "▲ better", "worse": "▼ worse", "same": "not significant"}.get(d.verdict or "", "–")
            cells = [
                number(d.first),
                number(d.second),
                _signed(d.second - d.first),
                "–" if d.low is None or d.high is None else f"{_signed(d.low)} to {_signed(d.high)}",
                "–" if not np.isfinite(d.change) else f"{_signed(100 * d.change, 2)} %",
                mark,
                "–" if not np.isfinite(d.size) else f"{d.size:.0f}",
            ]
            head = escape(with_units(_heading(d.metric, d.source), d.units))
            body.append(f'<tr{look}><th scope="row">{head}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>')
    return (
        f'<div class="scroll"><table class="scores"><thead><tr>{top}</tr></thead><tbody>{"".join(body)}</tbody></table></div>'
        '<p class="soft">Difference: second minus first. Intervals: of the difference, from bootstrap draws of blocks of contiguous times '
        "that are the same for both. Change: of the distance from the best value (0, or 1 for skill, correlations and ratios). Independent "
        "cases: how many would tell as much of the difference as the common cases, which are alike where they follow each other.</p>"
    )


def _changes(changes: Sequence[Change], names: tuple[str, str]) -> str:
    if not changes:
        return '<p class="soft">The records of both do not differ.</p>'
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in ("", *names))
    rows = "".join(
        f'<tr><th scope="row">{escape(c.path)}</th><td>{escape(str(c.before))}</td><td>{escape(str(c.after))}</td></tr>' for c in changes
    )
    return f'<div class="scroll"><table class="scores changes"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def _signed(value: float, digits: int = 3) -> str:
    text = number(value, digits)
    return f"+{text}" if value > 0 else text
