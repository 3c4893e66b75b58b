"""Test doubles: a toy dataset, and one small objective for each hard case that the training loop and the members loop must carry.

    residual      holds the trained learner of a parent experiment, fitted buffers, any inner objective
    adversarial   two phases at different cadences, gradients of gradients
    crps          members of one sample on several ranks, noise maps that the network asks for
    adaptive      a noise schedule with state, updated after each step
    latent        denoising in the space of an autoencoder, which is a parent experiment
    rollout       three autoregressive steps in one loss

`experiment(name)` gives each; `build(experiment)` a learner whose parents are trained.
"""

from __future__ import annotations

import dataclasses
import functools
import os
import signal
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
import xarray as xr
from torch import Tensor, nn

from wxexp import training
from wxexp.config import edit
from wxexp.experiment import AdamW, Experiment, Training, Validation
from wxexp.fields.grid import Grid
from wxexp.fields.seeds import Draws, stream
from wxexp.interfaces import (
    Batch,
    Codec,
    Dataset,
    Frame,
    Inputs,
    Item,
    Learner,
    Levels,
    Loss,
    Model,
    Network,
    Noise,
    Objective,
    Opened,
    Optimizer,
    Parts,
    Phase,
    Ports,
    Sampler,
    Schedule,
    Scheduler,
    Session,
    Step,
)
from wxexp.interfaces.diffusion import Denoiser
from wxexp.interfaces.learning import Group

CELLS = 16
NAMES = ("residual", "adversarial", "crps", "adaptive", "latent", "rollout")


# The dataset: on a ring, the target depends on the condition and on noise. condition = [state, forcing]; two cells are masked.


class Toy(Dataset):
    future: int = 0
    double: bool = False

    def open(self) -> ToyOpened:
        return ToyOpened(self)

    def codec(self, recipe: Mapping[str, Any]) -> ToyCodec:
        return ToyCodec(**recipe)


class ToyCodec(Codec):
    """physical = 2 * normalised + 10; the state of the next step is that of this one plus the prediction."""

    targets, units = ("y",), ("K",)

    def __init__(self, mean: float = 0.0) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean))

    def recipe(self) -> Mapping[str, Any]:
        return {}

    def encode(self, name: str, x: Tensor) -> Tensor:
        return (x - self.mean) / 2

    def decode(self, y: Tensor, batch: Batch) -> Tensor:
        return y * 2 + self.mean

    def advance(self, batch: Batch, y: Tensor, frame: Frame) -> Batch:
        state = batch.condition[:, :1] + 0.5 * y
        target = None if frame.state is None else (frame.state - state) / 0.5
        return dataclasses.replace(
            batch, target=target, condition=torch.cat([state, frame.forcing], 1), lead_hours=frame.lead_hours, future=()
        )


class ToyOpened:
    patch: tuple[int, ...] | None = None

    def __init__(self, spec: Toy) -> None:
        self.spec, self.codec = spec, ToyCodec(mean=10.0)
        self.grid = Grid(kind="ring", lat=None, lon=np.arange(CELLS) * (360.0 / CELLS), periodic_x=True)
        self.ports = Ports(target=1, condition=2, static=1, out=1, leads=(6.0,), grid=self.grid)
        random = stream("toy")
        dtype = torch.float64 if spec.double else torch.float32
        self.condition = torch.from_numpy(random.standard_normal((14, 2, CELLS))).to(dtype)
        noise = torch.from_numpy(random.standard_normal((14, 1, CELLS))).to(dtype)
        self.target = self.condition.roll(1, -1)[:, :1] ** 2 + 0.3 * noise
        self.static = torch.linspace(-1, 1, CELLS, dtype=dtype)[None, None]
        self.area = torch.linspace(0.5, 1.5, CELLS, dtype=dtype)[None]
        self.mask = (torch.arange(CELLS) >= 2)[None, None]

    def items(self, split: Literal["train", "valid", "test"]) -> Sequence[Item]:
        chosen = {"train": range(10), "valid": range(10, 12), "test": range(12, 14)}[split]
        return [Item(index=i, time=f"2000-01-{i + 1:02d}") for i in chosen]

    def read(self, items: Sequence[Item], origins: Tensor | None = None) -> Batch:
        index = torch.tensor([item.index for item in items])
        n = len(items)
        return Batch(
            target=self.target[index],
            condition=self.condition[index],
            static=self.static,
            mask=self.mask,
            area=self.area,
            lead_hours=torch.full((n,), 6.0, dtype=self.target.dtype),
            origin=torch.zeros(n, 1, dtype=torch.int64),
            key=index,
            time=np.array([item.time for item in items]),
            future=tuple(self._frame(index, lead, state=True) for lead in range(1, self.spec.future + 1)),
        )

    def frames(self, items: Sequence[Item], leads: int) -> Iterable[Frame]:
        index = torch.tensor([item.index for item in items])
        return [self._frame(index, lead, state=False) for lead in range(1, leads)]

    def _frame(self, index: Tensor, lead: int, *, state: bool) -> Frame:
        forcing = self.condition[index, 1:].roll(lead, -1)
        hours = torch.full((len(index),), 6.0 * (lead + 1), dtype=forcing.dtype)
        return Frame(self.target[index].roll(lead, -1) if state else None, forcing, hours)

    def truth(self, item: Item) -> xr.Dataset | None:
        batch = self.read([item])
        assert batch.target is not None
        field = self.codec.decode(batch.target, batch)[0, 0].where(self.mask[0, 0], torch.nan)
        return xr.Dataset({"y": ("x", field.numpy(), {"units": "K"})}, coords={"x": self.grid.lon})


