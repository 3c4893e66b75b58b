"""`report`: the page of an experiment, or of what differs between two runs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from wxexp.cli.printing import short
from wxexp.cli.stages import add_stage, stages
from wxexp.config.tree import ConfigError

if TYPE_CHECKING:
    from wxexp.cli.arguments import Commands


def add(commands: Commands) -> None:
    """One experiment, or two runs."""
    parser = add_stage(commands, "report", report, help="up to the report")
    parser.add_argument("second", metavar="RUN", nargs="?", help="two runs: one page of their differences")
    parser.usage = f"{parser.usage}\n       python -m wxexp report RUN RUN [--runs DIR]"


def report(options: argparse.Namespace, rest: list[str]) -> int:
    """Of an experiment; of a run that is there, made anew; of two runs, their differences."""
    from wxexp import rundir

    home = rundir.directory(options.runs)
    if options.second is not None:
        if rest:
            raise ConfigError(f"report of two runs does not know {rest[0]!r}")
        return _compared(options, home)
    for run in (Path(options.experiment), home / options.experiment):
        if (run / "experiment.json").is_file() and not rest:
            tables = rundir.tables(run) or list(run.glob("table.json"))
            for table in tables:
                (table.parent / "report" / "index.html").unlink(missing_ok=True)
                options.experiment = str(table.parent)
                stages(options, rest)
            if tables:
                return 0
    return stages(options, rest)


def _compared(options: argparse.Namespace, home: Path) -> int:
    from wxexp import rundir
    from wxexp.reports.comparison import comparison, scored

    pair = [scored(rundir.resolve(name, home)) for name in (options.experiment, options.second)]
    page = comparison(*pair, out=rundir.prepare(home / "comparisons" / "-vs-".join(each.label for each in pair)))
    print(f"report  {short(page)}")
    return 0
