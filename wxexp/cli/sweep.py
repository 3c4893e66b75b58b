"""`sweep`: every point of a sweep."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from wxexp.cli.arguments import add_address, add_imports, command
from wxexp.cli.printing import short

if TYPE_CHECKING:
    from wxexp.cli.arguments import Commands


def add(commands: Commands) -> None:
    """A sweep and a cluster."""
    parser = command(commands, "sweep", sweep, help="every point of a sweep, and one ranked table", runs=True)
    parser.add_argument("sweep", metavar="SWEEP", help="FILE.py[:function], which returns a wx.Sweep")
    add_address(parser)
    add_imports(parser)


def sweep(options: argparse.Namespace, _: list[str]) -> int:
    """Prints the ranked table; 1 where a point failed."""
    from wxexp import rundir, sweeper
    from wxexp.progress import Console

    what = sweeper.load(options.sweep, imports=options.imports)
    file, _, function = options.sweep.rpartition(".py")
    name = Path(file).name + function.replace(":", "-")
    with Console() as console:
        table = sweeper.sweep(what, name=name, runs=options.runs, address=options.address, progress=console)
    print(table.drop(columns="scores").to_string(index=False, float_format="{:.4g}".format))
    print(f"sweep   {short(rundir.directory(options.runs) / 'sweeps' / name / 'sweep.parquet')}")
    return 0 if (table["state"] == "done").all() else 1
