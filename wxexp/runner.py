"""The stages of an experiment in order: parents, fingerprints, locks, skip and resume.

    train --> sample (members over workers) --> score --> report

Each stage runs alone, is skipped when what it would write is there, and resumes where it stopped. Runs are found by fingerprint, so that
an experiment whose sampler changed uses the training that is there, and one that builds on another uses that one's run.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from wxexp import rundir
from wxexp.config import fingerprint, identities, write
from wxexp.config import load as load_record
from wxexp.config.load import import_packages
from wxexp.config.lookup import find
from wxexp.config.tree import normal, packages
from wxexp.experiment import Experiment
from wxexp.interfaces import Learner, Opened
from wxexp.progress import Progress, Silent

if TYPE_CHECKING:
    import torch

    from wxexp.members.executor import LocalExecutor

Stage = Literal["train", "sample", "score", "report"]
log = logging.getLogger("wxexp")


def loaded(where: str | Path, *, imports: Sequence[str] = ()) -> Experiment:
    """An experiment from `x.py[:function]`, a record or a run directory."""
    import_packages(imports)
    return load_record(where, Experiment).experiment


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
) -> Run:
    """All stages up to `until`; what is there already is not done again.

    Args:
        experiment: what runs is what its record says, `from_tree(to_tree(experiment))`.
        runs: where run directories are; None: $WXEXP_RUNS, else runs/.
        until: the last stage.
        progress: where to say how far it is; None: nowhere.

    Raises:
        ConfigError: the directory is in use, or not writable.
        ValueError: what a stage cannot work with.
        KeyboardInterrupt: stopped; the same call resumes.
    """
    experiment = normal(experiment)
    found = Run(experiment, rundir.prepare(rundir.directory(runs)), identities(experiment))
    return Stages(found, progress or Silent()).run(until)


class Stages:
    """One pass over a run: what several stages need is opened once."""

    def __init__(self, run: Run, progress: Progress) -> None:
        self.found, self.progress = run, progress
        self.experiment = run.experiment

    @cached_property
    def opened(self) -> Opened:
        return self.experiment.dataset.open()

    def run(self, until: Stage) -> Run:
        directory = rundir.prepare(self.found.directory)
        with rundir.lock(directory), _logged(directory / "log.txt"):
            self._record(directory)
            if not (directory / "provenance.json").exists():
                rundir.write_json(directory / "provenance.json", rundir.provenance())
            stages = {"train": self.train, "sample": self.sample, "score": self.score, "report": self.report}
            for name, stage in stages.items():
                log.info("%s begins", name)
                stage()
                if name == until:
                    break
        return self.found

    def _record(self, directory: Path) -> None:
        if not (directory / "experiment.json").exists():
            write(directory / "experiment.json", self.experiment, self.found.identities)

    def train(self) -> None:
        from wxexp.training import Interrupted, JsonlTracker, LocalSession, build, train

        train_dir, training = self.found.directory / "train", self.experiment.training
        if (train_dir / "done.json").exists():
            return
        learner = build(self.experiment, self.opened, self.parent)
        self.progress.stage("train", training.samples, "samples")
        with _threads(self.experiment.resources.threads), LocalSession(train_dir, device=self.device) as session:
            tracker = JsonlTracker(self.found.directory / "metrics.jsonl", batch_size=training.batch_size)
            try:
                train(
                    self.experiment,
                    opened=self.opened,
                    learner=learner,
                    session=session,
                    tracker=tracker,
                    progress=lambda now: self.progress.done(now.samples, "" if now.loss is None else f"loss {now.loss:.4g}"),
                )
            except Interrupted as error:
                raise KeyboardInterrupt from error
            finally:
                tracker.close()
        rundir.write_json(train_dir / "done.json", {"checkpoint": self.found.checkpoint().name})

    def parent(self, held: Experiment) -> Learner:
        """The trained learner of an experiment that this one holds: its finished run, or it is trained now."""
        from wxexp.training import load as load_checkpoint

        self.progress.line(f"{self.experiment.name} builds on {held.name}")
        found = run(held, runs=self.found.home, until="train", progress=self.progress)
        return load_checkpoint(found.checkpoint(), weights="ema")[1].freeze()

    @cached_property
    def device(self) -> torch.device:
        import torch

        chosen, there = self.experiment.resources.device, torch.cuda.is_available()
        if chosen == "cuda" and not there:
            raise ValueError("resources.device is 'cuda', and torch finds no GPU here; possible: cpu")
        return torch.device(chosen or ("cuda" if there else "cpu"))

    @cached_property
    def executor(self) -> LocalExecutor:
        from wxexp.members.executor import LocalExecutor

        return LocalExecutor(self.experiment.resources.workers)

    def sample(self) -> None:
        from wxexp.members.draw import draw

        directory = rundir.prepare(self.found.sample_dir)
        self._record(directory)
        items = self.opened.items("test")
        self.progress.stage("sample", len(items) * self.experiment.ensemble.members, "members")
        draw(
            self.experiment,
            directory=directory,
            checkpoint=self.found.checkpoint(),
            loader="wxexp.training.checkpoint:load",
            opened=self.opened,
            items=items,
            executor=self.executor,
            imports=packages(self.experiment),
            device=self.device.type,
            progress=lambda done, total: self.progress.done(done),
        )

    def score(self) -> None:
        from wxexp import scoring

        out, experiment = rundir.prepare(self.found.score_dir), self.experiment
        self._record(out)
        if (out / "table.json").exists():
            return
        tree = scoring.prepare(
            experiment, self.opened, members=self.found.sample_dir / "members.zarr", out=out, imports=packages(experiment)
        )
        cases, sources, variables = len(tree["plan"]["cases"]), len(tree["plan"]["sources"]), len(tree["plan"]["variables"])
        self.progress.stage("score", sources * (cases + variables), "items")
        scoring.score(tree=tree, executor=self.executor, out=out, progress=lambda done, _: self.progress.done(done))
        scoring.maps(tree=tree, executor=self.executor, out=out, progress=lambda done, _: self.progress.done(sources * cases + done))
        scoring.write_table(out / "table.json", scoring.finalise(experiment, out))

    def report(self) -> None:
        from wxexp.reports import report
        from wxexp.reports.gather import gather

        out = self.found.score_dir / "report"
        if not (out / "index.html").exists():
            self.progress.stage("report", 1, "page")
            material = gather(
                self.experiment,
                opened=self.opened,
                run=self.found.directory,
                members=self.found.sample_dir / "members.zarr",
                scores=self.found.score_dir,
            )
            report(material, out=out)
            self.progress.done(1)


@contextmanager
def _threads(number: int | None) -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(number or os.cpu_count() or 1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _logged(path: Path) -> Iterator[None]:
    """What the package logs goes to the run's log.txt, and how the run ended if it failed."""
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield
    except BaseException as error:
        log.error("ended by %s", type(error).__name__, exc_info=error)
        raise
    finally:
        log.removeHandler(handler)
        handler.close()
