"""`review`: all runs in Aim."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from wxexp.cli.arguments import command
from wxexp.cli.printing import short

if TYPE_CHECKING:
    from wxexp.cli.arguments import Commands


def add(commands: Commands) -> None:
    """Where to serve Aim, or a run to put into it anew."""
    parser = command(commands, "review", review, help="all runs in Aim, in a browser", runs=True)
    parser.add_argument("--port", type=int, help="where to serve it; else any free one")
    parser.add_argument("--rebuild", metavar="RUN", help="make what Aim has of a run anew, from its files")


def review(options: argparse.Namespace, _: list[str]) -> int:
    """Serves until Ctrl-C."""
    from wxexp import rundir
    from wxexp.tracking.review import review as serve
    from wxexp.tracking.sync import rebuild

    home = rundir.directory(options.runs)
    if options.rebuild:
        found = rundir.resolve(options.rebuild, home)
        with rundir.lock(found):
            rebuild(found, repo=home)
        print(f"rebuilt {short(found)}")
    else:
        serve(home, port=options.port, open=lambda address: print(address, flush=True))
    return 0
