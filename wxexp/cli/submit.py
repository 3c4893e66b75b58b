"""`submit`: an experiment as a job of a Ray cluster."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from wxexp.cli.arguments import add_imports, command
from wxexp.config.tree import ConfigError

if TYPE_CHECKING:
    from wxexp.cli.arguments import Commands


def add(commands: Commands) -> None:
    """An experiment, overrides and where the cluster is."""
    parser = command(commands, "submit", submit, help="run it as a job of a Ray cluster, and follow it", overrides=True)
    parser.add_argument("experiment", metavar="EXPERIMENT", help="FILE.py[:function] or a record, inside the working directory")
    parser.add_argument("--address", metavar="URL", help="of the dashboard, such as http://127.0.0.1:8265; else $RAY_API_SERVER_ADDRESS")
    parser.add_argument("--runs", metavar="DIR", help="where runs are on the cluster, an absolute path")
    parser.add_argument("--runtime-env", metavar="FILE", type=Path, help="YAML such as clusters/runtime_env.yaml: variables of the job")
    add_imports(parser)
    parser.usage = "python -m wxexp submit EXPERIMENT --address URL --runs DIR [--path=value ...] [--runtime-env FILE] [--import PACKAGE]"


def submit(options: argparse.Namespace, overrides: list[str]) -> int:
    """The job's exit status."""
    from wxexp import rundir, runner
    from wxexp.config import override

    address = options.address or os.environ.get("RAY_API_SERVER_ADDRESS")
    if not address:
        raise ConfigError("submit needs --address, that of the cluster's dashboard, such as http://127.0.0.1:8265")
    override(runner.loaded(options.experiment, imports=options.imports), overrides)  # before anything is sent
    from wxexp.launch import jobs

    words = [options.experiment, *overrides, *(f"--import={name}" for name in options.imports)]
    return jobs.submit(
        words + ([f"--runs={options.runs}"] if options.runs else []),
        address=address,
        working_dir=Path.cwd(),
        commit=rundir.commit(),
        runtime_env=options.runtime_env,
        say=lambda text: print(text, file=sys.stderr, flush=True),
    )
