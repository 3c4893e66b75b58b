"""From an experiment to a learner with fresh weights, and from what a checkpoint remembers of it to an equal one without data."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from wxexp.config import fingerprint, from_tree, to_tree
from wxexp.config.tree import normal
from wxexp.experiment import Experiment
from wxexp.fields.grid import Grid
from wxexp.fields.seeds import stream
from wxexp.interfaces import Batch, Codec, Frame, Item, Learner, Opened, Parts, Ports, Split

if TYPE_CHECKING:
    import xarray as xr


def build(experiment: Experiment, opened: Opened, parent: Callable[[Experiment], Learner]) -> Learner:
    """A learner with the weights that belong to `experiment.seed`.

    Args:
        experiment: what is to be learnt.
        opened: its opened dataset.
        parent: gives the trained learner of an experiment that the objective or the model holds; it is frozen here.

    Raises:
        ValueError: a network couples the rows of a batch, or phases do not partition the trainable parameters.
    """
    parents: list[Mapping[str, Any]] = []

    def held(other: Experiment) -> Learner:
        learner = parent(other).freeze()
        assert learner.made_from is not None, "a parent comes from build or from a checkpoint"
        parents.append(learner.made_from)
        return learner

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(stream("initialisation", experiment.seed).integers(2**63)))
        parts = Parts(opened=opened, ports=opened.ports, model=experiment.model, scheduler=experiment.scheduler, parent=held)
        learner = experiment.objective.build(parts)
    learner.codec = copy.deepcopy(opened.codec)  # its own: the learner moves to a device, the dataset stays on the CPU
    learner.made_from = describe(experiment, opened, parents)
    _refuse_coupled_rows(learner)
    phase_parameters(learner)
    return learner


def phase_parameters(learner: Learner) -> dict[str, list[nn.Parameter]]:
    """Trainable parameters by phase.

    Raises:
        ValueError: a trainable parameter is in no phase or in two.
    """
    found: dict[str, list[nn.Parameter]] = {}
    owner: dict[int, str] = {}
    for phase in learner.phases():
        if phase.name in found:
            raise ValueError(f"{type(learner).__name__}.phases must have different names, got {phase.name!r} twice")
        own = {id(p): p for name in phase.modules for p in learner.get_submodule(name).parameters() if p.requires_grad}
        found[phase.name] = list(own.values())
        for key in own:
            if key in owner:
                name = next(n for n, p in learner.named_parameters() if id(p) == key)
                raise ValueError(
                    f"parameter {name} must be in one phase of {type(learner).__name__}, got {owner[key]!r} and {phase.name!r}"
                )
            owner[key] = phase.name
    if lost := [name for name, p in learner.named_parameters() if p.requires_grad and id(p) not in owner]:
        raise ValueError(f"parameter {lost[0]} must be in a phase of {type(learner).__name__}; phases are {', '.join(found)}")
    return found


def _refuse_coupled_rows(learner: Learner) -> None:
    for name, module in learner.named_modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            kind = type(module).__name__
            raise ValueError(f"{name} must not be a {kind}, which couples the rows of a batch; GroupNorm and LayerNorm do not")


def describe(experiment: Experiment, opened: Opened, parents: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Plain JSON values from which `rebuild` makes an equal learner without data."""
    grid, codec = opened.grid, opened.codec
    ports = {f.name: getattr(opened.ports, f.name) for f in dataclasses.fields(Ports) if f.name != "grid"}
    return {
        "experiment": to_tree(normal(experiment)),
        "ports": {**ports, "leads": list(opened.ports.leads)},
        "grid": {
            "kind": grid.kind,
            "lat": None if grid.lat is None else np.asarray(grid.lat, dtype=np.float64).tolist(),
            "lon": np.asarray(grid.lon, dtype=np.float64).tolist(),
            "dx_km": grid.dx_km,
            "dy_km": grid.dy_km,
            "periodic_x": grid.periodic_x,
        },
        "patch": None if opened.patch is None else list(opened.patch),
        "units": dict(zip(codec.targets, codec.units, strict=True)),
        "codec": dict(codec.recipe()),
        "parents": list(parents),
    }


def rebuild(made_from: Mapping[str, Any]) -> tuple[Experiment, Learner]:
    """The experiment and a learner of its structure, for weights and buffers to be loaded into; parents are rebuilt in the same way."""
    experiment: Experiment = from_tree(made_from["experiment"], Experiment)
    grid = dict(made_from["grid"])
    grid |= {name: None if grid[name] is None else np.array(grid[name], dtype=np.float64) for name in ("lat", "lon")}
    where = Grid(**grid)
    ports = Ports(**{**made_from["ports"], "leads": tuple(made_from["ports"]["leads"])}, grid=where)
    patch = None if made_from["patch"] is None else tuple(made_from["patch"])
    closed = Closed(ports=ports, codec=experiment.dataset.codec(made_from["codec"]), grid=where, patch=patch)

    def parent(other: Experiment) -> Learner:
        wanted, record = fingerprint(other, "train", {}), to_tree(normal(other))  # its run may have been begun with another sampler
        remembered = ({**held, "experiment": trained_alike(held["experiment"], record)} for held in made_from["parents"])
        return rebuild(next(one for one in remembered if fingerprint(from_tree(one["experiment"], Experiment), "train", {}) == wanted))[1]

    return experiment, build(experiment, closed, parent)


def trained_alike(trained: Mapping[str, Any], like: Mapping[str, Any]) -> dict[str, Any]:
    """The tree of an experiment with all that decides its training, and the rest (sampler, ensemble, scoring, ...) of another."""
    return {**trained, **{name: value for name, value in like.items() if Experiment.stages.get(name) != "train"}}


@dataclasses.dataclass
class Closed:
    """What is known of an opened dataset without its data."""

    ports: Ports
    codec: Codec
    grid: Grid
    patch: tuple[int, ...] | None

    def _no_data(self) -> ValueError:
        return ValueError("a learner loaded from a checkpoint has no data; open the experiment's dataset")

    def items(self, split: Split) -> Sequence[Item]:
        raise self._no_data()

    def read(self, items: Sequence[Item], origins: Tensor | None = None) -> Batch:
        raise self._no_data()

    def frames(self, items: Sequence[Item], leads: int) -> Iterable[Frame]:
        raise self._no_data()

    def truth(self, item: Item) -> xr.Dataset | None:
        raise self._no_data()
