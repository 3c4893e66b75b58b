"""One self-contained page: pictures are inside it, nothing is loaded from elsewhere, no script runs."""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Mapping, Sequence
from html import escape

from wxexp.interfaces import Row
from wxexp.reports.tables import Cell, arrange, headline

_CSS = """
:root { color-scheme: light; --ink: #1b1f24; --soft: #5b6470; --line: #d9dee4; --ground: #ffffff; --mark: #eef4fa; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 1.5rem 1.1rem 4rem; background: var(--ground); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .3rem; }
h2 { font-size: 1.2rem; margin: 2.6rem 0 .6rem; padding-top: 1rem; border-top: 1px solid var(--line); }
p { margin: .4rem 0; } .soft { color: var(--soft); font-size: .92rem; }
ul.findings { background: var(--mark); border-radius: .5rem; padding: .8rem 1.1rem .8rem 2rem; margin: 1rem 0; }
nav { margin: 1rem 0 0; font-size: .92rem; } nav a { display: inline-block; margin-right: 1rem; color: #0b5394; }
.scroll { overflow-x: auto; -webkit-overflow-scrolling: touch; }
table.scores { border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums; min-width: 100%; overflow-wrap: normal; }
table.scores th, table.scores td { padding: .3rem .45rem; text-align: right; vertical-align: top; white-space: nowrap; }
table.scores th:first-child { text-align: left; font-weight: 400; position: sticky; left: 0; background: var(--ground); }
table.scores thead th { white-space: normal; vertical-align: bottom; border-bottom: 1.5px solid var(--ink); font-weight: 600; }
table.scores tr.block th { font-weight: 700; padding-top: .9rem; border-bottom: 1px solid var(--line); }
table.changes td { text-align: left; white-space: normal; }
tr.better td:nth-child(7) { color: #0b5394; font-weight: 700; } tr.worse td:nth-child(7) { color: #a3320b; font-weight: 700; }
table.scores tr.forecast td, table.scores tr.forecast th { background: var(--mark); }
abbr { text-decoration: none; color: var(--soft); font-size: .78rem; }
.bounds { display: block; color: var(--soft); font-size: .78rem; font-weight: 400; }
figure { margin: 1.4rem 0 2rem; } figure img { display: block; width: 100%; min-width: 34rem; height: auto; }
figcaption { color: var(--soft); font-size: .9rem; margin-top: .4rem; max-width: 46rem; }
details { margin: .6rem 0; } summary { cursor: pointer; font-weight: 600; }
pre { background: #f6f8fa; border-radius: .4rem; padding: .8rem; font-size: .78rem; line-height: 1.4; overflow-x: auto; overflow-wrap:
normal; } dl { display: grid; grid-template-columns: minmax(7rem, auto) 1fr; gap: .2rem 1rem; font-size: .9rem; } dt { color: var(--soft);
} dd { margin: 0; } @media print { body { max-width: none; } figure img { min-width: 0; } }
"""


@dataclasses.dataclass(frozen=True)
class Picture:
    """A PNG in a section of the page.

    Attributes:
        name: of the file, without suffix.
        section: heading it stands under.
        png: the bytes.
        caption: what it shows and how to read it.
    """

    name: str
    section: str
    png: bytes
    caption: str


def page(
    *,
    title: str,
    question: str,
    facts: Sequence[str],
    rows: Sequence[Row],
    pictures: Sequence[Picture],
    record: Mapping[str, object],
    provenance: Mapping[str, object],
) -> str:
    """The page as HTML. `facts` are shown in one line under the title; `record` and `provenance` are folded and listed at the end."""
    sections: list[tuple[str, str]] = []
    if rows:
        sections.append(("Scores", score_table(rows)))
    for section in dict.fromkeys(p.section for p in pictures):
        sections.append((section, "\n".join(figure_html(p) for p in pictures if p.section == section)))
    if record:
        text = escape(json.dumps(record, indent=2, ensure_ascii=False))
        sections.append(("Configuration", f"<details><summary>The experiment, every value</summary><pre>{text}</pre></details>"))
    if provenance:
        sections.append(("Provenance", _listing(provenance)))
    return document(title=title, question=question, facts=facts, findings=headline(rows), sections=sections)


