"""What a deterministic model leaves over, learnt by another objective.

With mu the field that a frozen regression gives for the condition c, and o, s the mean and standard deviation of x - mu over the training
items, the inner objective learns r = (x - mu - o) / s given (c, mu), and a member is mu + o + s r. Mean and residual are modelled apart as
in CorrDiff (Mardani et al. 2025, doi:10.1038/s43247-025-02042-5), and the residual is standardised before it is learnt as for sea-ice
surrogates (Finn et al. 2024, doi:10.1029/2024MS004395).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from wxexp.config import to_tree
from wxexp.experiment import Experiment
from wxexp.fields.seeds import Draws
from wxexp.interfaces import (
    Batch,
    Frame,
    Item,
    Learner,
    Loss,
    Objective,
    Opened,
    Parts,
    Phase,
    Sampler,
    Session,
    Step,
)
from wxexp.objectives.cached_mean import MEAN, CachedMean, weights_name
from wxexp.objectives.denoising import Denoising
from wxexp.objectives.regression import Regression

ITEMS = 8  # training items read at a time to fit the residual
INNER = "inner."  # what the inner learner has cached is this, then its own name, among the extra fields of a batch


class Residual(Objective):
    """The target minus the field of a regression, standardised, learnt by `of`, whose network sees that field as further condition.

    The regression is found by its fingerprint among the finished runs, or trained first; its weights stay as they are.
    """

    mean: Experiment
    """An experiment on the same dataset whose objective is Regression."""
    of: Objective = Denoising()
    """How the residual is learnt."""

    @property
    def group(self) -> int:
        return self.of.group

    def check(self, experiment: Experiment) -> None:
        if not isinstance(self.mean.objective, Regression):
            raise ValueError(f"Residual.mean must be an experiment whose objective is Regression, got {type(self.mean.objective).__name__}")
        if to_tree(self.mean.dataset) != to_tree(experiment.dataset):
            raise ValueError(f"Residual.mean must have the dataset of the experiment that holds it, got that of {self.mean.name!r}")
        self.of.check(experiment)

    def build(self, parts: Parts) -> ResidualLearner:
        return ResidualLearner(self, parts)


class ResidualLearner(Learner):
    """A frozen regression and the learner of what it leaves over.

    Buffers, filled by `prepare`: `offset` and `scale` [C], mean and standard deviation of the residual of each target variable.
    """

    offset: Tensor
    scale: Tensor

    def __init__(self, spec: Residual, parts: Parts) -> None:
        super().__init__()
        assert parts.ports.grid is not None, "datasets have a grid"
        self.full = parts.ports.grid.shape
        self.ports = dataclasses.replace(parts.ports, condition=parts.ports.condition + parts.ports.out)
        self.mean = parts.parent(spec.mean).freeze()
        self.inner = spec.of.build(dataclasses.replace(parts, ports=self.ports))
        self.register_buffer("offset", torch.zeros(parts.ports.out))
        self.register_buffer("scale", torch.ones(parts.ports.out))

    def phases(self) -> tuple[Phase, ...]:
        return tuple(dataclasses.replace(p, modules=tuple(f"inner.{name}" for name in p.modules)) for p in self.inner.phases())

    @torch.no_grad()
    def prepare(self, opened: Opened, session: Session) -> None:
        """Fits offset and scale over all valid cells of all training items, every cell the same, each rank its share of the items.

        Raises:
            ValueError: the residual of a variable does not vary, or is not finite.
        """
        world = session.group(session.world_size)
        items = opened.items("train")[session.rank :: session.world_size]
        sums = torch.zeros(3, len(self.scale), dtype=torch.float64, device=session.device)  # cells, residuals, their squares
        for first in range(0, len(items), ITEMS):
            batch = opened.read(items[first : first + ITEMS]).to(session.device)
            assert batch.target is not None, "training items have truth"
            mask = batch.mask.expand_as(batch.target)
            residual = torch.where(mask, batch.target - self._mean(batch), 0.0).double()
            terms = (mask.double(), residual, residual.square())
            sums += torch.stack([term.transpose(0, 1).flatten(1).sum(1) for term in terms])
        count, total, squares = world.all_reduce(sums)
        offset = total / count
        scale = (squares / count - offset.square()).clamp(min=0).sqrt()
        for name, s in zip(opened.codec.targets, scale.tolist(), strict=True):
            if not 0 < s < float("inf"):
                raise ValueError(f"the residual of {name} must vary over the training items, got a standard deviation of {s:g}")
        self.offset.copy_(offset)
        self.scale.copy_(scale)
        self.inner.prepare(_Left(self, opened), session)

    def cache(self, opened: Opened, scratch: Path) -> Opened:
        """With the mean of full fields, computed once, and what the inner learner has cached; bits are those without a cache.

        Later leads of a forecast, and patches, have other means than the item, which are computed.
        """
        found: Opened = CachedMean(opened, scratch / f"mean-{weights_name(self.mean)}", self._alone)
        left = _Left(self, found)
        inner = self.inner.cache(left, scratch)
        return found if inner is left else _WithInner(found, inner)

    def left(self, batch: Batch) -> Batch:
        """What the inner learner sees: the standardised residual for a target, the mean appended to the condition."""
        return self._left(batch, self._mean(batch))

    def _left(self, batch: Batch, mu: Tensor) -> Batch:
        """The same with a given mean."""
        target = None
        if batch.target is not None:
            target = torch.where(batch.mask, (batch.target - mu - self._wide(self.offset, mu)) / self._wide(self.scale, mu), 0.0)
        extra = {name.removeprefix(INNER): x for name, x in batch.extra.items() if name != MEAN}
        return dataclasses.replace(batch, target=target, condition=torch.cat([batch.condition, mu], dim=1), future=(), extra=extra)

    def forward(self, batch: Batch, step: Step) -> Loss:
        """Loss and error are those of the standardised residual; NaN in masked cells of the target is harmless."""
        loss: Loss = self.inner(self.left(batch), step)
        return loss

    def validate(self, batch: Batch, step: Step) -> Loss:
        return self.inner.validate(self.left(batch), step)

    def commit(self, loss: Loss, step: Step) -> None:
        self.inner.commit(loss, step)

    def members(self, batch: Batch, draws: Draws, sampler: Sampler | None) -> Tensor:
        """[B, M, C, *S] float32, masked cells 0."""
        # a later lead keeps the extra fields of the first, whose mean is not its own
        mu = self._together(batch) if self.ports.leads else self._mean(batch)
        left = self._left(dataclasses.replace(batch, target=None), mu)
        centre = (mu + self._wide(self.offset, mu))[:, None]
        members = centre + self._wide(self.scale, mu)[:, None] * self.inner.members(left, draws, sampler)
        return torch.where(batch.mask[:, None], members, 0.0)

    def _mean(self, batch: Batch) -> Tensor:
        """[B, C, *S], the cached one where there is one.

        Full fields are computed one by one: the bits of a float32 network depend on how many rows it sees, and a cached mean must not
        depend on the batch it was first read in.
        """
        if MEAN in batch.extra:
            return batch.extra[MEAN]
        if batch.size != self.full:
            return self._together(batch)
        return torch.cat([self._together(batch[row : row + 1]) for row in range(len(batch))])

    @torch.no_grad()
    def _alone(self, batch: Batch) -> Tensor:
        """Of a batch of one row, which may be on another device."""
        return self._together(batch.to(self.offset.device))

    def _together(self, batch: Batch) -> Tensor:
        """[B, C, *S] of all rows at once; a regression draws nothing, so its draws need no names."""
        return self.mean.members(batch, Draws(((),) * len(batch)), None)[:, 0]

    @staticmethod
    def _wide(x: Tensor, like: Tensor) -> Tensor:
        """[C] as [1, C, 1, ...]."""
        return x.view(1, -1, *(1,) * (like.ndim - 2))


class _Left:
    """An opened dataset as the inner learner sees it."""

    def __init__(self, learner: ResidualLearner, opened: Opened) -> None:
        self._learner, self._opened = learner, opened
        self.ports, self.codec, self.grid, self.patch = learner.ports, opened.codec, opened.grid, opened.patch
        self.items, self.truth = opened.items, opened.truth

    def read(self, items: Sequence[Item], origins: Tensor | None = None) -> Batch:
        batch = self._opened.read(items, origins).to(self._learner.offset.device)
        return self._learner.left(batch).to(torch.device("cpu"))

    def frames(self, items: Sequence[Item], leads: int) -> Iterable[Frame]:
        return self._opened.frames(items, leads)


class _WithInner:
    """An opened dataset, with the extra fields that the inner learner has cached in its own view of it."""

    def __init__(self, opened: Opened, inner: Opened) -> None:
        self._opened, self._inner = opened, inner
        self.ports, self.codec, self.grid, self.patch = opened.ports, opened.codec, opened.grid, opened.patch
        self.items, self.truth = opened.items, opened.truth

    def read(self, items: Sequence[Item], origins: Tensor | None = None) -> Batch:
        batch = self._opened.read(items, origins)
        cached = {f"{INNER}{name}": x for name, x in self._inner.read(items, origins).extra.items() if name not in batch.extra}
        return dataclasses.replace(batch, extra={**batch.extra, **cached})

    def frames(self, items: Sequence[Item], leads: int) -> Iterable[Frame]:
        return self._opened.frames(items, leads)
