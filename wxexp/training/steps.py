"""One step of training: phases, micro-batches, ranks.

A step reads `batch_size` samples over all ranks. Rank r of a world in groups of K works on the places r // K, r // K + G, ... of the
G = world / K groups, in micro-batches, and back-propagates

    sum(per_sample) * (world / K) / batch_size

whose average over ranks, which DistributedDataParallel takes, is the gradient of the mean over the batch for any uneven share: each
sample is seen by the K ranks of its group, and `Group.all_gather` sums their cotangents.

Every draw is a function of (seed, step, place). Dropout uses the global generator, seeded per (seed, step, phase, first place of the
micro-batch): it resumes exactly, and depends on ranks and micro-batches.
"""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from wxexp.experiment import Experiment
from wxexp.fields.seeds import Draws, stream
from wxexp.interfaces import Batch, Learner, Loss, Session, Step
from wxexp.training.build import phase_parameters
from wxexp.training.optimizers import PhaseOptimizer
from wxexp.training.window import Window


class Stepper:
    """What one rank does in a step.

    Attributes:
        optimizers: one per phase, in order.
        places: of this rank in the batch of all ranks.
        world: all ranks.
    """

    def __init__(self, experiment: Experiment, learner: Learner, session: Session) -> None:
        training = experiment.training
        parameters = phase_parameters(learner)
        self.optimizers = [PhaseOptimizer(phase, parameters[phase.name], training) for phase in learner.phases()]
        self.world = session.group(session.world_size)
        self._group = session.group(experiment.objective.group)
        groups, mine = session.world_size // self._group.size, session.rank // self._group.size
        share = list(range(training.batch_size))[mine::groups]
        self._weight = 1.0 if share else 0.0  # more groups than samples: an idle rank takes part with a sample that counts nothing
        self.places = share or [0]
        self._scale = self._weight * groups / training.batch_size
        size = training.micro_batch or len(self.places)
        self._micro = [slice(first, first + size) for first in range(0, len(self.places), size)]
        self._seed, self._batch_size, self._device = experiment.seed, training.batch_size, session.device
        self._learner = learner
        self._network: nn.Module = learner
        if self.world.size > 1:
            warnings.filterwarnings("ignore", message="Grad strides do not match")  # of 1 x 1 kernels in channels-last: the same memory
            several = len(self.optimizers) > 1  # a phase leaves the parameters of the others without gradients
            self._network = DistributedDataParallel(learner, forward_sync_buffers=False, find_unused_parameters=several)

    def step(self, number: int, batch: Batch, window: Window) -> None:
        """Every phase that runs in step `number`, on the same batch; adds to `window`.

        Raises:
            FloatingPointError: a loss is not finite; parameters of the phase are as before.
        """
        for optimizer in self.optimizers:
            if (number + 1) % optimizer.phase.every == 0:
                self._only(optimizer)
                self._phase(optimizer, number, batch, window)
        self._only(None)

    def _phase(self, optimizer: PhaseOptimizer, number: int, batch: Batch, window: Window) -> None:
        phase = optimizer.phase.name
        optimizer.optimizer.zero_grad(set_to_none=True)
        losses: list[Loss] = []
        finite: list[Callable[[], bool]] = []
        for rows in self._micro:
            part = (batch if len(self._micro) == 1 else batch[rows]).map(self._move)
            keys = [number * self._batch_size + place for place in self.places[rows]]
            draws = Draws.training(self._seed, number, keys, self._batch_size).of(phase)
            self._seed_dropout(number, phase, keys[0])
            with self._synchronised(last=rows is self._micro[-1]):
                loss: Loss = self._network(part, Step(number=number, phase=phase, group=self._group, world=self.world, draws=draws))
                finite.append(_finite(loss.per_sample))
                (loss.per_sample.sum() * self._scale).backward()  # type: ignore[no-untyped-call]
            losses.append(loss)
        total = Loss.concatenate(losses)
        if not all(ready() for ready in finite):
            raise FloatingPointError(_first_bad(total, number, phase, batch))
        if not self._weight:
            total = _nothing(total)
        norm = optimizer.step(number)
        with torch.no_grad():
            self._learner.commit(total, Step(number=number, phase=phase, group=self._group, world=self.world))
        window.add(phase, total, norm)

    def _seed_dropout(self, number: int, phase: str, key: int) -> None:
        seed = int(stream("dropout", self._seed, number, phase, key).integers(2**63))
        torch.default_generator.manual_seed(
            seed
        )  # torch.manual_seed also asks every other kind of device, which takes as long as a small step
        if self._device.type == "cuda":
            torch.cuda.manual_seed(seed)

    def _only(self, chosen: PhaseOptimizer | None) -> None:
        """Only parameters of the chosen phase require gradients; None: all do."""
        if len(self.optimizers) > 1:
            for optimizer in self.optimizers:
                for parameter in optimizer.parameters:
                    parameter.requires_grad_(chosen is None or optimizer is chosen)

    def _synchronised(self, *, last: bool) -> AbstractContextManager[None]:
        """Gradients are averaged over ranks with the last micro-batch."""
        if isinstance(self._network, DistributedDataParallel) and not last:
            return self._network.no_sync()
        return contextlib.nullcontext()

    def _move(self, x: Tensor) -> Tensor:
        return x.to(self._device, non_blocking=True)


def _finite(x: Tensor) -> Callable[[], bool]:
    """Whether all is finite. On a GPU the answer travels while the backward pass runs, so that asking for it does not drain the queue."""
    answer = torch.isfinite(x.detach()).all()
    if answer.device.type != "cuda":
        return lambda: bool(answer)
    there = answer.to("cpu", non_blocking=True)
    event = torch.cuda.Event()  # type: ignore[no-untyped-call]
    event.record()

    def ready() -> bool:
        event.synchronize()
        return bool(there)

    return ready


def _first_bad(loss: Loss, number: int, phase: str, batch: Batch) -> str:
    """Names the first sample whose loss is not finite."""
    row = int((~torch.isfinite(loss.per_sample)).nonzero()[0, 0])
    level = ""
    if loss.gamma is not None:
        gamma = float(loss.gamma[row])
        level = f", at noise level sigma = {math.exp(-gamma / 2):.4g} (log-SNR {gamma:.4g})"
    value = float(loss.per_sample[row])
    return (
        f"the loss of phase {phase!r} is {value} at step {number}{level}, for the sample of {batch.time[row]} (key {int(batch.key[row])})"
    )


def _nothing(loss: Loss) -> Loss:
    """The same without rows."""
    gamma = None if loss.gamma is None else loss.gamma[:0]
    error = None if loss.error is None else loss.error[:0]
    return Loss(loss.per_sample[:0], gamma, error, {name: x[:0] for name, x in loss.terms.items()})