def mean(x: Tensor, batch: Batch) -> Tensor:
    """[B, C, S] -> [B], over valid cells with area weights."""
    weights = (batch.mask * batch.area[:, None]).expand_as(x)
    return (torch.where(batch.mask, x, 0.0) * weights).sum((1, 2)) / weights.sum((1, 2))


# The network.


class Conv(Model):
    down: int = 1
    up: int = 1
    dropout: float = 0.1
    critic: bool = False

    def build(self, ports: Ports, parent: Callable[[Experiment], Learner]) -> ConvNet:
        return ConvNet(self, ports)


class ConvNet(Network):
    def __init__(self, spec: Conv, ports: Ports) -> None:
        super().__init__()
        self.spec, self.ports = spec, ports
        self.same_size = spec.down == spec.up == 1 and not spec.critic
        self.maps = 1 if ports.latent else 0
        self.first = nn.Conv1d(ports.target + ports.condition + ports.static + self.maps, 16, 3, padding=1, padding_mode="circular")
        self.second = nn.Conv1d(16, 16, 3, padding=1, padding_mode="circular")
        self.last = nn.Conv1d(16, ports.out, 1)
        self.embedding = nn.Linear(ports.level + ports.latent, 16) if ports.level + ports.latent else None
        self.dropout = nn.Dropout(spec.dropout)

    def noise_shapes(self, size: Sequence[int]) -> Mapping[str, tuple[int, ...]]:
        return {"pixel": (1, *size)} if self.maps else {}

    def forward(self, x: Tensor | None, inputs: Inputs) -> Tensor:
        dtype, n = self.last.weight.dtype, len(inputs.condition)
        fields = [inputs.condition, inputs.static.expand(n, -1, -1), *inputs.noise.values()]
        h = torch.cat([field.to(dtype) for field in ([] if x is None else [x]) + fields], 1)
        h = F.avg_pool1d(h, self.spec.down).repeat_interleave(self.spec.up, -1)
        h = self.first(h)
        if self.embedding is not None:
            vector = torch.cat([v.to(dtype) for v in (inputs.level, inputs.latent) if v is not None], 1)
            h = h + self.embedding(vector)[..., None]
        out: Tensor = self.last(self.dropout(F.silu(self.second(F.silu(h)))))
        return out


# A deterministic parent.


class Regression(Objective):
    def build(self, parts: Parts) -> RegressionLearner:
        return RegressionLearner(parts)


