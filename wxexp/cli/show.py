"""`show`: the tables of a run."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from wxexp.cli.arguments import command
from wxexp.cli.printing import print_table, short
from wxexp.config.tree import ConfigError

if TYPE_CHECKING:
    from wxexp.cli.arguments import Commands


def add(commands: Commands) -> None:
    """A run."""
    parser = command(commands, "show", show, help="the table of a run, and where its report is", runs=True)
    parser.add_argument("run", metavar="RUN", help="a run directory, or its name")
    parser.add_argument("--json", action="store_true", help="the table as JSON")


def show(options: argparse.Namespace, _: list[str]) -> int:
    """One table for each set of scores; as JSON the newest."""
    from wxexp import rundir

    found = rundir.resolve(options.run, rundir.directory(options.runs))
    tables = rundir.tables(found)
    if not tables:
        raise ConfigError(f"{found} has no table yet; next: python -m wxexp score {found}")
    if options.json:
        print(tables[-1].read_text(encoding="utf-8"), end="")
        return 0
    for table in tables:
        print(table.parent)
        print_table(table.parent)
        if (report := table.parent / "report" / "index.html").is_file():
            print(f"report  {short(report)}")
    return 0
