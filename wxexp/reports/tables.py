"""The score table, arranged once for the terminal, plain text and HTML.

Blocks are a variable (and group, and lead time); lines are sources, the forecast first; columns are metrics.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from wxexp.interfaces import Row
from wxexp.reports.style import lead_text, unit_text

HEADINGS = {
    "crps": "CRPS",
    "crpss": "CRPSS",
    "mae": "MAE",
    "rmse": "RMSE",
    "bias": "bias",
    "spread_skill": "spread/skill",
    "lsd": "LSD",
    "rank_histogram": "reliability index",
}
"""What known metrics are called, in the order of columns; others follow under their own names."""
_LOWER_IS_BETTER = ("crps", "mae", "rmse", "lsd", "rank_histogram")
_BOUNDED_IN_TEXT = ("crps", "crpss")


@dataclasses.dataclass(frozen=True)
class Cell:
    """One number as it is printed.

    Attributes:
        text: the value.
        bounds: "low–high", or "low to high" where one is negative; empty where there are none.
        best: True if no other source is better; only where several sources can be compared.
        single: True if a CRPS is that of a single forecast, and so its MAE.
    """

    text: str
    bounds: str
    best: bool
    single: bool


@dataclasses.dataclass(frozen=True)
class Block:
    """Scores of one variable; `lines` holds a source's name and a cell (or None) per column."""

    title: str
    lines: tuple[tuple[str, tuple[Cell | None, ...]], ...]


@dataclasses.dataclass(frozen=True)
class Arrangement:
    """All blocks, with common columns: (metric, heading with units where they are not the variable's)."""

    columns: tuple[tuple[str, str], ...]
    blocks: tuple[Block, ...]


def arrange(rows: Sequence[Row], *, most_leads: int = 6) -> Arrangement:
    """Rows as blocks; of more than `most_leads` lead times, that many evenly spread, first and last included."""
    metrics = _ordered(rows)
    own_units = {r.variable: r.units for r in rows if r.metric in ("crps", "mae", "rmse", "bias")}
    columns = []
    for metric in metrics:
        foreign = {unit_text(r.units) for r in rows if r.metric == metric and r.units != own_units.get(r.variable, r.units)} - {""}
        columns.append((metric, HEADINGS.get(metric, metric.replace("_", " ")) + (f" ({', '.join(sorted(foreign))})" if foreign else "")))
    leads = _spread_out(sorted({r.lead_hours for r in rows if r.lead_hours is not None}), most_leads)
    keys = dict.fromkeys((r.variable, r.group, r.lead_hours) for r in rows if r.lead_hours is None or r.lead_hours in leads)
    several_groups = len({group for _, group, _ in keys}) > 1
    blocks = []
    for variable, group, lead in keys:
        mine = [r for r in rows if (r.variable, r.group, r.lead_hours) == (variable, group, lead)]
        units = unit_text(own_units.get(variable, ""))
        title = " ".join(
            p
            for p in (variable, f"({units})" if units else "", group if several_groups else "", lead_text(lead) if len(leads) > 1 else "")
            if p
        )
        blocks.append(Block(title, _lines(mine, metrics)))
    return Arrangement(tuple(columns), tuple(blocks))


def single_sources(rows: Sequence[Row]) -> set[str]:
    """Sources of one member: their CRPS is their MAE (the CRPS of an ensemble is below the MAE of its mean unless all members agree)."""
    values = {(r.source, r.metric, r.variable, r.group, r.lead_hours): r.value for r in rows}
    single: dict[str, bool] = {}
    for (source, metric, *where), value in values.items():
        if metric == "crps":
            mae = values.get((source, "mae", *where), math.nan)  # type: ignore[arg-type]
            single[source] = single.get(source, True) and math.isclose(value, mae, rel_tol=1e-9)
    return {source for source, is_single in single.items() if is_single}


def console_table(rows: Sequence[Row], *, title: str | None = None) -> Table:
    """The table for a terminal; the best of each column and block is bold, intervals are dim."""
    arranged = arrange(rows)
    table = Table(title=title, title_justify="left", pad_edge=False, box=SIMPLE_HEAD, caption=_note(arranged), caption_justify="left")
    table.add_column("", no_wrap=True, overflow="fold")
    for _, heading in arranged.columns:
        table.add_column(heading, justify="right")
    for block in arranged.blocks:
        table.add_section()
        table.add_row(Text(block.title, style="bold cyan"))
        for source, cells in block.lines:
            shown = []
            for (metric, _), cell in zip(arranged.columns, cells, strict=True):
                text = Text("–" if cell is None else cell.text + ("*" if cell.single else ""), style="bold" if cell and cell.best else "")
                if cell and cell.bounds and metric == "crps":
                    text.append(f" {cell.bounds}", style="dim not bold")
                shown.append(text)
            table.add_row(Text(f"  {source}"), *shown)
    return table