def document(
    *,
    title: str,
    question: str,
    facts: Sequence[str],
    findings: Sequence[str],
    sections: Sequence[tuple[str, str]],
    notes: Sequence[str] = (),
) -> str:
    """A page of sections (heading, HTML); findings are sentences in a box, facts one line and notes one line each under the title."""
    links = "".join(f'<a href="#{_anchor(name)}">{escape(name)}</a>' for name, _ in sections)
    said = "".join(f"<li>{escape(sentence)}.</li>" for sentence in findings)
    body = [
        f"<header><h1>{escape(title)}</h1>",
        f"<p>{escape(question)}</p>" if question else "",
        f'<p class="soft">{escape(" · ".join(facts))}</p>' if facts else "",
        *(f'<p class="soft">{escape(note)}.</p>' for note in notes),
        f'<ul class="findings">{said}</ul>' if said else "",
        f"<nav>{links}</nav></header>",
        *(f'<section id="{_anchor(name)}"><h2>{escape(name)}</h2>\n{inner}</section>' for name, inner in sections),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{escape(title)}</title><style>{_CSS}</style></head>\n'
        f"<body>{chr(10).join(filter(None, body))}</body></html>\n"
    )


def score_table(rows: Sequence[Row]) -> str:
    """The table, best values bold, intervals below the values, with a legend."""
    arranged = arrange(rows)
    width = len(arranged.columns) + 1
    head = "".join(f'<th scope="col">{escape(heading)}</th>' for _, heading in arranged.columns)
    lines = []
    for block in arranged.blocks:
        lines.append(f'<tr class="block"><th colspan="{width}" scope="colgroup">{escape(block.title)}</th></tr>')
        for source, cells in block.lines:
            look = ' class="forecast"' if source == "forecast" else ""
            lines.append(f'<tr{look}><th scope="row">{escape(source.replace("_", " "))}</th>{"".join(map(_cell, cells))}</tr>')
    single = any(cell and cell.single for block in arranged.blocks for _, cells in block.lines for cell in cells)
    return (
        f'<div class="scroll"><table class="scores"><thead><tr><th></th>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table></div>'
        f'<p class="soft">{escape(" ".join(_legend(rows, single=single)))}</p>'
    )


def _cell(cell: Cell | None) -> str:
    if cell is None:
        return "<td>–</td>"
    value = f"<strong>{cell.text}</strong>" if cell.best else cell.text
    mark = ' <abbr title="of a single forecast: its mean absolute error">MAE</abbr>' if cell.single else ""
    bounds = f'<span class="bounds">{cell.bounds}</span>' if cell.bounds else ""
    return f"<td>{value}{mark}{bounds}</td>"


def _legend(rows: Sequence[Row], *, single: bool) -> list[str]:
    """A sentence for each thing in the table that needs one; `single`: a cell is the CRPS of a single forecast."""
    notes = ["Bold: the best source of a variable."]
    if any(r.metric == "crps" for r in rows):
        notes.append("CRPS: the fair one, which does not depend on the number of members.")
    if any(r.low is not None for r in rows):
        notes.append("Small numbers: 95 % bootstrap intervals over blocks of contiguous times.")
    if single:
        notes.append("MAE: the CRPS of a single forecast is its mean absolute error.")
    if any(r.metric in ("mae", "rmse", "bias") for r in rows):
        notes.append("MAE, RMSE and bias are those of the ensemble mean.")
    if any(r.metric == "crpss" for r in rows):
        notes.append("CRPSS: part of the baseline's CRPS that the forecast saves; above 0 the forecast is better.")
    return notes


def figure_html(picture: Picture) -> str:
    """A picture with its caption."""
    data = base64.b64encode(picture.png).decode("ascii")
    alt = escape(picture.caption, quote=True)
    return (
        f'<figure id="{_anchor(picture.name)}"><div class="scroll"><img alt="{alt}" src="data:image/png;base64,{data}"></div>'
        f"<figcaption>{escape(picture.caption)}</figcaption></figure>"
    )


def _listing(values: Mapping[str, object]) -> str:
    items = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))}</dd>"
        for name, value in values.items()
    )
    return f"<dl>{items}</dl>"


def _anchor(name: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in name.lower())
