"""`run`, `train`, `sample`: the stages of an experiment up to one of them. `score` and `report` of an experiment are stages too."""

from __future__ import annotations

import argparse
import shlex
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
    for text in _next(experiment, options, overrides, run, until):
        print(text)
    return 0


def _next(experiment: Experiment, options: argparse.Namespace, overrides: list[str], run: Run, until: str) -> list[str]:
    """Where the result is and what to try now, of the same experiment in the same place: with the words of this command."""
    out = [f"run     {short(run.directory)}"]
    if until == "report":
        out.append(f"report  {short(run.score_dir / 'report' / 'index.html')}")
        new = {"ensemble.members": 2 * experiment.ensemble.members}
        if experiment.sampler:
            new["sampler.steps"] = max(4, experiment.sampler.steps // 2)
        kept = [word for word in overrides if word[2:].partition("=")[0] not in new]
        out.append(f"try     {_again('run', options, [*kept, *(f'--{path}={value}' for path, value in new.items())])}")
    else:
        out.append(f"next    {_again(NEXT[until], options, overrides)}")
    return out


def _again(name: str, options: argparse.Namespace, overrides: list[str]) -> str:
    """A command with the experiment, cluster, packages and place of runs of this one."""
    place = [f"--{option}={value}" for option, value in (("address", options.address), ("runs", options.runs)) if value is not None]
    imports = [f"--import={package}" for package in options.imports]
    return shlex.join(["python", "-m", "wxexp", name, options.experiment, *overrides, *place, *imports])
