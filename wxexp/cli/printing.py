"""Tables of scores and paths, as several commands print them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wxexp.interfaces import Row


def short(path: Path) -> Path:
    """From the working directory, where it is in there."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def print_table(scores: Path) -> None:
    """The table of a directory of scores."""
    from wxexp.scoring import read_table

    print_rows(read_table(scores / "table.json"))


def print_rows(rows: Sequence[Row]) -> None:
    """With colours on a terminal, plain elsewhere; then what the table says in a sentence for each variable."""
    from wxexp.reports.tables import console_table, headline, plain_table

    if sys.stdout.isatty():
        import rich

        rich.print(console_table(rows))
    else:
        print(plain_table(rows))
    for sentence in headline(rows):
        print(sentence)
