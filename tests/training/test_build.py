import dataclasses

import doubles
import pytest
import torch
from torch import nn

from wxexp.interfaces import Learner, Phase
from wxexp.training import build, phase_parameters
from wxexp.training.build import rebuild


def states_equal(a, b):
    a, b = a.state_dict(), b.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_weights_are_a_function_of_the_seed_alone():
    experiment = doubles.experiment("adversarial")
    torch.manual_seed(1)
    before = torch.get_rng_state()
    a = doubles.build(experiment)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert states_equal(a, doubles.build(experiment))
    assert not states_equal(a, doubles.build(dataclasses.replace(experiment, seed=4)))


def test_the_learner_has_a_codec_of_its_own():
    opened = doubles.Toy().open()
    learner = build(doubles.experiment("regression"), opened, pytest.fail)
    learner.double()
    assert opened.codec.mean.dtype == torch.float32
    assert learner.codec.mean.dtype == torch.float64 and float(learner.codec.mean) == 10.0


def test_parents_are_frozen():
    learner = doubles.build(doubles.experiment("residual")).train()
    assert not learner.mean.training and not any(p.requires_grad for p in learner.mean.parameters())
    assert learner.inner.training
    assert set(phase_parameters(learner)) == {"network"}


@pytest.mark.parametrize("name", doubles.NAMES)
def test_rebuilt_without_data(name, monkeypatch):
    """From plain JSON values: the same experiment, and a learner that the state of the first one fits, parents included."""
    learner = doubles.build(doubles.experiment(name))
    monkeypatch.setattr(doubles.Toy, "open", lambda self: pytest.fail("data were opened"))
    experiment, again = rebuild(learner.made_from)
    assert experiment == doubles.experiment(name)
    again.load_state_dict(learner.state_dict())
    assert states_equal(learner, again)
    assert learner.made_from["units"] == {"y": "K"}
    assert len(learner.made_from["parents"]) == (1 if name in ("residual", "latent") else 0)


@pytest.mark.parametrize("name", ("residual", "latent"))
def test_a_parent_is_known_by_its_training_alone(name):
    """Its run may have been begun with other members, or with a sampler of a package that is not imported now."""
    learner = doubles.build(doubles.experiment(name))
    made_from = learner.made_from
    (parent,) = made_from["parents"]
    begun = {**parent["experiment"], "sampler": {"type": "lab.nowhere:Mine"}, "resources": {"type": "Resources", "threads": 7}}
    _, again = rebuild({**made_from, "parents": [{**parent, "experiment": begun}]})
    again.load_state_dict(learner.state_dict())
    assert again.made_from == made_from


class Bare(Learner):
    def __init__(self, phases, **children):
        super().__init__()
        self._phases = phases
        for name, child in children.items():
            setattr(self, name, child)

    def phases(self):
        return self._phases


def test_phases_must_partition_the_parameters():
    a, b = Phase("a", ("first",)), Phase("b", ("second",))
    first, second = nn.Linear(1, 1), nn.Linear(1, 1)
    found = phase_parameters(Bare((a, b), first=first, second=second))
    assert {name: len(ps) for name, ps in found.items()} == {"a": 2, "b": 2}
    with pytest.raises(ValueError, match=r"parameter second\.weight must be in a phase of Bare; phases are a"):
        phase_parameters(Bare((a,), first=first, second=second))
    with pytest.raises(ValueError, match=r"parameter first\.weight must be in one phase of Bare, got 'a' and 'b'"):
        phase_parameters(Bare((a, Phase("b", ("first", "second"))), first=first, second=second))
    with pytest.raises(ValueError, match="'a' twice"):
        phase_parameters(Bare((a, a), first=first))
    assert phase_parameters(Bare((a,), first=first, second=second.requires_grad_(False))).keys() == {"a"}  # the frozen need no phase


@pytest.mark.parametrize("kind", [nn.BatchNorm1d, nn.SyncBatchNorm])
def test_networks_that_couple_rows_are_refused(kind, monkeypatch):
    make = doubles.ConvNet.__init__

    def with_norm(self, spec, ports):
        make(self, spec, ports)
        self.norm = kind(16)

    monkeypatch.setattr(doubles.ConvNet, "__init__", with_norm)
    with pytest.raises(ValueError, match=f"network.norm must not be a {kind.__name__}, which couples the rows"):
        doubles.build(doubles.experiment("rollout"))
