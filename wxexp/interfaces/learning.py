"""Objectives, learners, and the steps of training."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from wxexp.config import Spec
from wxexp.fields.seeds import Draws
from wxexp.interfaces.data import Batch, Codec, Opened, Ports
from wxexp.interfaces.networks import Model, Network

if TYPE_CHECKING:
    from wxexp.experiment import Experiment
    from wxexp.interfaces.diffusion import Sampler, Scheduler
    from wxexp.interfaces.running import Session


class _Gather(torch.autograd.Function):
    """Concatenation over ranks; its adjoint is the sum over ranks of the cotangents' own slice."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, group: Group) -> Tensor:
        ctx.group = group
        out = [torch.empty_like(x) for _ in range(group.size)]
        dist.all_gather(out, x.contiguous(), group=group.process_group)
        return torch.stack(out)

    @staticmethod
    def backward(ctx: Any, *cotangents: Tensor) -> tuple[Tensor, None]:
        total = cotangents[0].contiguous().clone()
        dist.all_reduce(total, group=ctx.group.process_group)
        return total[ctx.group.rank], None


@dataclasses.dataclass(frozen=True)
class Group:
    """Ranks that work together; a group of one needs no process group."""

    rank: int = 0
    size: int = 1
    process_group: Any = None

    def all_gather(self, x: Tensor) -> Tensor:
        """[size, *x.shape]; differentiable: backward sums the cotangents over ranks (anything else gives 1/size of the gradient)."""
        if self.size == 1:
            return x[None]
        gathered: Tensor = _Gather.apply(x, self)  # type: ignore[no-untyped-call]
        return gathered

    def all_reduce(self, x: Tensor) -> Tensor:
        """Sum over ranks, no gradient."""
        if self.size == 1:
            return x
        x = x.detach().clone()
        dist.all_reduce(x, group=self.process_group)
        return x


@dataclasses.dataclass
class Loss:
    """What a forward pass says of each sample.

    Attributes:
        per_sample: [B]; the loop back-propagates its sum over the batch divided by batch_size.
        gamma: log-SNR of each sample [B], where there is one.
        error: unweighted error of each sample [B].
        terms: to be tracked, each [B, ...].
    """

    per_sample: Tensor
    gamma: Tensor | None = None
    error: Tensor | None = None
    terms: Mapping[str, Tensor] = dataclasses.field(default_factory=dict)

    @staticmethod
    def concatenate(losses: Sequence[Loss]) -> Loss:
        """All micro-batches of a rank, detached."""

        def join(xs: list[Tensor | None]) -> Tensor | None:
            return None if xs[0] is None else torch.cat([x.detach() for x in xs if x is not None])

        per_sample = torch.cat([loss.per_sample.detach() for loss in losses])
        terms = {name: torch.cat([loss.terms[name].detach() for loss in losses]) for name in losses[0].terms}
        return Loss(per_sample, join([x.gamma for x in losses]), join([x.error for x in losses]), terms)


@dataclasses.dataclass(frozen=True)
class Step:
    """Where training is.

    Attributes:
        number: optimiser steps done before this one.
        phase: name of the phase.
        group: ranks that share a sample.
        world: all ranks.
        draws: of this micro-batch; None in commit.
    """

    number: int
    phase: str
    group: Group
    world: Group
    draws: Draws | None = None

    def of(self, *purpose: int | str) -> Draws:
        """The draws for one purpose."""
        assert self.draws is not None, "there is nothing to draw in commit"
        return self.draws.of(*purpose)


class Optimizer(Spec):
    """How parameters follow gradients; all times are in samples, so that a change of batch size changes nothing else.

    The rate rises linearly over `warmup` samples to `rate`, which it reaches exactly, then falls along half a cosine to `final` at the
    end of training (Loshchilov and Hutter 2017).
    """

    registry: ClassVar[str] = "wxexp.experiment"
    rate: float
    warmup: int
    final: float

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """At the full `rate`; the loop sets that of each step."""
        raise NotImplementedError


