"""The command line: parsing and printing only. Heavy packages are imported by the command that needs them."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from wxexp.config.tree import ConfigError

if TYPE_CHECKING:
    from wxexp.experiment import Experiment
    from wxexp.interfaces import Row

USAGE = """\
  python -m wxexp run experiments/quickstart.py                  train, draw members, score, report
  python -m wxexp run experiments/quickstart.py --sampler.steps=8   any field of the experiment, by path
  python -m wxexp run experiments/lorenz96.py:tiny               another function of the file
  python -m wxexp show runs/quickstart-0123456789ab              the table of a run

Where EXPERIMENT is asked for: a Python file (FILE.py or FILE.py:function), a record (.json) or a run directory.
"""
STAGES = {
    "run": "all stages: train, sample, score, report",
    "train": "train only",
    "sample": "up to the members",
    "score": "up to the table of scores",
    "report": "up to the report",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the exit status: 0, 2 for what a user can mend, 130 after Ctrl-C."""
    words = list(sys.argv[1:] if argv is None else argv)
    options, rest = _parser().parse_known_args(words)
    try:
        if rest and options.command not in (*STAGES, "submit"):
            raise ConfigError(f"{options.command} does not know {rest[0]!r}")
        return int(_COMMANDS[options.command](options, rest))
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

    def add(name: str, help: str, *, runs: bool = False) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=help, description=help, allow_abbrev=False)
        if runs:
            command.add_argument("--runs", metavar="DIR", type=Path, help="where runs are; else $WXEXP_RUNS, else runs/")
        return command

    for name, help in STAGES.items():
        command = add(name, help, runs=True)
        command.add_argument("experiment", metavar="EXPERIMENT", help="FILE.py[:function], a record or a run directory")
        command.add_argument("--address", metavar="HOST:PORT", help="of a Ray cluster to join; else $RAY_ADDRESS, else one of its own")
        command.add_argument("--import", dest="imports", action="append", default=[], metavar="PACKAGE", help="import it first")
        command.usage = f"python -m wxexp {name} EXPERIMENT [--path=value ...] [--runs DIR] [--address HOST:PORT] [--import PACKAGE]"
        if name == "score":
            _add_files(command)
        if name == "report":
            command.add_argument("second", metavar="RUN", nargs="?", help="two runs: one page of their differences")
            command.usage = f"{command.usage}\n       python -m wxexp report RUN RUN [--runs DIR]"
    command = add("sweep", "every point of a sweep, and one ranked table", runs=True)
    command.add_argument("sweep", metavar="SWEEP", help="FILE.py[:function], which returns a wx.Sweep")
    command.add_argument("--address", metavar="HOST:PORT", help="of a Ray cluster to join; else $RAY_ADDRESS, else one of its own")
    command.add_argument("--import", dest="imports", action="append", default=[], metavar="PACKAGE", help="import it first")
    command = add("submit", "run it as a job of a Ray cluster, and follow it")
    command.add_argument("experiment", metavar="EXPERIMENT", help="FILE.py[:function] or a record, inside the working directory")
    command.add_argument("--address", metavar="URL", help="of the dashboard, such as http://127.0.0.1:8265; else $RAY_API_SERVER_ADDRESS")
    command.add_argument("--runs", metavar="DIR", help="where runs are on the cluster, an absolute path")
    command.add_argument("--runtime-env", metavar="FILE", type=Path, help="YAML such as clusters/runtime_env.yaml: variables of the job")
    command.add_argument("--import", dest="imports", action="append", default=[], metavar="PACKAGE", help="import it first")
    command.usage = "python -m wxexp submit EXPERIMENT --address URL --runs DIR [--path=value ...] [--runtime-env FILE] [--import PACKAGE]"
    command = add("show", "the table of a run, and where its report is", runs=True)
    command.add_argument("run", metavar="RUN", help="a run directory, or its name")
    command.add_argument("--json", action="store_true", help="the table as JSON")
    command = add("diff", "what differs between two experiments")
    command.add_argument("before", metavar="EXPERIMENT")
    command.add_argument("after", metavar="EXPERIMENT")
    command = add("list", "what there is of a kind: samplers, levels, models, metrics, ...")
    command.add_argument("kind", metavar="KIND", nargs="?")
    command = add("runs", "the runs there are", runs=True)
    command.add_argument("--delete", metavar="RUN", help="delete a run, after asking")
    command = add("review", "all runs in Aim, in a browser", runs=True)
    command.add_argument("--port", type=int, help="where to serve it; else any free one")
    command.add_argument("--rebuild", metavar="RUN", help="make what Aim has of a run anew, from its files")
    command = add("data", "fetch a source, or say what is in one")
    command.add_argument("action", choices=("fetch", "info"))
    command.add_argument("source", metavar="SOURCE", help="a source such as NRCanDaily; for info also the path of a zarr or NetCDF")
    return parser


