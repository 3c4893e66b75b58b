"""Base class of every kind, and the types by which kinds meet.

Shapes: B samples, M members, N = B * M rows (b-major), C channels, *S space (H W, or X). Fields are [B, C, *S], ensembles [B, M, C, *S].
Tensors are normalised unless said. `mask` is True where valid; masked cells are never read, generated or scored.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, Protocol, TypeVar, runtime_checkable

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn

from wxexp.config import Spec
from wxexp.fields.grid import Grid
from wxexp.fields.seeds import Draws

if TYPE_CHECKING:
    import xarray as xr

    from wxexp.experiment import Experiment

Split = Literal["train", "valid", "test"]

# Data


@dataclasses.dataclass(frozen=True)
class Variable:
    """A field of a source; `level_hpa` is None at the surface."""

    name: str
    units: str
    role: Literal["prognostic", "diagnostic", "forcing", "static", "target"]
    level_hpa: float | None = None


@dataclasses.dataclass(frozen=True)
class Statistics:
    """Mean and standard deviation over valid cells and training times, physical units."""

    mean: float
    std: float


@dataclasses.dataclass(frozen=True)
class Fields:
    """An opened source.

    Attributes:
        data: dims (time[, lead], *S) in physical units, static fields (*S); levels flattened to names like t_850; `attrs["units"]` set.
        variables: by name.
        grid: of the last dims of `data`.
        present: bool [time]; False is a missing date, which windows never touch.
        statistics: the file's own, if any.
    """

    data: xr.Dataset
    variables: Mapping[str, Variable]
    grid: Grid
    present: np.ndarray
    statistics: Mapping[str, Statistics] | None = None


class Source(Spec):
    """One on-disk layout."""

    registry: ClassVar[str] = "wxexp.datasets.sources"

    def open(self) -> Fields:
        """Lazy; errors of disk and network name the path."""
        raise NotImplementedError

    def identity(self) -> str:
        """Checksum, or store id with size and time: part of the train fingerprint."""
        raise NotImplementedError


@dataclasses.dataclass(frozen=True)
class Item:
    """An initial time of a dataset: its index in the source, ISO time, and lead of the (first) target."""

    index: int
    time: str
    lead_hours: float = 0.0


@dataclasses.dataclass
class Frame:
    """A later step of a rollout; `state` (normalised, [B, C, *S]) is None in drawing."""

    state: Tensor | None
    forcing: Tensor
    lead_hours: Tensor


@dataclasses.dataclass
class Batch:
    """Samples as the objectives see them.

    Attributes:
        target: [B, C, *S]; None where there is no truth.
        condition: [B, D, *S]: history oldest first, forcings at the target time, interpolated coarse field.
        static: [1|B, E, *S].
        mask: bool [1|B, 1|C, *S].
        area: [1|B, *S], mean 1 over the full field.
        lead_hours: [B].
        origin: int64 [B, dims], first cell of the patch in the full field.
        key: int64 [B]: place in the training stream, step * batch_size + place; in valid and test the item's index.
        time: [B] ISO strings.
        future: frames of later steps, for rollout training.
        extra: cached mean, probability channels, labels. A tensor is a field iff ndim == dims + 2, and is cropped with a patch.
    """

    target: Tensor | None
    condition: Tensor
    static: Tensor
    mask: Tensor
    area: Tensor
    lead_hours: Tensor
    origin: Tensor
    key: Tensor
    time: np.ndarray
    future: tuple[Frame, ...] = ()
    extra: Mapping[str, Tensor] = dataclasses.field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.condition)

    @property
    def size(self) -> tuple[int, ...]:
        """*S."""
        return tuple(self.condition.shape[2:])

    def map(self, f: Callable[[Tensor], Tensor], *, shared: Callable[[Tensor], Tensor] | None = None) -> Batch:
        """Every tensor through `f`; those that may have one row for all samples (static, mask, area) through `shared`."""
        g = shared or f

        def maybe(x: Tensor | None) -> Tensor | None:
            return None if x is None else f(x)

        return dataclasses.replace(
            self,
            target=maybe(self.target),
            condition=f(self.condition),
            static=g(self.static),
            mask=g(self.mask),
            area=g(self.area),
            lead_hours=f(self.lead_hours),
            origin=f(self.origin),
            key=f(self.key),
            future=tuple(Frame(maybe(a.state), f(a.forcing), f(a.lead_hours)) for a in self.future),
            extra={name: f(x) for name, x in self.extra.items()},
        )

    def rows(self, index: Tensor) -> Batch:
        """Rows by index; tensors whose first size is 1 for all samples stay so."""

        def own(x: Tensor) -> Tensor:
            return x[index.to(x.device)]

        def shared(x: Tensor) -> Tensor:
            return x if len(x) == 1 and len(self) > 1 else own(x) if len(x) == len(self) > 1 else x

        out = self.map(own, shared=shared)
        out.time = self.time[index.cpu().numpy()]
        return out

    def repeat(self, m: int) -> Batch:
        """Every row m times, b-major: B -> B * m."""
        return self if m == 1 else self.rows(torch.arange(len(self)).repeat_interleave(m))

    def __getitem__(self, rows: slice) -> Batch:
        return self.rows(torch.arange(len(self))[rows])

    def to(self, device: torch.device) -> Batch:
        return self.map(lambda x: x.to(device))


class Codec(nn.Module):
    """Between physical units and the space of the network; statistics are buffers, so every checkpoint has them, readable.

    Attributes:
        targets: names of the target channels, in order.
        units: of each target.
    """

    targets: tuple[str, ...]
    units: tuple[str, ...]

    def recipe(self) -> Mapping[str, Any]:
        """Plain JSON values from which `Dataset.codec` allocates an equal module; a checkpoint holds it beside the buffers."""
        raise NotImplementedError

    def encode(self, name: str, x: Tensor) -> Tensor:
        """A physical field of variable `name`, normalised."""
        raise NotImplementedError

    def decode(self, y: Tensor, batch: Batch) -> Tensor:
        """Prediction [N, C, *S] -> physical: adds the interpolated field or last state, applies bounds."""
        raise NotImplementedError

    def advance(self, batch: Batch, y: Tensor, frame: Frame) -> Batch:
        """The whole next batch (history, forcing, lead, and target re-expressed from the new state); rows match y, differentiable."""
        raise NotImplementedError


@dataclasses.dataclass(frozen=True)
class Ports:
    """Channel counts that a network is built for, derived from the opened dataset and altered by objectives.

    Attributes:
        target: channels of the noisy state that goes in (0: none).
        condition: channels of `Inputs.condition`.
        static: channels of `Inputs.static`.
        out: channels that come out.
        level: size of the noise conditioning (0: none).
        latent: size of the latent vector (0: none).
        leads: the lead times in hours the network will see.
        grid: the full grid.
    """

    target: int
    condition: int
    static: int
    out: int
    level: int = 0
    latent: int = 0
    leads: tuple[float, ...] = ()
    grid: Grid | None = None


class Opened(Protocol):
    """An opened dataset."""

    ports: Ports
    codec: Codec
    grid: Grid
    patch: tuple[int, ...] | None
    """Size of training patches; None: full fields."""

    def items(self, split: Split) -> Sequence[Item]: ...

    def read(self, items: Sequence[Item], origins: Tensor | None = None) -> Batch:
        """CPU tensors; `origins` int64 [B, dims] cuts patches; `target` is filled wherever there is truth; `key` is the items' index."""
        ...

    def frames(self, items: Sequence[Item], leads: int) -> Iterable[Frame]:
        """Forcings of later steps, for drawing (state None)."""
        ...

    def truth(self, item: Item) -> xr.Dataset | None:
        """Physical, dims (lead_time, *S), with coordinates; None: there is none."""
        ...


