from types import SimpleNamespace

import numpy as np
import pytest
import torch

from wxexp.fields.grid import Grid
from wxexp.fields.seeds import Draws
from wxexp.interfaces import Batch, Group, Inputs, Learner, Model, Network, Parts, Ports, Step
from wxexp.objectives import Regression

STEP = Step(0, "network", Group(), Group())


class Copying(Model):
    """Its network returns the condition plus a parameter that starts at zero."""

    def build(self, ports, parent):
        return _Copying(ports)


class _Copying(Network):
    def __init__(self, ports):
        super().__init__()
        self.ports = ports
        self.shift = torch.nn.Parameter(torch.zeros(()))

    def forward(self, x: torch.Tensor | None, inputs: Inputs) -> torch.Tensor:
        assert x is None and inputs.level is None
        return inputs.condition + self.shift


def learner(**kwargs) -> Learner:
    ports = Ports(target=0, condition=2, static=0, out=2, grid=Grid("ring", None, np.arange(3.0)))
    opened = SimpleNamespace(codec=SimpleNamespace(targets=("t", "pr")))
    return Regression(**kwargs).build(Parts(opened, ports, Copying(), None, parent=None))


def batch() -> Batch:
    """Errors of 1, 2, 3 in t and 4, 5, 6 in pr in both samples, with opposite signs."""
    error = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    target = torch.zeros(2, 2, 3)
    return Batch(
        target=target,
        condition=torch.stack([error, -error]),
        static=torch.zeros(1, 0, 3),
        mask=torch.ones(1, 1, 3, dtype=torch.bool),
        area=torch.tensor([[1.5, 0.5, 1.0]]),
        lead_hours=torch.zeros(2),
        origin=torch.zeros(2, 1, dtype=torch.int64),
        key=torch.arange(2),
        time=np.array(["2020-01-01", "2020-01-02"]),
    )


@pytest.mark.parametrize(
    ("kwargs", "expected"),
    [
        ({}, (1.5 * 17 + 0.5 * 29 + 45) / 6),
        ({"loss": "mae"}, (1.5 * 5 + 0.5 * 7 + 9) / 6),
        ({"loss": "mae", "area": "uniform"}, 21 / 6),
        ({"loss": "mae", "area": "uniform", "variable_weights": {"pr": 3.0}}, (6 + 3 * 15) / 12),
    ],
)
def test_the_loss_by_hand(kwargs, expected):
    loss = learner(**kwargs)(batch(), STEP)
    torch.testing.assert_close(loss.per_sample, torch.full((2,), expected))
    assert loss.gamma is None


def test_masked_cells_are_not_learnt_from():
    model, given = learner(area="uniform", loss="mae"), batch()
    given.mask = torch.tensor([[[True, False, True]]])
    given.target[..., 1] = torch.nan
    loss = model(given, STEP).per_sample
    loss.sum().backward()
    assert loss.tolist() == [3.5, 3.5]
    assert model.network.shift.grad.item() == 0.0  # one sample above, one below


@torch.no_grad()
def test_members_are_all_the_same_and_masked_cells_zero():
    given = batch()
    given.mask = torch.tensor([[[True, False, True]]])
    members = learner().members(given, Draws.drawing(0, list(given.time)).members(range(4)), None)
    assert members.shape == (2, 4, 2, 3)
    for m in range(4):
        assert torch.equal(members[:, m], torch.where(given.mask, given.condition, 0.0))


def test_the_network_is_built_without_noisy_state_and_level():
    ports = learner().network.ports
    assert (ports.target, ports.level) == (0, 0)
