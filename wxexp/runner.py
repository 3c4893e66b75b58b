"""The stages of an experiment in order: parents, fingerprints, locks, skip and resume.

    train --> sample (members over workers) --> score --> report

Each stage runs alone, is skipped when what it would write is there, and resumes where it stopped. Runs are found by fingerprint, so that
an experiment whose sampler changed uses the training that is there, and one that builds on another uses that one's run.
"""

from __future__ import annotations

import ast
import dataclasses
import logging
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from wxexp import rundir
from wxexp.config import fingerprint, held, identities, to_tree, write
from wxexp.config import load as load_record
from wxexp.config.load import import_packages
from wxexp.config.lookup import find
from wxexp.config.tree import normal, packages
from wxexp.experiment import Experiment
from wxexp.interfaces import Item, Job, Opened
from wxexp.progress import Progress, Silent

if TYPE_CHECKING:
    from wxexp.launch.launcher import Launcher
    from wxexp.members.store import Layout
    from wxexp.training import Progress as Trained

Stage = Literal["train", "sample", "score", "report"]
log = logging.getLogger("wxexp")


class Drawing(TypedDict):
    """What `wxexp.members.draw` is told beside the experiment."""

    directory: Path
    checkpoint: Path
    loader: str
    imports: tuple[str, ...]
    device: str


def loaded(where: str | Path, *, imports: Sequence[str] = ()) -> Experiment:
    """An experiment from `x.py[:function]`, a record or a run directory."""
    import_packages(imports)
    return load_record(where, Experiment).experiment


def question(where: str | Path) -> str:
    """The first line of what an experiment file says of itself; empty for anything else."""
    file, colon, _ = str(where).rpartition(":")
    path = Path(file if colon and file.endswith(".py") else where)
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) if path.suffix == ".py" and path.is_file() else None
    return (text or "").partition("\n")[0]


def load(where: str | Path) -> Experiment:
    """The same, for an experiment file that builds on another: `wx.load(Path(__file__).with_name("regression.py"))`."""
    return loaded(where)


@dataclass(frozen=True)
class Run:
    """Where the results of an experiment are; `identities` are those of its sources now."""

    experiment: Experiment
    home: Path
    identities: Mapping[str, str] = field(repr=False)

    @cached_property
    def directory(self) -> Path:
        name = f"{self.experiment.name}-{fingerprint(self.experiment, 'train', self.identities)}"
        return find(self.home, self.experiment, "train", self.identities, f"{self.experiment.name}-*") or self.home / name

    @cached_property
    def sample_dir(self) -> Path:
        return self._under(self.directory / "samples", "sample")

    @cached_property
    def score_dir(self) -> Path:
        return self._under(self.sample_dir / "scores", "score")

    def _under(self, parent: Path, stage: str) -> Path:
        found = find(parent, self.experiment, stage, self.identities, "*")
        return found or parent / fingerprint(self.experiment, stage, self.identities)

    def checkpoint(self) -> Path:
        """The one members are drawn from."""
        from wxexp.training import best_checkpoint, last_checkpoint

        choose = best_checkpoint if self.experiment.training.draw_from == "best" else last_checkpoint
        if (found := choose(self.directory / "train")) is None:
            raise ValueError(f"{self.directory / 'train'} has no checkpoint; run the experiment again to train it")
        return found


def run(
    experiment: Experiment,
    *,
    runs: Path | None = None,
    until: Stage = "report",
    progress: Progress | None = None,
    address: str | None = None,
    question: str = "",
) -> Run:
    """All stages up to `until`; what is there already is not done again.

    Args:
        experiment: what runs is what its record says, `from_tree(to_tree(experiment))`.
        runs: where run directories are; None: $WXEXP_RUNS, else runs/.
        until: the last stage.
        progress: where to say how far it is; None: nowhere.
        question: what the report has under its title, kept with the run when it is begun.
        address: of a Ray cluster to join; None: $RAY_ADDRESS, else one of its own. Where this process is connected already, that is used.

    Raises:
        ConfigError: the directory is in use, or not writable; the cluster does not answer, or has not what `resources` ask for.
        ValueError: what a stage cannot work with.
        KeyboardInterrupt: stopped; the same call resumes.
    """
    experiment = normal(experiment)
    found = Run(experiment, rundir.prepare(rundir.directory(runs)), identities(experiment))
    return Stages(found, progress or Silent(), address, question).run(until)


