"""`run`, `train`, `sample`: the stages of an experiment up to one of them. `score` and `report` of an experiment are stages too."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from wxexp.cli.arguments import Call, add_address, add_imports, command
from wxexp.cli.printing import print_table, short

if TYPE_CHECKING:
    from wxexp.cli.arguments import Commands
    from wxexp.experiment import Experiment
    from wxexp.runner import Run, Stage

NEXT = {"train": "sample", "sample": "score", "score": "report"}


def add(commands: Commands) -> None:
    """Three commands that differ in where they stop."""
    add_stage(commands, "run", stages, help="all stages: train, sample, score, report")
    add_stage(commands, "train", stages, help="train only")
    add_stage(commands, "sample", stages, help="up to the members")


def add_stage(commands: Commands, name: str, call: Call, *, help: str) -> argparse.ArgumentParser:
    """A command that takes an experiment and overrides."""
    parser = command(commands, name, call, help=help, runs=True, overrides=True)
    parser.add_argument("experiment", metavar="EXPERIMENT", help="FILE.py[:function], a record or a run directory")
    add_address(parser)
    add_imports(parser)
    parser.usage = f"python -m wxexp {name} EXPERIMENT [--path=value ...] [--runs DIR] [--address HOST:PORT] [--import PACKAGE]"
    return parser


def stages(options: argparse.Namespace, overrides: list[str]) -> int:
    """Runs what is missing up to the command's stage; prints the table, where things are and what to try now."""
    from wxexp import runner
    from wxexp.config import override
    from wxexp.progress import Console

    experiment = override(runner.loaded(options.experiment, imports=options.imports), overrides)
    until: Stage = "report" if options.command == "run" else options.command
    with Console() as console:
        run = runner.run(
            experiment,
            runs=options.runs,
            until=until,
            progress=console,
            address=options.address,
            question=runner.question(options.experiment),
        )
    if until in ("score", "report"):
        print_table(run.score_dir)
    for text in _next(experiment, options.experiment, run, until):
        print(text)
    return 0


def _next(experiment: Experiment, name: str, run: Run, until: str) -> list[str]:
    """Where the result is and what to try now; `name` is how the experiment was asked for."""
    out = [f"run     {short(run.directory)}"]
    if until == "report":
        out.append(f"report  {short(run.score_dir / 'report' / 'index.html')}")
        steps = f" --sampler.steps={max(4, experiment.sampler.steps // 2)}" if experiment.sampler else ""
        out.append(f"try     python -m wxexp run {name} --ensemble.members={2 * experiment.ensemble.members}{steps}")
    else:
        out.append(f"next    python -m wxexp {NEXT[until]} {name}")
    return out