@runtime_checkable
class Coarsened(Protocol):
    """What an opened downscaling dataset has beside: its input."""

    factor: int

    def coarse(self, items: Sequence[Item]) -> Tensor:
        """Physical block means [B, C, h, w], cells without valid ones filled from the nearest."""
        ...

    def interpolate(self, coarse: Tensor, method: Literal["bilinear", "bicubic"]) -> Tensor:
        """[B, C, h, w] -> [B, C, H, W], `align_corners=False`, bicubic a = -0.75."""
        ...


class Dataset(Spec):
    """What is to be predicted from what."""

    registry: ClassVar[str] = "wxexp.datasets"

    def open(self) -> Opened:
        """Reads what it needs of the source; errors in the data (an all-NaN variable, unsorted times) are ValueErrors that name it."""
        raise NotImplementedError

    def codec(self, recipe: Mapping[str, Any]) -> Codec:
        """An empty codec to load buffers into, without opening the data."""
        raise NotImplementedError


# Networks


@dataclasses.dataclass
class Inputs:
    """What a network sees beside the noisy state.

    Attributes:
        condition: [N, D, *S].
        static: [1|N, E, *S].
        level: noise conditioning [N, k], or None.
        latent: [N, Z], or None.
        lead_hours: [N].
        origin: int64 [N, dims].
        noise: maps asked for by `noise_shapes` [N, c, *size] (pixel noise injection); no network draws by itself.
        extra: as in Batch.
    """

    condition: Tensor
    static: Tensor
    lead_hours: Tensor
    origin: Tensor
    level: Tensor | None = None
    latent: Tensor | None = None
    noise: Mapping[str, Tensor] = dataclasses.field(default_factory=dict)
    extra: Mapping[str, Tensor] = dataclasses.field(default_factory=dict)

    @classmethod
    def of(
        cls,
        batch: Batch,
        *,
        level: Tensor | None = None,
        latent: Tensor | None = None,
        noise: Mapping[str, Tensor] | None = None,
    ) -> Inputs:
        return cls(
            condition=batch.condition,
            static=batch.static,
            lead_hours=batch.lead_hours,
            origin=batch.origin,
            level=level,
            latent=latent,
            noise=noise or {},
            extra=batch.extra,
        )

    def map(self, f: Callable[[Tensor], Tensor]) -> Inputs:
        """Every tensor through `f`."""

        def maybe(x: Tensor | None) -> Tensor | None:
            return None if x is None else f(x)

        return Inputs(
            condition=f(self.condition),
            static=f(self.static),
            lead_hours=f(self.lead_hours),
            origin=f(self.origin),
            level=maybe(self.level),
            latent=maybe(self.latent),
            noise={name: f(x) for name, x in self.noise.items()},
            extra={name: f(x) for name, x in self.extra.items()},
        )


