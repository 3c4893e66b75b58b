"""An autoencoder: a coarser space that a decoder finds the field again from, for other objectives to work in.

Blocks of factor^dims cells become channels of one coarse cell (`fields.folding`), so encoder and decoder are networks of one size of field
like any other; the target, its mask and nothing else goes in, so one autoencoder serves every condition and lead time. The loss is the
negative log-likelihood of the target given the decoder's output, whose scale is fitted while the decoder learns, as in a sigma-VAE
(Rybkin, Daniilidis and Levine 2021, section 4.2), without a prior in the latent space: what works in it standardises it (Rombach et al.
2022, section 4.3.2).
"""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor

from wxexp.config import at_least
from wxexp.experiment import Experiment
from wxexp.fields.folding import coarse_grid, fold, unfold
from wxexp.fields.seeds import Draws
from wxexp.interfaces import Batch, Inputs, Learner, Likelihood, Loss, Model, Network, Parts, Phase, Ports, Sampler, Step
from wxexp.objectives.weighted import WeightedObjective, refuse_sampling


class Autoencoding(WeightedObjective):
    """Latent fields of `channels` channels on a grid `factor` times as coarse. Needs neither scheduler nor sampler."""

    likelihood: Likelihood
    """Of the target given the decoder's output."""
    channels: int = 4
    factor: int = 2
    """Side of the square of cells that is one latent cell."""
    encoder: Model | None = None
    """None: the experiment's model."""
    decoder: Model | None = None
    """None: the experiment's model."""

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, 1, "channels", "factor")

    def check(self, experiment: Experiment) -> None:
        refuse_sampling(experiment)

    def build(self, parts: Parts) -> AutoencodingLearner:
        return AutoencodingLearner(self, parts)


class AutoencodingLearner(Learner):
    """Encoder, decoder, and the scale of the likelihood."""

    def __init__(self, spec: Autoencoding, parts: Parts) -> None:
        super().__init__()
        grid = parts.ports.grid
        assert grid is not None, "an opened dataset has one"
        self.channels, self.factor, self.variables, self.dims = spec.channels, spec.factor, parts.ports.out, len(grid.shape)
        self.cells = self.factor**self.dims
        self.mean = spec.mean(parts)
        self.likelihood = spec.likelihood.build(self.variables)
        folded = self.variables * self.cells
        ports = Ports(target=folded, condition=0, static=folded, out=self.channels, grid=coarse_grid(grid, self.factor))
        self.encoder = (spec.encoder or parts.model).build(ports, parts.parent)
        ports = dataclasses.replace(ports, target=self.channels, out=folded * spec.likelihood.parameters)
        self.decoder = (spec.decoder or parts.model).build(ports, parts.parent)

    def phases(self) -> tuple[Phase, ...]:
        return (Phase("network", ("encoder", "decoder")),)

    def latent_ports(self, ports: Ports) -> Ports:
        """Those of a network that works on `encode(batch)`, given those for `batch`."""
        assert ports.grid is not None
        return dataclasses.replace(
            ports,
            target=ports.target and self.channels,
            condition=ports.condition * self.cells,
            static=ports.static * self.cells,
            out=self.channels,
            grid=coarse_grid(ports.grid, self.factor),
        )

    def encode(self, batch: Batch) -> Batch:
        """The batch in the latent space: condition and static folded, a latent cell valid where one of its cells is, and of their area."""
        inside = fold(torch.ones(1, 1, *batch.size, dtype=torch.bool, device=batch.area.device), self.factor)
        fields = {name for name, x in batch.extra.items() if x.ndim == self.dims + 2}
        return dataclasses.replace(
            batch,
            target=None if batch.target is None else self._latent(batch),
            condition=fold(batch.condition, self.factor),
            static=fold(batch.static, self.factor),
            mask=self.valid(batch),
            area=(fold(batch.area[:, None], self.factor) * inside).mean(1),
            origin=batch.origin // self.factor,
            future=(),
            extra={name: fold(x, self.factor) if name in fields else x for name, x in batch.extra.items()},
        )

    def decode(self, y: Tensor, batch: Batch) -> Tensor:
        """The median of each cell, [N, C, *S]; masked cells 0."""
        return torch.where(batch.mask, self.likelihood.median(self._decoded(y, batch)), 0.0)

    def forward(self, batch: Batch, step: Step) -> Loss:
        """Loss: negative log-likelihood; error: squared error of the median. NaN in masked cells of the target is harmless."""
        assert batch.target is not None, "training needs truth"
        x = torch.where(batch.mask, batch.target, 0.0)
        f = self._decoded(self._latent(batch), batch)
        with torch.no_grad():
            error = self.mean((self.likelihood.median(f) - x).square(), batch)
            weight = batch.mask * (batch.area[:, None] if self.mean.by_area else 1.0) * torch.ones_like(x)
            moments = torch.where(batch.mask, self.likelihood.moments(x, f), 0.0)
            terms = {"moment": (weight * moments).flatten(2).mean(2), "weight": weight.flatten(2).mean(2)}
        return Loss(self.mean(-self.likelihood.log_prob(x, f), batch), error=error, terms=terms)

    def commit(self, loss: Loss, step: Step) -> None:
        self.likelihood.update(loss.terms["moment"].sum(0), loss.terms["weight"].sum(0), step.world)

    def members(self, batch: Batch, draws: Draws, sampler: Sampler | None) -> Tensor:
        """[B, M, C, *S] float32, drawn from the likelihood given the encoded truth; masked cells 0.

        Raises:
            ValueError: there is no truth to encode, as in the later steps of a forecast.
        """
        if batch.target is None:
            raise ValueError("members of Autoencoding are of the encoded truth, and there is none at this time")
        m = len(draws.rows) // len(batch)
        rows = batch.repeat(m)
        f = self._decoded(self._latent(rows), rows)
        z = draws.of("likelihood").normal((self.variables, *batch.size)).to(f)
        x = torch.where(rows.mask, self.likelihood.quantile(z, f), 0.0)
        return x.float().reshape(len(batch), m, *x.shape[1:])

    def _latent(self, batch: Batch) -> Tensor:
        """[B, channels, *Z], cells without a valid one 0."""
        assert batch.target is not None
        x = fold(torch.where(batch.mask, batch.target, 0.0), self.factor)
        return torch.where(self.valid(batch), self._through(self.encoder, x, batch), 0.0)

    def _decoded(self, y: Tensor, batch: Batch) -> Tensor:
        """[N, C * parameters, *S]"""
        return unfold(self._through(self.decoder, y, batch), self.factor, batch.size)

    def valid(self, batch: Batch) -> Tensor:
        """[1|N, 1, *Z]: latent cells with a valid cell."""
        return fold(batch.mask, self.factor).any(1, keepdim=True)

    def _through(self, network: Network, x: Tensor, batch: Batch) -> Tensor:
        mask = fold(batch.mask.expand(-1, self.variables, *batch.size), self.factor).to(x)
        out: Tensor = network(x, Inputs(condition=x[:, :0], static=mask, lead_hours=batch.lead_hours, origin=batch.origin // self.factor))
        return out