def plain_table(rows: Sequence[Row]) -> str:
    """The table as lines of text without colours, for logs and pipes; the best of each column and block has a "!"."""
    arranged = arrange(rows)
    lines = [["source", *(heading for _, heading in arranged.columns)]]
    for block in arranged.blocks:
        lines.append([block.title])
        for source, cells in block.lines:
            line = [f"  {source}"]
            for (metric, _), cell in zip(arranged.columns, cells, strict=True):
                bounds = f" [{cell.bounds}]" if cell and cell.bounds and metric in _BOUNDED_IN_TEXT else ""
                line.append("–" if cell is None else cell.text + ("*" if cell.single else "") + ("!" if cell.best else "") + bounds)
            lines.append(line)
    widths = [max((len(line[i]) for line in lines if len(line) > max(i, 1)), default=0) for i in range(len(arranged.columns) + 1)]
    out = [
        "  ".join(
            text.ljust(width) if i == 0 else text.rjust(width) for i, (text, width) in enumerate(zip(line, widths, strict=False))
        ).rstrip()
        for line in lines
    ]
    return "\n".join([*out, *filter(None, [_note(arranged)])])


def headline(rows: Sequence[Row]) -> list[str]:
    """One sentence per variable: the forecast's CRPS, where there is one, against the best baseline's, at the first lead time of each."""
    sentences = []
    for variable in dict.fromkeys(r.variable for r in rows):
        crps = [r for r in rows if r.variable == variable and r.metric == "crps"]
        crps = [r for r in crps if (r.group, r.lead_hours) == (crps[0].group, crps[0].lead_hours)]
        forecast = next((r for r in crps if r.source == "forecast"), None)
        if forecast is None or not math.isfinite(forecast.value):
            continue
        units = unit_text(forecast.units)
        name = "MAE" if "forecast" in single_sources(rows) else "CRPS"
        sentence = (
            f"{' '.join(p for p in (variable, lead_text(forecast.lead_hours)) if p)}: {name} {_number(forecast.value, 3)} {units}".rstrip()
        )
        others = sorted((r for r in crps if r.source != "forecast" and math.isfinite(r.value)), key=lambda r: r.value)
        if others and others[0].value > 0:
            change = 100 * (forecast.value / others[0].value - 1)
            against = f"{others[0].source.replace('_', ' ')}, {_number(others[0].value, 3)} {units}".rstrip()
            sentence += f", {abs(change):.0f} % {'below' if change < 0 else 'above'} the best baseline ({against})"
        sentences.append(sentence)
    return sentences


def _ordered(rows: Sequence[Row]) -> list[str]:
    given = list(dict.fromkeys(r.metric for r in rows))
    return [m for m in HEADINGS if m in given] + [m for m in given if m not in HEADINGS]


def _spread_out(leads: list[float], most: int) -> list[float]:
    if len(leads) <= most:
        return leads
    return [leads[round(i * (len(leads) - 1) / (most - 1))] for i in range(most)]


def _lines(rows: Sequence[Row], metrics: Sequence[str]) -> tuple[tuple[str, tuple[Cell | None, ...]], ...]:
    by = {(r.source, r.metric): r for r in rows}
    sources = sorted(dict.fromkeys(r.source for r in rows), key=lambda s: s != "forecast")
    single = single_sources(rows)
    decimals = {m: _decimals([r.value for r in rows if r.metric == m]) for m in metrics}
    best = {m: _best(m, [r.value for r in rows if r.metric == m]) for m in metrics}

    def cell(source: str, metric: str) -> Cell | None:
        row = by.get((source, metric))
        if row is None:
            return None
        text = _fixed(row.value, decimals[metric])
        bounds = "" if row.low is None or row.high is None else _between(row.low, row.high, decimals[metric])
        return Cell(text, bounds, row.value == best[metric], metric == "crps" and source in single)

    return tuple((source, tuple(cell(source, m) for m in metrics)) for source in sources)


def _best(metric: str, values: list[float]) -> float | None:
    finite = [v for v in values if math.isfinite(v)]
    if len(finite) < 2:
        return None
    if metric in _LOWER_IS_BETTER or metric.startswith("crps_"):
        return min(finite)
    if metric == "bias":
        return min(finite, key=abs)
    if metric == "spread_skill":
        return min(finite, key=lambda v: abs(math.log(v)) if v > 0 else math.inf)
    return None


def _decimals(values: list[float]) -> int:
    """Decimals that give the largest value three significant digits, so that a column lines up."""
    most = max((abs(v) for v in values if math.isfinite(v)), default=0.0)
    return 3 if most == 0 else min(8, max(0, 2 - math.floor(math.log10(most))))


def _fixed(value: float, decimals: int) -> str:
    if not math.isfinite(value):
        return "–"
    text = f"{value:.{decimals}f}"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", "−")


def _between(low: float, high: float, decimals: int) -> str:
    return f"{_fixed(low, decimals)}{'–' if low >= 0 else ' to '}{_fixed(high, decimals)}"


def _number(value: float, digits: int) -> str:
    return f"{value:#.{digits}g}".rstrip(".").replace("-", "−")


def _note(arranged: Arrangement) -> str | None:
    single = any(cell and cell.single for block in arranged.blocks for _, cells in block.lines for cell in cells)
    return "* of a single forecast: its MAE, which is the CRPS of one member" if single else None
