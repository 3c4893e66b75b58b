"""`data`: fetch a source, or say what is in one."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from wxexp.cli.arguments import command
from wxexp.config.tree import ConfigError, defaults, exports, hints, suggest

if TYPE_CHECKING:
    from wxexp.cli.arguments import Commands


def add(commands: Commands) -> None:
    """What to do, and with what."""
    parser = command(commands, "data", data, help="fetch a source, or say what is in one")
    parser.add_argument("action", choices=("fetch", "info"))
    parser.add_argument("source", metavar="SOURCE", help="a source such as NRCanDaily; for info also the path of a zarr or NetCDF")


def data(options: argparse.Namespace, _: list[str]) -> int:
    """Of a source whose fields all have defaults, or info of a file."""
    from wxexp.datasets.info import describe
    from wxexp.interfaces import Source

    path, sources = Path(options.source), exports(Source)
    if options.action == "info" and path.exists():
        print(describe(path))
        return 0
    if options.source not in sources:
        kinds = "source" if options.action == "fetch" else "source and no path"
        raise ConfigError(f"{options.source!r} is no {kinds}{suggest(options.source, sources)}")
    cls = sources[options.source]
    if missing := [name for name in hints(cls) if name not in defaults(cls)]:
        raise ConfigError(f"{options.source} needs {', '.join(missing)}; give its path to `data info` instead")
    source = cls()
    if options.action == "info":
        print(describe(source))
        return 0
    source.open()
    print(f"{options.source} is here: {source.identity()}")
    return 0
