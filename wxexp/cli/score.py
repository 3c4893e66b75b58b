"""`score`: the table of scores of an experiment, or of forecasts that were made elsewhere."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from wxexp.cli.printing import print_rows
from wxexp.cli.stages import add_stage, stages
from wxexp.config.tree import ConfigError

if TYPE_CHECKING:
    from wxexp.cli.arguments import Commands

FILES = (
    "score --truth PATH --members PATH [--reference NAME=PATH] [--metrics A,B] [--variables A,B]"
    " [--groups.NAME=SUBSET ...] [--common] [--json]"
)
PARTS = ("groups", "metrics")
"""What of an experiment's `scoring` files take by path."""


def add(commands: Commands) -> None:
    """An experiment, or files."""
    parser = add_stage(commands, "score", score, help="up to the table of scores")
    parser.usage = f"{parser.usage}\n       python -m wxexp {FILES}"
    next(action for action in parser._actions if action.dest == "experiment").nargs = "?"
    files = parser.add_argument_group(
        "forecasts made elsewhere, zarr or netCDF",
        "with parts of the grid and of the times that get rows of their own, and metrics that need arguments, as in an experiment:"
        " --groups.winter=Months --groups.winter.months=12,1,2 --metrics.hot=Brier --metrics.hot.thresholds=303.15",
    )
    files.add_argument("--truth", metavar="PATH", type=Path, help="fields by time")
    files.add_argument("--members", metavar="PATH", type=Path, help="forecasts by time, lead time and member")
    files.add_argument(
        "--reference", metavar="NAME=PATH", action="append", help="forecasts to compare with, or a climatology by time or dayofyear"
    )
    files.add_argument("--metrics", metavar="A,B", help="such as crps,mae; any of `list metrics` that needs no arguments")
    files.add_argument("--variables", metavar="A,B=C", help="else all of the members; B=C where members call B C")
    files.add_argument("--common", action="store_true", help="leave out initial times for which there is no truth, or no reference")
    files.add_argument("--json", action="store_true", help="the table as JSON")


def score(options: argparse.Namespace, rest: list[str]) -> int:
    """A run's table, or one of files."""
    names = ("truth", "members", "reference", "metrics", "variables", "common", "json")
    given = [f"--{name}" for name in names if getattr(options, name)]
    if options.experiment is not None and not given:
        return stages(options, rest)
    strange = [word for word in (options.experiment, *rest) if word and not word.startswith(tuple(f"--{part}." for part in PARTS))]
    if strange:
        raise ConfigError(f"score takes an EXPERIMENT or files: {strange[0]!r} does not go with {', '.join(given) or 'files'}")
    if options.truth is None or options.members is None:
        raise ConfigError("score needs an EXPERIMENT, or --truth PATH and --members PATH")
    _score_files(options, rest)
    return 0


def _score_files(options: argparse.Namespace, rest: list[str]) -> None:
    from wxexp.config import override
    from wxexp.config.load import import_packages
    from wxexp.experiment import Scoring
    from wxexp.scoring import external
    from wxexp.scoring.table import table_text

    import_packages(options.imports)
    parts, references = override(Scoring(), rest), _references(options.reference or ())
    metrics, variables = (
        [word.strip() for word in words.split(",")] if words is not None else None for words in (options.metrics, options.variables)
    )
    pairs = [word.partition("=")[::2] for word in variables or ()]
    theirs = {other.strip(): name.strip() for name, other in pairs if other}
    with ExitStack() as stack:
        truth = stack.enter_context(external.read(options.truth))
        members, *others = (
            data.rename({other: name for other, name in theirs.items() if other in data.data_vars})
            for data in (stack.enter_context(external.read(path)) for path in (options.members, *references.values()))
        )
        rows = external.score(
            truth,
            members,
            metrics={**external.named(metrics or ()), **parts.metrics} if parts.metrics else metrics,
            variables=None if variables is None else [name.strip() for name, _ in pairs],
            groups=parts.groups,
            references=dict(zip(references, others, strict=True)),
            common=options.common,
            say=lambda text: print(text, file=sys.stderr),
        )
    if options.json:
        print(table_text(rows), end="")
    else:
        print_rows(rows)


def _references(words: Sequence[str]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for word in words:
        name, _, path = word.partition("=")
        if not name or not path:
            raise ConfigError(f"--reference must be NAME=PATH, such as climatology=climatology.zarr, got {word!r}")
        if name in found:
            raise ConfigError(f"--reference {name} is given twice: {found[name]} and {path}")
        found[name] = Path(path)
    return found