class RegressionLearner(Learner):
    def __init__(self, parts: Parts) -> None:
        super().__init__()
        self.network = parts.model.build(dataclasses.replace(parts.ports, target=0), parts.parent)

    def forward(self, batch: Batch, step: Step) -> Loss:
        error = mean((self.network(None, Inputs.of(batch)) - batch.target) ** 2, batch)
        return Loss(error, error=error)

    def members(self, batch: Batch, draws: Draws, sampler: Sampler | None) -> Tensor:
        out: Tensor = self.network(None, Inputs.of(batch))
        return out[:, None].expand(-1, len(draws.rows) // len(batch), -1, -1)


# 1. A residual over the mean of a parent experiment, learnt by any objective.


class Residual(Objective):
    mean: Experiment
    of: Objective

    def build(self, parts: Parts) -> ResidualLearner:
        return ResidualLearner(self, parts)


class ResidualLearner(Learner):
    def __init__(self, spec: Residual, parts: Parts) -> None:
        super().__init__()
        self.mean = parts.parent(spec.mean)
        ports = dataclasses.replace(parts.ports, condition=parts.ports.condition + parts.ports.out)
        self.inner = spec.of.build(dataclasses.replace(parts, ports=ports))
        self.register_buffer("scale", torch.ones(ports.out, 1))

    def phases(self) -> tuple[Phase, ...]:
        return tuple(dataclasses.replace(p, modules=tuple(f"inner.{name}" for name in p.modules)) for p in self.inner.phases())

    def _residual(self, batch: Batch) -> tuple[Tensor, Batch]:
        with torch.no_grad():
            mu = self.mean.members(batch, Draws(((),) * len(batch)), None)[:, 0]
        target = None if batch.target is None else (batch.target - mu) / self.scale
        return mu, dataclasses.replace(batch, target=target, condition=torch.cat([batch.condition, mu], 1))

    def prepare(self, opened: Opened, session: Session) -> None:
        batch = opened.read(opened.items("train"))
        assert batch.target is not None
        self.scale.copy_((batch.target - self._residual(batch)[0]).std((0, 2))[:, None])

    def forward(self, batch: Batch, step: Step) -> Loss:
        loss: Loss = self.inner(self._residual(batch)[1], step)
        return loss

    def commit(self, loss: Loss, step: Step) -> None:
        self.inner.commit(loss, step)

    def members(self, batch: Batch, draws: Draws, sampler: Sampler | None) -> Tensor:
        mu, residual = self._residual(batch)
        return mu[:, None] + self.scale * self.inner.members(residual, draws, sampler)


# 2. A generator against a critic, which learns every step while the generator learns every third.


class Adversarial(Objective):
    critic: Model = Conv(critic=True, dropout=0.0)
    critic_optimizer: Optimizer | None = AdamW(rate=2e-3, warmup=0)
    every: int = 3

    def build(self, parts: Parts) -> AdversarialLearner:
        return AdversarialLearner(self, parts)


class Generator(Learner):
    def __init__(self, parts: Parts) -> None:
        super().__init__()
        self.network = parts.model.build(dataclasses.replace(parts.ports, target=0, latent=4), parts.parent)

    def draw(self, batch: Batch, draws: Draws) -> Tensor:
        noise = {name: draws.of(name).normal(shape) for name, shape in self.network.noise_shapes(batch.size).items()}
        out: Tensor = self.network(None, Inputs.of(batch, latent=draws.of("latent").normal((4,)), noise=noise))
        return out

    def members(self, batch: Batch, draws: Draws, sampler: Sampler | None) -> Tensor:
        out = self.draw(batch.repeat(len(draws.rows) // len(batch)), draws)
        return out.reshape(len(batch), -1, *out.shape[1:])


class AdversarialLearner(Generator):
    def __init__(self, spec: Adversarial, parts: Parts) -> None:
        super().__init__(parts)
        self.critic_optimizer, self.every = spec.critic_optimizer, spec.every
        self.critic = spec.critic.build(dataclasses.replace(parts.ports, target=1), parts.parent)

    def phases(self) -> tuple[Phase, ...]:
        return Phase("critic", ("critic",), self.critic_optimizer), Phase("generator", ("network",), every=self.every)

    def forward(self, batch: Batch, step: Step) -> Loss:
        assert step.draws is not None

        def judge(x: Tensor) -> Tensor:
            out: Tensor = self.critic(x, Inputs.of(batch)).mean((1, 2))
            return out

        if step.phase == "generator":
            fake = self.draw(batch, step.draws)
            return Loss(10 * mean((fake - batch.target).abs(), batch) - judge(fake))
        with torch.no_grad():
            fake = self.draw(batch, step.draws)
        part = step.of("mix").uniform().to(fake)[:, None, None]
        mixed = torch.lerp(batch.target, fake, part).requires_grad_()
        slope = torch.autograd.grad(judge(mixed).sum(), mixed, create_graph=True)[0].flatten(1).norm(dim=1)
        penalty = (slope - 1) ** 2
        return Loss(judge(fake) - judge(batch.target) + penalty, terms={"penalty": penalty})


# 3. Fair CRPS of members that are spread over the ranks of a group.


class EnsembleCRPS(Objective):
    members: int = 4
    """On each rank."""
    ranks: int = 1

    @property
    def group(self) -> int:
        return self.ranks

    def build(self, parts: Parts) -> EnsembleCRPSLearner:
        return EnsembleCRPSLearner(self, parts)


class EnsembleCRPSLearner(Generator):
    def __init__(self, spec: EnsembleCRPS, parts: Parts) -> None:
        super().__init__(parts)
        self.m = spec.members

    def forward(self, batch: Batch, step: Step) -> Loss:
        assert step.draws is not None
        mine = range(step.group.rank * self.m, (step.group.rank + 1) * self.m)
        own = self.draw(batch.repeat(self.m), step.draws.members(mine)).unflatten(0, (-1, self.m))
        x = step.group.all_gather(own).movedim(0, 1).flatten(1, 2)  # [B, K * m, C, S], by rank
        m = x.shape[1]
        spread = (x[:, :, None] - x[:, None]).abs().sum((1, 2)) / (2 * m * (m - 1))
        return Loss(mean((x - batch.target[:, None]).abs().mean(1) - spread, batch))


# 4. Denoising, with a schedule whose density follows the errors it sees.


class Adaptive(Scheduler):
    def build(self) -> AdaptiveSchedule:
        return AdaptiveSchedule()


class AdaptiveSchedule(Schedule):
    """Log-SNR in eight bins on [-8, 8], each as often as its mean error is large."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("weight", torch.ones(8, dtype=torch.float64))

    def _bin(self, gamma: Tensor) -> Tensor:
        return ((8 - gamma) / 2).long().clamp(0, 7)

    def gamma(self, t: Tensor) -> Tensor:
        edges = F.pad(torch.cumsum(self.weight / self.weight.sum(), 0), (1, 0))
        k = (torch.searchsorted(edges, t, right=True) - 1).clamp(0, 7)
        return 8 - 2 * (k + (t - edges[k]) / (edges[k + 1] - edges[k]))

    def log_density(self, gamma: Tensor) -> Tensor:
        return torch.log(self.weight / self.weight.sum() / 2)[self._bin(gamma)]

    def update(self, gamma: Tensor, error: Tensor, world: Group) -> None:
        total = torch.zeros(2, 8, dtype=torch.float64)
        total[0].index_add_(0, self._bin(gamma), error.double())
        total[1].index_add_(0, self._bin(gamma), torch.ones_like(gamma))
        total = world.all_reduce(total)
        found = torch.where(total[1] > 0, total[0] / total[1].clamp(min=1), self.weight)
        self.weight.mul_(0.9).add_(0.1 * found + 1e-3)


class Denoising(Objective):
    latent: Experiment | None = None

    def build(self, parts: Parts) -> DenoisingLearner:
        return DenoisingLearner(self, parts)


class DenoisingLearner(Learner):
    def __init__(self, spec: Denoising, parts: Parts) -> None:
        super().__init__()
        self.space = parts.parent(spec.latent) if spec.latent else None
        out = self.space.channels if isinstance(self.space, AutoencodingLearner) else parts.ports.out
        self.channels = out
        self.network = parts.model.build(dataclasses.replace(parts.ports, target=out, out=out, level=1), parts.parent)
        assert parts.scheduler is not None
        self.schedule = parts.scheduler.build()

    def denoiser(self, batch: Batch) -> Denoiser:
        def denoise(y: Tensor, gamma: Tensor) -> Tensor:
            gamma = gamma.expand(len(y))
            s2 = torch.exp(-gamma)[:, None, None]
            y = torch.where(batch.mask, y, 0.0)
            f = self.network(y / (1 + s2).sqrt(), Inputs.of(batch, level=gamma[:, None] / 8))
            return y / (1 + s2) + (s2 / (1 + s2)).sqrt() * f

        return denoise

    def forward(self, batch: Batch, step: Step) -> Loss:
        z = self.space.encode(batch) if self.space else batch
        assert z.target is not None
        gamma = self.schedule.gamma(step.of("level").stratified())
        s = torch.exp(-gamma / 2)[:, None, None]
        noise = step.of("noise").normal(z.target.shape[1:])
        error = mean((self.denoiser(z)(z.target + s * noise, gamma) - z.target) ** 2, z) * (1 + torch.exp(gamma))
        weighted = error * torch.exp(-self.schedule.log_density(gamma)) / 16
        return Loss(weighted.to(z.condition), gamma=gamma, error=error)

    def commit(self, loss: Loss, step: Step) -> None:
        assert loss.gamma is not None and loss.error is not None
        self.schedule.update(loss.gamma, loss.error, step.world)

    def members(self, batch: Batch, draws: Draws, sampler: Sampler | None) -> Tensor:
        assert sampler is not None
        m = len(draws.rows) // len(batch)
        z = (self.space.encode(batch) if self.space else batch).repeat(m)
        gamma = sampler.levels.gamma(sampler.steps)
        noise = ToyNoise(draws, (self.channels, *z.size))
        y = sampler.sample(self.denoiser(z), torch.exp(-gamma[0] / 2) * noise.prior(), gamma, noise).to(batch.condition)
        x = self.space.decode(y, batch.repeat(m)) if self.space else y
        return x.reshape(len(batch), m, *x.shape[1:])


@dataclasses.dataclass(frozen=True)
class ToyNoise:
    draws: Draws
    shape: tuple[int, ...]

    def prior(self) -> Tensor:
        return self.draws.of("prior").normal(self.shape).double()

    def at(self, *key: int) -> Tensor:
        return self.draws.of("at", *key).normal(self.shape).double()

    def brownian(self, s0: float, s1: float) -> Tensor:
        raise NotImplementedError


class ToyLevels(Levels):
    def gamma(self, steps: int) -> Tensor:
        return torch.linspace(-6, 8, steps, dtype=torch.float64)


class StochasticEuler(Sampler):
    """Euler with a little noise at every level, so that every kind of draw is used."""

    order = 1
    evaluations = 1
    stochastic = True
    source = "none: a test double"
    steps: int = 4
    levels: Levels = ToyLevels()

    def sample(self, denoise: Denoiser, y: Tensor, gamma: Tensor, noise: Noise) -> Tensor:
        s = torch.exp(-gamma / 2)
        for k in range(len(s) - 1):
            y = y + (s[k + 1] - s[k]) / s[k] * (y - denoise(y, gamma[k])) + 0.1 * s[k + 1] * noise.at(k)
        return denoise(y, gamma[-1])


# 5. The space of an autoencoder.


class Autoencoding(Objective):
    channels: int = 2
    encoder: Model = Conv(down=2)
    decoder: Model = Conv(up=2)

    def build(self, parts: Parts) -> AutoencodingLearner:
        return AutoencodingLearner(self, parts)


class AutoencodingLearner(Learner):
    def __init__(self, spec: Autoencoding, parts: Parts) -> None:
        super().__init__()
        self.channels = spec.channels
        bare = dataclasses.replace(parts.ports, condition=0, static=0)
        self.encoder = spec.encoder.build(dataclasses.replace(bare, target=bare.out, out=spec.channels), parts.parent)
        self.decoder = spec.decoder.build(dataclasses.replace(bare, target=spec.channels), parts.parent)

    def phases(self) -> tuple[Phase, ...]:
        return (Phase("network", ("encoder", "decoder")),)

    def _through(self, network: Network, x: Tensor, batch: Batch) -> Tensor:
        nothing = x[:, :0]
        out: Tensor = network(x, Inputs(condition=nothing, static=nothing, lead_hours=batch.lead_hours, origin=batch.origin))
        return out

    def encode(self, batch: Batch) -> Batch:
        condition = F.avg_pool1d(batch.condition, 2)
        with torch.no_grad():
            target = None if batch.target is None else self._through(self.encoder, batch.target, batch)
        static, area = F.avg_pool1d(batch.static, 2), F.avg_pool1d(batch.area[:, None], 2)[:, 0]
        mask = torch.ones(1, 1, condition.shape[-1], dtype=torch.bool)
        return dataclasses.replace(batch, target=target, condition=condition, static=static, area=area, mask=mask, origin=batch.origin // 2)

    def decode(self, y: Tensor, batch: Batch) -> Tensor:
        return self._through(self.decoder, y, batch)

    def forward(self, batch: Batch, step: Step) -> Loss:
        assert batch.target is not None
        x = self.decode(self._through(self.encoder, batch.target, batch), batch)
        return Loss(mean((x - batch.target) ** 2, batch))

    def members(self, batch: Batch, draws: Draws, sampler: Sampler | None) -> Tensor:
        assert batch.target is not None
        x = self.decode(self._through(self.encoder, batch.target, batch), batch)
        return x[:, None].expand(-1, len(draws.rows) // len(batch), -1, -1)


# 6. Three autoregressive steps in one loss.


class Rollout(Objective):
    def build(self, parts: Parts) -> RolloutLearner:
        return RolloutLearner(parts)


class RolloutLearner(RegressionLearner):
    def forward(self, batch: Batch, step: Step) -> Loss:
        assert self.codec is not None
        losses = []
        for frame in (*batch.future, None):
            y = self.network(None, Inputs.of(batch))
            losses.append(mean((y - batch.target) ** 2, batch))
            if frame:
                batch = self.codec.advance(batch, y, frame)
        return Loss(torch.stack(losses).mean(0))


# Experiments.


class Descent(Optimizer):
    """Plain gradient descent: one step of rate 1 shows the gradient."""

    rate: float = 1.0
    warmup: int = 0
    final: float = 1.0

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        return torch.optim.SGD(parameters, lr=self.rate)


def experiment(name: str, **changes: Any) -> Experiment:
    """One of NAMES, or "regression", "autoencoder"; `changes` are overrides, with "__" for "."."""
    sampler = StochasticEuler()
    length = Training(
        samples=58,
        batch_size=5,
        micro_batch=2,
        optimizer=AdamW(rate=5e-3, warmup=10),
        ema=20,
        checkpoint=15,
        validation=Validation(every=30, members=3, sampler=sampler, batch_size=2),
    )
    kinds: dict[str, Callable[[], Objective]] = {
        "regression": Regression,
        "autoencoder": Autoencoding,
        "residual": lambda: Residual(mean=experiment("regression"), of=Denoising()),
        "adversarial": Adversarial,
        "crps": EnsembleCRPS,
        "adaptive": Denoising,
        "latent": lambda: Denoising(latent=experiment("autoencoder")),
        "rollout": Rollout,
    }
    return edit(
        Experiment(
            name=name,
            dataset=Toy(future=2 if name == "rollout" else 0),
            model=Conv(),
            objective=kinds[name](),
            scheduler=Adaptive() if name in ("residual", "adaptive", "latent") else None,
            sampler=sampler,
            training=length,
            seed=3,
        ),
        {path.replace("__", "."): value for path, value in changes.items()},
    )


@functools.cache
def _parent(name: str) -> Learner:
    """A parent with fresh weights is enough for a test double."""
    return build(experiment(name))


def build(chosen: Experiment) -> Learner:
    return training.build(chosen, chosen.dataset.open(), lambda held: _parent(held.name))


class Recorder:
    """A tracker that keeps what it is told."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, dict[str, float], dict[str, Any]]] = []

    def config(self, tree: Mapping[str, Any]) -> None: ...

    def scalars(self, step: int, values: Mapping[str, float], context: Mapping[str, Any] = {}) -> None:
        self.rows.append((step, dict(values), dict(context)))

    def image(self, step: int, name: str, path: Path, context: Mapping[str, Any] = {}) -> None: ...

    def truncate(self, step: int) -> None:
        self.rows = [row for row in self.rows if row[0] <= step]

    def close(self) -> None: ...


def die() -> None:
    """As the kernel ends a process: no handler, no cleaning up."""
    os.kill(os.getpid(), signal.SIGKILL)
