"""`runs`: the runs there are, and the end of one."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from wxexp.cli.arguments import command

if TYPE_CHECKING:
    from wxexp.cli.arguments import Commands


def add(commands: Commands) -> None:
    """All runs, or one to delete."""
    parser = command(commands, "runs", runs, help="the runs there are", runs=True)
    parser.add_argument("--delete", metavar="RUN", help="delete a run, after asking")


def runs(options: argparse.Namespace, _: list[str]) -> int:
    """A line for each run; 1 where one was to be deleted and is kept."""
    from wxexp import rundir

    home = rundir.directory(options.runs)
    if options.delete:
        return _delete(options.delete, home)
    found = rundir.listing(home)
    width = max((len(run.name) for run in found), default=0)
    for run in found:
        print(f"{run.name:{width}}  {run.when}  {run.state}")
    if not found:
        print(f"no runs in {home}; first: python -m wxexp run experiments/quickstart.py")
    return 0


def _delete(name: str, home: Path) -> int:
    from wxexp import rundir

    found = rundir.resolve(name, home)
    size = sum(f.stat().st_size for f in found.rglob("*") if f.is_file()) / 1e6
    try:
        answer = input(f"delete {found} ({size:.0f} MB)? [y/N] ")
    except EOFError:  # nobody is there to answer
        print()
        answer = ""
    if answer.strip().lower() != "y":
        print("kept")
        return 1
    if (found / "aim.json").exists():
        from wxexp.tracking.aim import forget

        forget(found, home)
    rundir.delete(found)
    print(f"deleted {found}")
    return 0
