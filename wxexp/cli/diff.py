"""`diff`: what differs between two experiments."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from wxexp.cli.arguments import command

if TYPE_CHECKING:
    from wxexp.cli.arguments import Commands


def add(commands: Commands) -> None:
    """Two experiments."""
    parser = command(commands, "diff", diff, help="what differs between two experiments")
    parser.add_argument("before", metavar="EXPERIMENT")
    parser.add_argument("after", metavar="EXPERIMENT")


def diff(options: argparse.Namespace, _: list[str]) -> int:
    """A line for each field that differs."""
    from wxexp import config

    if any(".py" in where for where in (options.before, options.after)):
        changes = config.diff(*(_tree(where) for where in (options.before, options.after)))
    else:
        changes = config.compare(Path(options.before), Path(options.after))
    for change in changes:
        print(change)
    if not changes:
        print("no difference")
    return 0


def _tree(where: str) -> object:
    """The tree of a record without importing what it names, or of what a file returns."""
    from wxexp.config.record import trees

    path = Path(where)
    if path.suffix == ".py" or ".py:" in where:
        from wxexp import runner
        from wxexp.config import to_tree

        return to_tree(runner.loaded(where))
    return trees(path)["experiment"]