class Network(nn.Module):
    """Any size *S; it pads itself.

    Attributes:
        same_size: False for encoders, decoders and critics, which only the objective that holds them uses; wrappers leave them alone.
    """

    same_size: bool = True

    def noise_shapes(self, size: Sequence[int]) -> Mapping[str, tuple[int, ...]]:
        """Noise maps it wants for fields of `size`, name -> (c, *size)."""
        return {}

    def forward(self, x: Tensor | None, inputs: Inputs) -> Tensor:
        """[N, target, *S] (None where ports.target is 0) -> [N, out, *S]."""
        raise NotImplementedError


class Wrapper(Network):
    """A network around a network; passes on all that is not `forward`."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network
        self.same_size = network.same_size

    def noise_shapes(self, size: Sequence[int]) -> Mapping[str, tuple[int, ...]]:
        return self.network.noise_shapes(size)


class Model(Spec):
    """The hyper-parameters of a network."""

    registry: ClassVar[str] = "wxexp.models"

    def build(self, ports: Ports, parent: Callable[[Experiment], Learner]) -> Network:
        """`parent` gives the trained learner of an experiment that the model holds."""
        raise NotImplementedError


# Learning


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
    """

    codec: Codec | None

    def __init__(self) -> None:
        super().__init__()
        self.codec = None
        self._frozen = False

    def phases(self) -> tuple[Phase, ...]:
        return (Phase("network", ("network",)),)

    def prepare(self, opened: Opened, session: Session) -> None:
        """Before step 0 only: fills buffers allocated when built, such as fitted residual statistics."""

    def cache(self, opened: Opened, scratch: Path) -> Opened:
        """At every start and in drawing: the dataset with what need not be computed twice, such as a frozen mean."""
        return opened

    def forward(self, batch: Batch, step: Step) -> Loss:
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
        raise NotImplementedError


# Diffusion