def _add_files(score: argparse.ArgumentParser) -> None:
    """Options of `score` for files instead of an experiment."""
    score.usage = f"{score.usage}\n       python -m wxexp score --truth PATH --members PATH [--metrics A,B] [--variables A,B] [--json]"
    next(action for action in score._actions if action.dest == "experiment").nargs = "?"
    files = score.add_argument_group("forecasts made elsewhere, zarr or netCDF")
    files.add_argument("--truth", metavar="PATH", type=Path, help="fields by time")
    files.add_argument("--members", metavar="PATH", type=Path, help="forecasts by time, lead time and member")
    files.add_argument("--metrics", metavar="A,B", help="such as crps,mae; any of `list metrics` that needs no arguments")
    files.add_argument("--variables", metavar="A,B", help="else all of the members")
    files.add_argument("--json", action="store_true", help="the table as JSON")


def _score(options: argparse.Namespace, rest: list[str]) -> int:
    """A run's table, or one of files."""
    given = [f"--{name}" for name in ("truth", "members", "metrics", "variables", "json") if getattr(options, name)]
    if options.experiment is not None and not given:
        return _stages(options, rest)
    if options.experiment is not None or rest:
        raise ConfigError(f"score takes an EXPERIMENT or files: {(rest or [options.experiment])[0]!r} does not go with {', '.join(given)}")
    if options.truth is None or options.members is None:
        raise ConfigError("score needs an EXPERIMENT, or --truth PATH and --members PATH")
    from wxexp.scoring import external
    from wxexp.scoring.table import table_text

    metrics, variables = (words.split(",") if words else None for words in (options.metrics, options.variables))
    with external.read(options.truth) as truth, external.read(options.members) as members:
        rows = external.score(truth, members, metrics=metrics, variables=variables, say=lambda text: print(text, file=sys.stderr))
    if options.json:
        print(table_text(rows), end="")
    else:
        _print_rows(rows)
    return 0


def _report(options: argparse.Namespace, rest: list[str]) -> int:
    """Of an experiment; of a run that is there, made anew; of two runs, their differences."""
    from wxexp import rundir

    home = rundir.directory(options.runs)
    if options.second is not None:
        if rest:
            raise ConfigError(f"report of two runs does not know {rest[0]!r}")
        from wxexp.reports.comparison import comparison, scored

        pair = [scored(rundir.resolve(name, home)) for name in (options.experiment, options.second)]
        page = comparison(*pair, out=rundir.prepare(home / "comparisons" / "-vs-".join(each.label for each in pair)))
        print(f"report  {_short(page)}")
        return 0
    for run in (Path(options.experiment), home / options.experiment):
        if (run / "experiment.json").is_file() and not rest:
            tables = rundir.tables(run) or list(run.glob("table.json"))
            for table in tables:
                (table.parent / "report" / "index.html").unlink(missing_ok=True)
                options.experiment = str(table.parent)
                _stages(options, rest)
            if tables:
                return 0
    return _stages(options, rest)


def _stages(options: argparse.Namespace, overrides: list[str]) -> int:
    from wxexp import runner
    from wxexp.config import override
    from wxexp.progress import Console

    experiment = override(runner.loaded(options.experiment, imports=options.imports), overrides)
    with Console() as console:
        until: runner.Stage = "report" if options.command == "run" else options.command
        run = runner.run(
            experiment,
            runs=options.runs,
            until=until,
            progress=console,
            address=options.address,
            question=runner.question(options.experiment),
        )
    if until in ("score", "report"):
        _print_table(run.score_dir)
    for text in _next(experiment, options, run, until):
        print(text)
    return 0


def _submit(options: argparse.Namespace, overrides: list[str]) -> int:
    """The job's exit status."""
    from wxexp import rundir, runner
    from wxexp.config import override

    address = options.address or os.environ.get("RAY_API_SERVER_ADDRESS")
    if not address:
        raise ConfigError("submit needs --address, that of the cluster's dashboard, such as http://127.0.0.1:8265")
    override(runner.loaded(options.experiment, imports=options.imports), overrides)  # before anything is sent
    from wxexp.launch.jobs import submit

    words = [options.experiment, *overrides, *(f"--import={name}" for name in options.imports)]
    return submit(
        words + ([f"--runs={options.runs}"] if options.runs else []),
        address=address,
        working_dir=Path.cwd(),
        commit=rundir.commit(),
        runtime_env=options.runtime_env,
        say=lambda text: print(text, file=sys.stderr, flush=True),
    )


def _next(experiment: Experiment, options: argparse.Namespace, run: object, until: str) -> list[str]:
    """Where the result is and what to try now."""
    from wxexp.runner import Run

    assert isinstance(run, Run)
    out = [f"run     {_short(run.directory)}"]
    if until == "report":
        out.append(f"report  {_short(run.score_dir / 'report' / 'index.html')}")
        steps = f" --sampler.steps={max(4, experiment.sampler.steps // 2)}" if experiment.sampler else ""
        out.append(f"try     python -m wxexp run {options.experiment} --ensemble.members={2 * experiment.ensemble.members}{steps}")
    else:
        later = list(STAGES)[list(STAGES).index(until) + 1]
        out.append(f"next    python -m wxexp {later} {options.experiment}")
    return out


