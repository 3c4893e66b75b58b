"""Any objective in the space of an autoencoder, as in latent diffusion (Rombach et al. 2022, doi:10.1109/CVPR52688.2022.01042)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from wxexp.config import to_tree
from wxexp.experiment import Experiment
from wxexp.fields.seeds import Draws
from wxexp.interfaces import Batch, Frame, Item, Learner, Loss, Objective, Opened, Parts, Phase, Sampler, Session, Step
from wxexp.objectives.autoencoding import Autoencoding, AutoencodingLearner
from wxexp.objectives.denoising import Denoising
from wxexp.objectives.weighted import WeightedObjective

ITEMS = 8  # training items read at a time to standardise the latent fields


class Latent(Objective):
    """The latent field of the target, standardised, learnt by `of`; members are the decoder's medians.

    The autoencoder is found by its fingerprint among the finished runs, or trained first; its weights stay as they are.
    """

    space: Experiment
    """An experiment on the same dataset whose objective is Autoencoding."""
    of: Objective = Denoising()
    """What is learnt in its space."""

    @property
    def group(self) -> int:
        return self.of.group

    def check(self, experiment: Experiment) -> None:
        if not isinstance(self.space.objective, Autoencoding):
            kind = type(self.space.objective).__name__
            raise ValueError(f"Latent.space must be an experiment whose objective is Autoencoding, got {kind}")
        if to_tree(self.space.dataset) != to_tree(experiment.dataset):
            raise ValueError(f"Latent.space must have the dataset of the experiment that holds it, got that of {self.space.name!r}")
        if isinstance(self.of, WeightedObjective) and self.of.variable_weights:
            raise ValueError("Latent.of.variable_weights must be empty, as latent channels are no variables; give them to Latent.space")
        self.of.check(experiment)

    def build(self, parts: Parts) -> LatentLearner:
        return LatentLearner(self, parts)


class LatentLearner(Learner):
    """A frozen autoencoder and the learner of its latent fields.

    Buffers, filled by `prepare`: `offset` and `scale` [channels], mean and standard deviation of each latent channel.
    """

    offset: Tensor
    scale: Tensor

    def __init__(self, spec: Latent, parts: Parts) -> None:
        super().__init__()
        space = parts.parent(spec.space).freeze()
        assert isinstance(space, AutoencodingLearner), "refused by Latent.check"
        self.space = space
        self.ports = space.latent_ports(parts.ports)
        self.inner = spec.of.build(dataclasses.replace(parts, ports=self.ports))
        self.register_buffer("offset", torch.zeros(space.channels))
        self.register_buffer("scale", torch.ones(space.channels))

    def phases(self) -> tuple[Phase, ...]:
        return tuple(dataclasses.replace(p, modules=tuple(f"inner.{name}" for name in p.modules)) for p in self.inner.phases())

    @torch.no_grad()
    def prepare(self, opened: Opened, session: Session) -> None:
        """Fits offset and scale over all valid latent cells of all training items, each rank its share of the items.

        Raises:
            ValueError: a latent channel does not vary, or is not finite.
        """
        items = opened.items("train")[session.rank :: session.world_size]
        sums = torch.zeros(3, len(self.scale), dtype=torch.float64, device=session.device)  # cells, values, their squares
        for first in range(0, len(items), ITEMS):
            batch = self.space.encode(opened.read(items[first : first + ITEMS]).to(session.device))
            assert batch.target is not None, "training items have truth"
            z = batch.target.double()  # 0 where masked
            terms = (batch.mask.expand_as(z).double(), z, z.square())
            sums += torch.stack([term.transpose(0, 1).flatten(1).sum(1) for term in terms])
        count, total, squares = session.group(session.world_size).all_reduce(sums)
        offset = total / count
        scale = (squares / count - offset.square()).clamp(min=0).sqrt()
        for channel, s in enumerate(scale.tolist()):
            if not 0 < s < float("inf"):
                raise ValueError(f"latent channel {channel} must vary over the training items, got a standard deviation of {s:g}")
        self.offset.copy_(offset)
        self.scale.copy_(scale)
        self.inner.prepare(_Encoded(self, opened, session.device), session)

    def cache(self, opened: Opened, scratch: Path) -> Opened:
        """Lets the inner learner read what it keeps of its own view; what it would add to batches is computed when it is needed."""
        self.inner.cache(_Encoded(self, opened, self.offset.device), scratch)
        return opened

    @torch.no_grad()
    def encode(self, batch: Batch) -> Batch:
        """What the inner learner sees: the batch in the latent space, its target standardised."""
        out = self.space.encode(batch)
        if out.target is not None:
            z = (out.target - self._wide(self.offset, out.target)) / self._wide(self.scale, out.target)
            out = dataclasses.replace(out, target=torch.where(out.mask, z, 0.0))
        return out

    def decode(self, y: Tensor, batch: Batch) -> Tensor:
        """[N, C, *S] of standardised latent fields; `batch`, in data space, has their rows."""
        z = self._wide(self.offset, y) + self._wide(self.scale, y) * y
        return self.space.decode(torch.where(self.space.valid(batch), z, 0.0), batch)

    def forward(self, batch: Batch, step: Step) -> Loss:
        """Loss and error are those of the standardised latent field; NaN in masked cells of the target is harmless."""
        loss: Loss = self.inner(self.encode(batch), step)
        return loss

    def validate(self, batch: Batch, step: Step) -> Loss:
        return self.inner.validate(self.encode(batch), step)

    def commit(self, loss: Loss, step: Step) -> None:
        self.inner.commit(loss, step)

    def members(self, batch: Batch, draws: Draws, sampler: Sampler | None) -> Tensor:
        """[B, M, C, *S] float32, masked cells 0."""
        y = self.inner.members(self.encode(dataclasses.replace(batch, target=None)), draws, sampler)
        x = self.decode(y.flatten(0, 1), batch.repeat(y.shape[1]))
        return x.float().reshape(*y.shape[:2], *x.shape[1:])

    @staticmethod
    def _wide(x: Tensor, like: Tensor) -> Tensor:
        """[C] as [1, C, 1, ...]."""
        return x.view(1, -1, *(1,) * (like.ndim - 2))


class _Encoded:
    """An opened dataset as the inner learner sees it."""

    def __init__(self, learner: LatentLearner, opened: Opened, device: torch.device) -> None:
        self._learner, self._opened, self._device = learner, opened, device
        assert learner.ports.grid is not None
        self.ports, self.codec, self.grid = learner.ports, opened.codec, learner.ports.grid
        self.patch = opened.patch and tuple(-(-size // learner.space.factor) for size in opened.patch)
        self.items, self.truth = opened.items, opened.truth

    def read(self, items: Sequence[Item], origins: Tensor | None = None) -> Batch:
        return self._learner.encode(self._opened.read(items, origins).to(self._device)).to(torch.device("cpu"))

    def frames(self, items: Sequence[Item], leads: int) -> Iterable[Frame]:
        return self._opened.frames(items, leads)