class Stages:
    """One pass over a run: what several stages need is opened once."""

    launcher: Launcher

    def __init__(self, run: Run, progress: Progress, address: str | None = None, question: str = "") -> None:
        self.found, self.progress, self.address, self.question = run, progress, address, question
        self.experiment = run.experiment

    @cached_property
    def opened(self) -> Opened:
        return self.experiment.dataset.open()

    def run(self, until: Stage) -> Run:
        from wxexp.launch.launcher import launcher

        directory = rundir.prepare(self.found.directory)
        output = directory / "log.txt"
        with (
            _stopped_by_sigterm(),
            rundir.lock(directory),
            _logged(output, self.progress),
            self._shown(until),
            launcher(self.experiment.resources, output=output, address=self.address) as self.launcher,
        ):
            self._record(directory)
            if not (directory / "provenance.json").exists():
                rundir.write_json(directory / "provenance.json", {**rundir.provenance(), "question": self.question})
            stages = {"train": self.train, "sample": self.sample, "score": self.score, "report": self.report}
            for name, stage in stages.items():
                log.info("%s begins", name)
                stage()
                if name == until:
                    break
        return self.found

    def _shown(self, until: Stage) -> AbstractContextManager[object]:
        """What is done meanwhile is seen in Aim."""
        done = {"train": self.found.directory / "train" / "done.json", "score": self.found.score_dir / "table.json", "report": self._page}
        if self.experiment.aim is None or (until in done and done[until].exists()):
            return nullcontext()
        from wxexp.tracking.follow import Follower

        return Follower(self.found.directory, repo=self.found.home, warn=self.progress.line)

    def score_only(self) -> Path:
        """Draws and scores, in this process, a run that is trained and may be in use likewise by others; the directory of the scores."""
        from wxexp.launch.launcher import Here

        self.launcher = Here(self.experiment.resources)
        with rundir.lock(rundir.prepare(self.found.sample_dir), wait=True):
            self.sample()
            self.score()
        return self.found.score_dir

    def _record(self, directory: Path) -> None:
        if not (directory / "experiment.json").exists():
            write(directory / "experiment.json", self.experiment, self.found.identities)

    def train(self) -> None:
        from wxexp.training import Interrupted, Plan

        train_dir, experiment = self.found.directory / "train", self.experiment
        if (train_dir / "done.json").exists():
            return
        plan = Plan(
            experiment=to_tree(experiment),
            directory=str(train_dir),
            metrics=str(self.found.directory / "metrics.jsonl"),
            parents=[self.parent(one) for one in held(experiment) if isinstance(one, Experiment)],
            imports=list(packages(experiment)),
        )
        self.progress.stage("train", experiment.training.samples, "samples")

        def tell(now: Trained) -> None:
            self.progress.done(now.samples, "" if now.loss is None else f"loss {now.loss:.4g}")

        try:
            self.launcher.train(plan, opened=lambda: self.opened, progress=tell)
        except Interrupted as error:
            raise KeyboardInterrupt from error
        rundir.write_json(train_dir / "done.json", {"checkpoint": self.found.checkpoint().name})

    def parent(self, one: Experiment) -> tuple[dict[str, Any], str]:
        """An experiment that this one builds on, and the checkpoint of its finished run; it is trained now if there is none."""
        self.progress.line(f"{self.experiment.name} builds on {one.name}")
        own = dataclasses.replace(one, resources=self.experiment.resources, aim=self.experiment.aim)  # with what its holder has
        found = run(own, runs=self.found.home, until="train", progress=self.progress, address=self.address)
        return to_tree(normal(one)), str(found.checkpoint())

    @cached_property
    def items(self) -> Sequence[Item]:
        """The times that are drawn and scored."""
        return self.opened.items(self.experiment.ensemble.split)

    def sample(self) -> None:
        if self.experiment.ensemble.store is None:
            return  # they are drawn when they are scored
        from wxexp.members.draw import draw

        directory = rundir.prepare(self.found.sample_dir)
        self._record(directory)
        self.progress.stage("sample", len(self.items) * self.experiment.ensemble.members, "members")
        draw(
            self.experiment,
            opened=self.opened,
            items=self.items,
            executor=self.launcher.executor,
            progress=lambda done, total: self.progress.done(done),
            **self._drawing(),
        )

    def _drawing(self) -> Drawing:
        return {
            "directory": rundir.prepare(self.found.sample_dir),
            "checkpoint": self.found.checkpoint(),
            "loader": "wxexp.training.checkpoint:load",
            "imports": packages(self.experiment),
            "device": self.launcher.device,
        }

    def score(self) -> None:
        from wxexp import scoring

        self._record(rundir.prepare(self.found.sample_dir))
        out, experiment = rundir.prepare(self.found.score_dir), self.experiment
        self._record(out)
        if (out / "table.json").exists():
            return
        stored = self.found.sample_dir / "members.zarr" if experiment.ensemble.store else None
        tree = scoring.prepare(
            experiment,
            self.opened,
            members=stored,
            out=out,
            coordinates=None if stored else self._layout().coordinates(),
            cases=self.items,
            imports=packages(experiment),
        )
        if (other := scoring.reuse(tree=tree, out=out, others=out.parent.iterdir())) is not None:
            self.progress.line(f"sums of the same members are there, in {other}")
        self.progress.stage("score", len(scoring.work(tree["plan"])), "items")
        executor = self.launcher.executor
        if stored:
            scoring.score(tree=tree, executor=executor, out=out, progress=lambda done, _: self.progress.done(done))
        else:
            from wxexp.members.draw import chunks, plan
            from wxexp.members.drawer import maker

            scoring.scattered(
                tree=tree,
                executor=executor,
                out=out,
                make=Job(maker, plan(experiment, **self._drawing())),
                chunks=lambda place, item: chunks(experiment, item),
                in_flight=max(4, 2 * experiment.resources.workers),
                progress=lambda done, _: self.progress.done(done),
            )
        scoring.write_table(out / "table.json", scoring.finalise(experiment, out))

    def _layout(self) -> Layout:
        from wxexp.members.draw import layout

        return layout(self.experiment, self.opened, self.items)

    @property
    def _page(self) -> Path:
        return self.found.score_dir / "report" / "index.html"

    def report(self) -> None:
        from wxexp.reports import report
        from wxexp.reports.gather import gather

        if not self._page.exists():
            self.progress.stage("report", 1, "page")
            material = gather(
                self.experiment,
                opened=self.opened,
                run=self.found.directory,
                members=self.found.sample_dir / "members.zarr",
                scores=self.found.score_dir,
            )
            report(material, out=self._page.parent)
            self.progress.done(1)


@contextmanager
def _stopped_by_sigterm() -> Iterator[None]:
    """SIGTERM is as Ctrl-C, where it would end this process without a word; training has its own answer to both."""
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


class _Lines(logging.Handler):
    """Each record as a line of progress."""

    def __init__(self, progress: Progress) -> None:
        super().__init__(logging.WARNING)
        self._progress = progress

    def emit(self, record: logging.LogRecord) -> None:
        if not record.exc_info:  # what is raised is said by who catches it
            self._progress.line(f"{record.levelname.lower()}: {record.getMessage()}")


@contextmanager
def _logged(path: Path, progress: Progress) -> Iterator[None]:
    """What the package logs goes to the run's log.txt, and how the run ended if it failed; warnings are said, once for runs in runs."""
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    added: list[logging.Handler] = [handler]
    if not any(isinstance(other, _Lines) for other in log.handlers):
        added.append(_Lines(progress))
        log.addHandler(added[-1])
    try:
        yield
    except BaseException as error:
        log.error("ended by %s", type(error).__name__, exc_info=error)
        raise
    finally:
        for one in added:
            log.removeHandler(one)
            one.close()