@dataclasses.dataclass(frozen=True)
class Phase:
    """A part of a training step with its own parameters.

    Attributes:
        name: for records and draws.
        modules: paths of children of the learner; together the phases partition its trainable parameters.
        optimizer: None: the experiment's.
        every: runs when (step number + 1) % every == 0, on the same batch.
    """

    name: str
    modules: tuple[str, ...]
    optimizer: Optimizer | None = None
    every: int = 1


class Learner(nn.Module):
    """Owns all state of an experiment: networks, adaptive schedule, critic, likelihood scales, codec buffers.

    Attributes:
        codec: of the dataset it learns from, set by `training.build`; an inner learner has none of its own.
        made_from: plain JSON values from which a checkpoint rebuilds it without data (record, ports, grid, codec, parents), set by
            `training.build`; an inner learner has none of its own.
    """

    codec: Codec | None
    made_from: Mapping[str, Any] | None

    def __init__(self) -> None:
        super().__init__()
        self.codec = None
        self.made_from = None
        self._frozen = False

    def phases(self) -> tuple[Phase, ...]:
        """In the order in which they run in a step."""
        return (Phase("network", ("network",)),)

    def prepare(self, opened: Opened, session: Session) -> None:
        """Before step 0 only: fills buffers allocated when built, such as fitted residual statistics."""

    def cache(self, opened: Opened, scratch: Path) -> Opened:
        """At every start and in drawing: the dataset with what need not be computed twice, such as a frozen mean."""
        return opened

    def forward(self, batch: Batch, step: Step) -> Loss:
        """The loss of each sample of a training batch; draws are those of `step`."""
        raise NotImplementedError

    def validate(self, batch: Batch, step: Step) -> Loss:
        """Draws are keyed (seed, "valid", key): the same in every validation."""
        loss: Loss = self.forward(batch, step)
        return loss

    def commit(self, loss: Loss, step: Step) -> None:
        """Once per phase after its optimiser, without gradients; reduces through `step.world`."""

    def members(self, batch: Batch, draws: Draws, sampler: Sampler | None) -> Tensor:
        """[B, M, C, *S] from draws of B * M rows: lead 0 has m = M; later leads pass batch.repeat(M) and m = 1."""
        raise NotImplementedError

    def encode(self, batch: Batch) -> Batch:
        """To the space the objective works in: identity, or latent."""
        return batch

    def decode(self, y: Tensor, batch: Batch) -> Tensor:
        """Back to data space."""
        return y

    def freeze(self) -> Learner:
        """No gradients, evaluation mode, buffers included; `train(True)` on a holder does not undo it."""
        self._frozen = True
        self.requires_grad_(False)
        return self.eval()

    def train(self, mode: bool = True) -> Learner:
        super().train(mode and not self._frozen)
        return self

    def wrap(self, f: Callable[[Network], Network]) -> None:
        """After loading: tiles, rows, compile, on every network used for drawing, held ones too."""
        for name, child in list(self.named_children()):
            if isinstance(child, Learner):
                child.wrap(f)
            elif isinstance(child, Network) and child.same_size:
                setattr(self, name, f(child))


@dataclasses.dataclass(frozen=True)
class Parts:
    """What a learner is built from; a holder may alter ports."""

    opened: Opened
    ports: Ports
    model: Model
    scheduler: Scheduler | None
    parent: Callable[[Experiment], Learner]


class Objective(Spec):
    """What is learnt."""

    registry: ClassVar[str] = "wxexp.objectives"

    @property
    def group(self) -> int:
        """Workers that share a sample (distributed ensembles)."""
        return 1

    def check(self, experiment: Experiment) -> None:
        """Refuses, with a ValueError, an experiment this objective cannot learn: a scheduler or sampler missing or of no use."""

    def build(self, parts: Parts) -> Learner:
        """An untrained learner, whose buffers `prepare` or a checkpoint fills."""
        raise NotImplementedError
