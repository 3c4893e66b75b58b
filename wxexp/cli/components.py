"""`list`: what there is of a kind."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from wxexp.cli.arguments import command
from wxexp.config.tree import ConfigError, suggest

if TYPE_CHECKING:
    from wxexp.cli.arguments import Commands


def add(commands: Commands) -> None:
    """A kind; none for the kinds themselves."""
    parser = command(commands, "list", components, help="what there is of a kind: samplers, levels, models, metrics, ...")
    parser.add_argument("kind", metavar="KIND", nargs="?")


def components(options: argparse.Namespace, _: list[str]) -> int:
    """A line for each component."""
    from wxexp import listing

    if options.kind is None:
        print("\n".join(f"{name:18} {text}" for name, (_, _, text) in listing.KINDS.items()))
        return 0
    if options.kind not in listing.KINDS:
        raise ConfigError(f"no kind {options.kind!r}{suggest(options.kind, list(listing.KINDS))}")
    rows = listing.components(options.kind)
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]) - 1)]
    for row in rows:
        print("  ".join([cell.ljust(width) for cell, width in zip(row, widths, strict=False)] + [row[-1]]).rstrip())
    return 0