class Scheduler(Spec):
    """A density of noise levels in training. t in [0, 1] runs from clean (gamma_max) to noisy (gamma_min)."""

    registry: ClassVar[str] = "wxexp.schedulers"

    def gamma(self, t: Tensor) -> Tensor:
        """Log-SNR at t: decreasing."""
        raise NotImplementedError

    def time(self, gamma: Tensor) -> Tensor:
        """The inverse of gamma."""
        raise NotImplementedError

    def log_density(self, gamma: Tensor) -> Tensor:
        """Ln |dt/dgamma|."""
        raise NotImplementedError

    @property
    def range(self) -> tuple[float, float]:
        """(gamma_min, gamma_max); infinite where unbounded."""
        raise NotImplementedError

    def build(self) -> Schedule:
        """Itself, or a module with buffers (adaptive)."""
        return FixedSchedule(self)


class Schedule(nn.Module):
    """A schedule in training: a fixed one, or one that adapts to the errors it sees."""

    def gamma(self, t: Tensor) -> Tensor:
        raise NotImplementedError

    def log_density(self, gamma: Tensor) -> Tensor:
        raise NotImplementedError

    def update(self, gamma: Tensor, error: Tensor, world: Group) -> None:
        """Adapts to unweighted errors [B] at log-SNR gamma [B], reduced over `world`; a no-op for fixed schedules."""


class FixedSchedule(Schedule):
    """A scheduler without state."""

    def __init__(self, scheduler: Scheduler) -> None:
        super().__init__()
        self.scheduler = scheduler

    def gamma(self, t: Tensor) -> Tensor:
        return self.scheduler.gamma(t)

    def log_density(self, gamma: Tensor) -> Tensor:
        return self.scheduler.log_density(gamma)


class Levels(Spec):
    """The noise levels a sampler steps through."""

    registry: ClassVar[str] = "wxexp.levels"

    def gamma(self, steps: int) -> Tensor:
        """float64 [steps], increasing: noisy to clean; the last is that of s_min."""
        raise NotImplementedError


Denoiser = Callable[[Tensor, Tensor], Tensor]
"""(y [N, C, *S] in data units, gamma [] or [N]) -> the estimate of x [N, C, *S]."""


class Noise(Protocol):
    """Random fields of a sampler, each [N, C, *S] in the dtype and on the device of its state."""

    def prior(self) -> Tensor: ...

    def at(self, *key: int) -> Tensor: ...

    def brownian(self, s0: float, s1: float) -> Tensor: ...


class Sampler(Spec):
    """How a sample is drawn.

    Class attributes: `order` of convergence, `evaluations` of the denoiser per step, `stochastic`, and `source` (the publication).
    Fields: number of `steps` (noise levels), their `levels`, and what `terminal` does: "denoise" jumps from the last level to the estimate of
    x, "keep" returns the state at the last level.
    """

    registry: ClassVar[str] = "wxexp.samplers"
    order: ClassVar[int]
    evaluations: ClassVar[int]
    stochastic: ClassVar[bool]
    source: ClassVar[str]
    steps: int
    levels: Levels
    terminal: Literal["denoise", "keep"] = "denoise"

    def __post_init__(self) -> None:
        least = max(1, self.order)
        if self.steps < least:
            raise ValueError(f"{type(self).__name__}.steps must be at least {least}, got {self.steps}")

    def sample(self, denoise: Denoiser, y: Tensor, gamma: Tensor, noise: Noise) -> Tensor:
        """From y at level gamma[0] to a sample; start midway by passing gamma[k:]."""
        raise NotImplementedError


class Perturbation(Spec):
    """Initial-condition perturbations."""

    registry: ClassVar[str] = "wxexp.perturbations"


class Likelihood(Spec):
    """A decoder's likelihood."""

    registry: ClassVar[str] = "wxexp.likelihoods"


# Scoring


class Statistic(Spec):
    """Sums over space of one case that metrics are made from; hashable, deduplicated over metrics.

    Class attribute `scope`: "point" (cell by cell, in the fused kernel where built in) or "field" (needs whole fields).
    """

    registry: ClassVar[str] = "wxexp.statistics"
    scope: ClassVar[Literal["point", "field"]]

    def reduce(self, truth: np.ndarray, members: np.ndarray, weights: np.ndarray) -> Mapping[str, np.ndarray]:
        """[*S], [M, *S], [G, *S] (weight 0: not scored) -> name: float64 [G, ...]."""
        raise NotImplementedError


