"""The training loop: any learner, one process or several; killed at any moment, it goes on to the same bits.

Everything random in a step is a function of (seed, step, place in the batch), so a checkpoint holds state and position, nothing else.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor

from wxexp.datasets.loader import Stream, prefetch
from wxexp.experiment import Experiment, Validation
from wxexp.interfaces import Batch, Learner, Opened, Session, Tracker
from wxexp.training import checkpoint as checkpoints
from wxexp.training.ema import EMA
from wxexp.training.steps import Stepper
from wxexp.training.validation import densities, validate
from wxexp.training.window import Window

PROGRESS_SECONDS = 0.2


def tracked_steps(steps: int) -> int:
    """Steps between rows of training scalars: 50, fewer where training is short, for 200 rows."""
    return min(50, max(1, steps // 200))


class Interrupted(Exception):
    """Training was asked to stop and wrote a checkpoint; the same command again goes on."""


@dataclasses.dataclass(frozen=True)
class Progress:
    """How far training is; `loss` is the mean of the last tracked steps, None before them."""

    step: int
    samples: int
    total: int
    loss: float | None


def train(
    experiment: Experiment,
    *,
    opened: Opened,
    learner: Learner,
    session: Session,
    tracker: Tracker,
    progress: Callable[[Progress], None] | None = None,
) -> None:
    """Trains `learner` in place, from the session's latest checkpoint or from the start, to the end or until patience ends.

    A checkpoint is written at every validation, every `training.checkpoint` samples, at the end, and when the session asks to stop.
    Scalars are tracked as means since the row before, with context {"subset": "train"} (and "phase", where there are several). Rows with
    {"subset": "clock"} hold what depends on the machine; all others are the same in every run of the experiment, interrupted or not.

    Args:
        experiment: what to do; of it only `training` and `seed` are used here.
        opened: its opened dataset.
        learner: from `build`; ends with the last weights.
        session: where checkpoints go, and other ranks.
        tracker: told on rank 0 only; truncated to the checkpoint that training goes on from.
        progress: told on rank 0 only, a few times a second.

    Raises:
        Interrupted: the session asked to stop; there is a checkpoint.
        FloatingPointError: a loss or a gradient is not finite; names the step, and the noise level where there is one.
        ValueError: the checkpoint is corrupted, or not of this experiment.
        OSError: a checkpoint cannot be written; the one before is intact.
    """
    with torch.random.fork_rng(devices=[session.device] if session.device.type == "cuda" else []):
        _Loop(experiment, opened, learner, session, tracker, progress or (lambda _: None)).run()


class _Loop:
    def __init__(
        self,
        experiment: Experiment,
        opened: Opened,
        learner: Learner,
        session: Session,
        tracker: Tracker,
        progress: Callable[[Progress], None],
    ) -> None:
        training = experiment.training
        self.seed, self.training, self.session, self.tracker, self.progress = experiment.seed, training, session, tracker, progress
        self.steps = math.ceil(training.samples / training.batch_size)
        self.tracked = tracked_steps(self.steps)
        self.learner = learner.to(session.device).train()
        self.stepper = Stepper(experiment, learner, session)
        self.world, self.first = self.stepper.world, session.rank == 0
        self.window = Window(session.device)
        self.done, self.finished, self.stale = 0, False, 0
        self.best: float | None = None
        self.loss: float | None = None
        self.clock = _Clock()

        path = session.restore()
        saved = None if path is None else checkpoints.read(path)
        if saved:
            self._restore(saved)
        self.opened = learner.cache(opened, session.scratch)
        self.stream = Stream(self.opened, seed=experiment.seed, batch_size=training.batch_size)
        if not saved:
            learner.prepare(self.opened, session)
        self.ema: EMA | None = None
        if training.ema is not None:
            self.ema = EMA(learner, batch_size=training.batch_size, half_life=training.ema, rampup=training.ema_rampup)
            if saved and saved.ema is not None:
                self.ema.load(saved.ema)
        if self.first:
            tracker.truncate(self.done)

    def _restore(self, saved: checkpoints.Checkpoint) -> None:
        saved.restore(self.learner)
        for optimizer in self.stepper.optimizers:
            optimizer.optimizer.load_state_dict(saved.optimizers[optimizer.phase.name])
        state = saved.state
        self.window.load(state.window, self.world)
        self.done, self.finished, self.best, self.stale = state.step, state.finished, state.best, state.stale

    def run(self) -> None:
        self._tell()
        if self.finished:
            return
        with contextlib.closing(self._batches()) as batches:
            self._steps(batches)
        self._tell()

    def _steps(self, batches: Iterator[Batch]) -> None:
        self.clock.start(self.done)
        told = time.monotonic()
        for number, batch in zip(range(self.done, self.steps), batches, strict=True):
            self.stepper.step(number, batch, self.window)
            if self.ema:
                self.ema.update(number)
            self.done = number + 1
            if time.monotonic() - told > PROGRESS_SECONDS:
                self._tell()
                told = time.monotonic()
            self._after_step()
            if self.finished:
                return

    def _batches(self) -> Generator[Batch, None, None]:
        yield from prefetch(self._read, range(self.done, self.steps))

    def _read(self, number: int) -> Batch:
        batch = self.stream.batch(number, self.stepper.places)
        return batch.map(Tensor.pin_memory) if self.session.device.type == "cuda" else batch

    def _after_step(self) -> None:
        """What is due between two steps."""
        training, last = self.training, self.done == self.steps
        metrics: Mapping[str, float] = {}
        if training.validation and (last or self._crossed(training.validation.every)):
            metrics = self._validate(training.validation)
        self.finished = last or (training.patience is not None and self.stale >= training.patience)
        tracked = self.finished or self.done % self.tracked == 0
        if tracked:
            self._track()
        stop = not self.finished and self._asked_to_stop(tracked)
        due = self.finished or bool(metrics) or bool(training.checkpoint and self._crossed(training.checkpoint))
        if due and self.first:
            for values, context in densities(self.learner):
                self.tracker.scalars(self.done, values, context)
        if due or stop:
            self._save(metrics)
        if stop:
            raise Interrupted(f"stopped at step {self.done} of {self.steps}; the same command again goes on from there")

    def _crossed(self, every: int) -> bool:
        """The last step reached a multiple of `every` samples."""
        size = self.training.batch_size
        return self.done * size // every > (self.done - 1) * size // every

    def _asked_to_stop(self, tracked: bool) -> bool:
        """All ranks stop at the same step: they agree when scalars are tracked, a rank alone need not ask."""
        if self.world.size == 1:
            return self.session.should_stop()
        asked = torch.tensor(float(self.session.should_stop()), device=self.session.device)
        return tracked and bool(self.world.all_reduce(asked) > 0)

    def _validate(self, validation: Validation) -> Mapping[str, float]:
        """Scores of the averaged weights, on the first rank; the criterion is made known to all."""
        scores = None
        with self.clock.paused():
            if self.first:
                self.learner.eval()
                with self.ema.applied() if self.ema else contextlib.nullcontext():
                    scores = validate(self.learner, self.opened, validation, seed=self.seed, number=self.done, device=self.session.device)
                self.learner.train()
                for values, context in scores.rows:
                    self.tracker.scalars(self.done, values, context)
            mine = scores.metrics["criterion"] if scores else 0.0
            criterion = float(self.world.all_reduce(torch.tensor(mine, dtype=torch.float64, device=self.session.device)))
        if self.best is None or criterion < self.best:
            self.best, self.stale = criterion, 0
        else:
            self.stale += 1
        return scores.metrics if scores else {"criterion": criterion}

    def _track(self) -> None:
        means = self._means()
        self.window.clear()
        if not self.first:
            return
        for optimizer in self.stepper.optimizers:
            name = optimizer.phase.name
            if name in means:
                context = {"subset": "train"} | ({"phase": name} if len(self.stepper.optimizers) > 1 else {})
                self.tracker.scalars(self.done, {**means[name], "rate": optimizer.rate(self.done - 1)}, context)
                self.loss = means[name]["loss"]
        steps, seconds = self.clock.lap(self.done)
        if seconds > 0:
            self.tracker.scalars(self.done, {"samples_per_second": steps * self.training.batch_size / seconds}, {"subset": "clock"})

    def _means(self) -> Mapping[str, Mapping[str, float]]:
        """Of the steps since the last row; a gradient that was not finite shows here, before any checkpoint."""
        self.window.gather(self.world)
        means = self.window.means()
        for phase, found in means.items():
            if not math.isfinite(found.get("grad_norm", 0.0)):
                raise FloatingPointError(f"the gradient of phase {phase!r} was not finite in a step up to {self.done}, though the loss was")
        return means

    def _save(self, metrics: Mapping[str, float]) -> None:
        self._means()
        folder: Path | None = None
        with self.clock.paused():
            if self.first:
                assert self.learner.made_from is not None, "training.build makes learners"
                folder = self.session.scratch / (checkpoints.folder_name(self.done) + checkpoints.TEMPORARY)
                state = checkpoints.State(
                    step=self.done,
                    samples=self.done * self.training.batch_size,
                    finished=self.finished,
                    metrics=metrics,
                    best=self.best,
                    stale=self.stale,
                    window=self.window.state(),
                    made_from=self.learner.made_from,
                )
                averages = self.ema.weights if self.ema else None
                optimizers = {optimizer.phase.name: optimizer.optimizer for optimizer in self.stepper.optimizers}
                checkpoints.write(folder, learner=self.learner, ema=averages, optimizers=optimizers, state=state)
            self.session.report(metrics, folder)

    def _tell(self) -> None:
        if self.first:
            size = self.training.batch_size
            self.progress(Progress(step=self.done, samples=self.done * size, total=self.steps * size, loss=self.loss))


class _Clock:
    """Seconds of training, without those of validations and checkpoints."""

    def __init__(self) -> None:
        self._began, self._pause, self._step = 0.0, 0.0, 0

    def start(self, step: int) -> None:
        self._began, self._pause, self._step = time.monotonic(), 0.0, step

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        began = time.monotonic()
        yield
        self._pause += time.monotonic() - began

    def lap(self, step: int) -> tuple[int, float]:
        """Steps and seconds since the last lap."""
        steps, seconds = step - self._step, time.monotonic() - self._began - self._pause
        self.start(step)
        return steps, seconds
