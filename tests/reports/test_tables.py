import pytest
from rich.console import Console

from wxexp.interfaces import Row
from wxexp.reports import console_table, headline, plain_table
from wxexp.reports.tables import arrange, single_sources


def row(metric, source, value, *, variable="t", lead=None, group="all", low=None, high=None, units="K"):
    return Row(metric, variable, source, group, lead, value, low, high, units)


ROWS = [
    row("lsd", "bicubic", 5.0, units="dB"),
    row("crps", "bicubic", 0.25, low=0.24, high=0.26),
    row("mae", "bicubic", 0.25),
    row("bias", "bicubic", 0.02, low=-0.01, high=0.05),
    row("crps", "forecast", 0.1236, low=0.11, high=0.13),
    row("mae", "forecast", 0.17),
    row("bias", "forecast", -0.03),
    row("spread_skill", "forecast", 1.1, units="1"),
    row("spread_skill", "noise", 0.7, units="1"),
    row("crps", "noise", 0.8),
    row("mae", "noise", 0.9),
    row("lsd", "forecast", 2.0, units="dB"),
    row("crpss", "bicubic", 0.5, units="1"),
]


def cells(rows):
    arranged = arrange(rows)
    (block,) = arranged.blocks
    names = [metric for metric, _ in arranged.columns]
    return {(source, name): cell for source, line in block.lines for name, cell in zip(names, line, strict=True)}


def test_forecast_first_and_known_metrics_in_their_order():
    arranged = arrange(ROWS)
    assert [heading for _, heading in arranged.columns] == ["CRPS", "CRPSS", "MAE", "bias", "spread/skill", "LSD (dB)"]
    assert arranged.blocks[0].title == "t (K)" and [source for source, _ in arranged.blocks[0].lines] == ["forecast", "bicubic", "noise"]


def test_best_is_lowest_or_closest_to_zero_or_to_one():
    found = cells(ROWS)
    best = {key for key, cell in found.items() if cell and cell.best}
    assert best == {("forecast", "crps"), ("forecast", "mae"), ("bicubic", "bias"), ("forecast", "spread_skill"), ("forecast", "lsd")}
    alone = cells([row("crps", "forecast", 1.0)])
    assert not alone["forecast", "crps"].best


def test_numbers_of_a_column_have_the_same_decimals():
    found = cells(ROWS)
    assert [found[s, "crps"].text for s in ("forecast", "bicubic", "noise")] == ["0.124", "0.250", "0.800"]
    assert found["forecast", "bias"].text == "−0.0300" and found["bicubic", "bias"].bounds == "−0.0100 to 0.0500"
    assert found["forecast", "crps"].bounds == "0.110–0.130" and found["noise", "bias"] is None
    assert cells([row("crps", "forecast", float("nan"))])["forecast", "crps"].text == "–"


def test_the_crps_of_a_single_forecast_is_marked_as_its_mae():
    assert single_sources(ROWS) == {"bicubic"}
    found = cells(ROWS)
    assert found["bicubic", "crps"].single and not found["noise", "crps"].single and not found["bicubic", "mae"].single


def test_few_of_many_leads_and_every_region():
    rows = [row("crps", "forecast", 1.0 + d, lead=24.0 * d, group=g) for g in ("all", "tropics") for d in range(1, 41)]
    titles = [block.title for block in arrange(rows, most_leads=3).blocks]
    assert titles == [f"t (K) {g} {lead}" for g in ("all", "tropics") for lead in ("+24 h", "+21 d", "+40 d")]


def test_plain_text():
    lines = plain_table(ROWS).splitlines()
    assert lines[1] == "t (K)" and lines[2].split() == ["forecast", "0.124!", "[0.110–0.130]", "–", "0.170!", "−0.0300", "1.10!", "2.00!"]
    assert "0.250* [0.240–0.260]" in lines[3] and lines[-1].startswith("* of a single forecast")
    assert "*" not in plain_table([row("crps", "forecast", 1.0), row("mae", "forecast", 2.0)])


def test_console_table_shows_every_source_and_bold_best():
    console = Console(width=120, force_terminal=True, color_system="standard")
    segments = list(console.render(console_table(ROWS)))
    bold = [s.text.strip() for s in segments if s.style and s.style.bold]
    assert {"0.124", "t (K)"} <= set(bold) and "0.250*" not in bold
    text = "".join(s.text for s in segments)
    assert all(word in text for word in ("noise", "bicubic", "0.250*", "0.110–0.130"))


def test_headline_compares_with_the_best_baseline():
    assert headline(ROWS) == ["t: CRPS 0.124 K, 51 % below the best baseline (bicubic, 0.250 K)"]
    worse = [row("crps", "forecast", 0.5, lead=6.0), row("crps", "mean_residual", 0.4, lead=6.0), row("crps", "forecast", 9.0, lead=12.0)]
    assert headline(worse) == ["t +6 h: CRPS 0.500 K, 25 % above the best baseline (mean residual, 0.400 K)"]
    assert headline([row("crps", "bicubic", 0.5)]) == []
    assert headline([row("crps", "forecast", float("nan")), row("crps", "bicubic", 0.5)]) == []


@pytest.mark.parametrize("draw", [plain_table, console_table, arrange])
def test_no_rows(draw):
    draw([])