@dataclasses.dataclass(frozen=True)
class Row:
    """One row of a table; absent bounds are None, `lead_hours` too where there is no lead."""

    metric: str
    variable: str
    source: str
    group: str
    lead_hours: float | None
    value: float
    low: float | None
    high: float | None
    units: str


Total = Callable[[np.ndarray], np.ndarray]


class Sums(Protocol):
    """Sums of one source (the forecast, or a baseline): float64 [case, lead, variable, group, ...] by statistic and name, cases in time order."""

    source: str
    members: int
    references: Mapping[str, Sums]
    """Of the baselines, for skill scores; empty in a baseline's own sums."""

    def __getitem__(self, statistic: Statistic) -> Mapping[str, np.ndarray]: ...

    def rows(self, metric: str, value: Callable[[Total], np.ndarray], *, source: str | None = None, units: str | None = None) -> list[Row]:
        """Rows of a metric with bootstrap bounds.

        `value(total)` computes the metric [..., lead, variable, group] from totals; `total(x)` sums an array [case, ...] over cases: once as
        they are, and once per bootstrap draw (all draws at once, on a new first axis), so that finished scores are never averaged.
        `source`: None is this source's name. `units`: None is those of the variable, "1" is none.
        """
        ...


class Metric(Spec):
    """What is reported, from which statistics."""

    registry: ClassVar[str] = "wxexp.metrics"

    def needs(self) -> tuple[Statistic, ...]:
        raise NotImplementedError

    def rows(self, sums: Sums) -> list[Row]:
        """Rows of the table; `crps` and the like are the scores of `sums.source`, `crpss` is that of the forecast over `source`."""
        raise NotImplementedError


class Baseline(Spec):
    """What a forecast must beat; fitted on training times only."""

    registry: ClassVar[str] = "wxexp.baselines"

    def fit(self, opened: Opened) -> Mapping[str, np.ndarray]:
        return {}

    def members(self, fitted: Mapping[str, np.ndarray], opened: Opened, item: Item, leads: int, draws: Draws) -> np.ndarray:
        """[M, lead, C, *S] physical; M = 1 for a deterministic one. `draws` has one row."""
        raise NotImplementedError


# Running


class Session(Protocol):
    """A training process and its peers."""

    rank: int
    world_size: int
    device: torch.device
    scratch: Path

    def group(self, size: int) -> Group:
        """Contiguous ranks; every rank creates every group; a group receives the same samples."""
        ...

    def restore(self) -> Path | None:
        """The latest checkpoint, or None."""
        ...

    def report(self, metrics: Mapping[str, float], checkpoint: Path | None = None) -> None:
        """A barrier; at checkpoint cadence only. `checkpoint` is a finished temporary folder that the session takes over (rank 0)."""
        ...

    def should_stop(self) -> bool:
        """Pre-emption, Ctrl-C."""
        ...


@dataclasses.dataclass(frozen=True)
class Failure:
    """An item that could not be done."""

    error: str
    traceback: str


I_contra = TypeVar("I_contra", contravariant=True)
I = TypeVar("I")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class Worker(Protocol, Generic[I_contra, R_co]):
    """What a factory makes, once per worker."""

    def __call__(self, item: I_contra, /) -> R_co: ...


class Executor(Protocol):
    """Work items over workers. Members, scoring, data building and sweeps use nothing else."""

    def map(
        self, factory: Callable[[Any], Worker[I, R]], tree: Any, items: Iterable[I], *, in_flight: int
    ) -> Iterator[tuple[I, R | Failure]]:
        """(item, result) as they finish, at most `in_flight` submitted; `factory(tree)` (importable, tree of plain values) runs once per worker."""
        ...


class Tracker(Protocol):
    """Where numbers of a run go."""

    def config(self, tree: Mapping[str, Any]) -> None: ...

    def scalars(self, step: int, values: Mapping[str, float], context: Mapping[str, Any] = {}) -> None: ...

    def image(self, step: int, name: str, path: Path, context: Mapping[str, Any] = {}) -> None: ...

    def close(self) -> None: ...