def _short(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _print_table(scores: Path) -> None:
    from wxexp.scoring import read_table

    _print_rows(read_table(scores / "table.json"))


def _print_rows(rows: Sequence[Row]) -> None:
    from wxexp.reports.tables import console_table, headline, plain_table

    if sys.stdout.isatty():
        import rich

        rich.print(console_table(rows))
    else:
        print(plain_table(rows))
    for sentence in headline(rows):
        print(sentence)


def _sweep(options: argparse.Namespace, _: list[str]) -> int:
    from wxexp import rundir, sweeper
    from wxexp.progress import Console

    what = sweeper.load(options.sweep, imports=options.imports)
    file, _, function = options.sweep.rpartition(".py")
    name = Path(file).name + function.replace(":", "-")
    with Console() as console:
        table = sweeper.sweep(what, name=name, runs=options.runs, address=options.address, progress=console)
    print(table.drop(columns="scores").to_string(index=False, float_format="{:.4g}".format))
    print(f"sweep   {_short(rundir.directory(options.runs) / 'sweeps' / name / 'sweep.parquet')}")
    return 0 if (table["state"] == "done").all() else 1


def _show(options: argparse.Namespace, _: list[str]) -> int:
    from wxexp import rundir

    found = rundir.resolve(options.run, rundir.directory(options.runs))
    tables = rundir.tables(found)
    if not tables:
        raise ConfigError(f"{found} has no table yet; next: python -m wxexp score {found}")
    if options.json:
        print(tables[-1].read_text(encoding="utf-8"), end="")
        return 0
    for table in tables:
        print(table.parent)
        _print_table(table.parent)
        if (report := table.parent / "report" / "index.html").is_file():
            print(f"report  {_short(report)}")
    return 0


def _diff(options: argparse.Namespace, _: list[str]) -> int:
    from wxexp.config.diff import compare, diff

    if any(".py" in where for where in (options.before, options.after)):
        changes = diff(*(_tree(where) for where in (options.before, options.after)))
    else:
        changes = compare(Path(options.before), Path(options.after))
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


def _runs(options: argparse.Namespace, _: list[str]) -> int:
    from wxexp import rundir

    home = rundir.directory(options.runs)
    if options.delete:
        found = rundir.resolve(options.delete, home)
        size = sum(f.stat().st_size for f in found.rglob("*") if f.is_file()) / 1e6
        if input(f"delete {found} ({size:.0f} MB)? [y/N] ").strip().lower() != "y":
            print("kept")
            return 1
        if (found / "aim.json").exists():
            from wxexp.tracking.aim import forget

            forget(found, home)
        rundir.delete(found)
        print(f"deleted {found}")
        return 0
    found_runs = rundir.listing(home)
    width = max((len(run.name) for run in found_runs), default=0)
    for run in found_runs:
        print(f"{run.name:{width}}  {run.when}  {run.state}")
    if not found_runs:
        print(f"no runs in {home}; first: python -m wxexp run experiments/quickstart.py")
    return 0


def _review(options: argparse.Namespace, _: list[str]) -> int:
    from wxexp import rundir
    from wxexp.tracking.review import review
    from wxexp.tracking.sync import rebuild

    home = rundir.directory(options.runs)
    if options.rebuild:
        found = rundir.resolve(options.rebuild, home)
        with rundir.lock(found):
            rebuild(found, repo=home)
        print(f"rebuilt {_short(found)}")
    else:
        review(home, port=options.port, open=lambda address: print(address, flush=True))
    return 0


def _list(options: argparse.Namespace, _: list[str]) -> int:
    from wxexp.config.tree import suggest
    from wxexp.listing import KINDS, components

    if options.kind is None:
        print("\n".join(f"{name:18} {text}" for name, (_, _, text) in KINDS.items()))
        return 0
    if options.kind not in KINDS:
        raise ConfigError(f"no kind {options.kind!r}{suggest(options.kind, list(KINDS))}")
    rows = components(options.kind)
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]) - 1)]
    for row in rows:
        print("  ".join([cell.ljust(width) for cell, width in zip(row, widths, strict=False)] + [row[-1]]).rstrip())
    return 0


def _data(options: argparse.Namespace, _: list[str]) -> int:
    from wxexp.config.tree import defaults, exports, hints, suggest
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


_COMMANDS = {
    **dict.fromkeys(STAGES, _stages),
    "score": _score,
    "report": _report,
    "sweep": _sweep,
    "submit": _submit,
    "show": _show,
    "diff": _diff,
    "list": _list,
    "runs": _runs,
    "review": _review,
    "data": _data,
}
