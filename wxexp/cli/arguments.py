"""What several commands take: where runs are, a cluster, packages to import first."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

Call = Callable[[argparse.Namespace, list[str]], int]
"""The options and the overrides of a command -> its exit status."""


def command(
    commands: Commands, name: str, call: Call, *, help: str, runs: bool = False, overrides: bool = False
) -> argparse.ArgumentParser:
    """A command that is `call`; `runs` says that it takes --runs, `overrides` that it takes --path=value."""
    parser = commands.add_parser(name, help=help, description=help, allow_abbrev=False)
    parser.set_defaults(call=call, overrides=overrides)
    if runs:
        parser.add_argument("--runs", metavar="DIR", type=Path, help="where runs are; else $WXEXP_RUNS, else runs/")
    return parser


def add_address(parser: argparse.ArgumentParser) -> None:
    """That of a Ray cluster."""
    parser.add_argument("--address", metavar="HOST:PORT", help="of a Ray cluster to join; else $RAY_ADDRESS, else one of its own")


def add_imports(parser: argparse.ArgumentParser) -> None:
    """Packages with components of their own, which are known by name once they are imported."""
    parser.add_argument("--import", dest="imports", action="append", default=[], metavar="PACKAGE", help="import it first")
