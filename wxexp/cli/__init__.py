"""The command line: parsing and printing only. Heavy packages are imported by the command that needs them.

Each file is a command (`stages` has three that differ in where they stop): `add` says what it takes, the function beside it does it and
returns the exit status. To add a command, write such a file and name it in `COMMANDS`, in the order of the help.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from wxexp.cli import components, data, diff, report, review, runs, score, show, stages, submit, sweep
from wxexp.config.tree import ConfigError

COMMANDS = (stages, score, report, sweep, submit, show, diff, components, runs, review, data)
USAGE = """\
  python -m wxexp run experiments/quickstart.py                  train, draw members, score, report
  python -m wxexp run experiments/quickstart.py --sampler.steps=8   any field of the experiment, by path
  python -m wxexp run experiments/lorenz96.py:tiny               another function of the file
  python -m wxexp show runs/quickstart-0123456789ab              the table of a run

Where EXPERIMENT is asked for: a Python file (FILE.py or FILE.py:function), a record (.json) or a run directory.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the exit status: 0, 2 for what a user can mend, 130 after Ctrl-C."""
    words = list(sys.argv[1:] if argv is None else argv)
    options, rest = _parser().parse_known_args(words)
    try:
        if rest and not options.overrides:
            raise ConfigError(f"{options.command} does not know {rest[0]!r}")
        return int(options.call(options, rest))
    except KeyboardInterrupt:
        print("\nstopped; the same command goes on from here", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `wxexp show RUN | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, OSError, FloatingPointError) as error:
        if os.environ.get("WXEXP_TRACEBACK"):
            raise
        print(f"wxexp: {' '.join(str(error).split())}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m wxexp",
        description="Probabilistic weather and climate experiments, each one plain Python file.",
        epilog=USAGE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    return parser
