import dataclasses
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import wxexp as wx
from wxexp.fields.grid import Grid
from wxexp.fields.seeds import Draws
from wxexp.interfaces import Batch, Dataset, Group, Learner, Model, Network, Parts, Ports, Step
from wxexp.likelihoods import Bounded, CensoredGaussian, Gaussian, Laplace
from wxexp.models import SongUNet
from wxexp.objectives import Autoencoding
from wxexp.training import phase_parameters

STEP = Step(0, "network", Group(), Group())
SMALL = SongUNet(channels=16, multipliers=(1,), blocks=1, embedding=16)


class Nothing(Dataset):
    """Never opened."""


class Shifted(Model):
    """Its network adds a parameter, zero at first, to the channels that go in; more than those are zero."""

    def build(self, ports, parent):
        return _Shifted(ports)


class _Shifted(Network):
    def __init__(self, ports):
        super().__init__()
        self.ports, self.seen = ports, []
        self.shift = torch.nn.Parameter(torch.zeros(()))

    def forward(self, x, inputs):
        self.seen.append((x, inputs))
        more = torch.zeros(len(x), max(0, self.ports.out - x.shape[1]), *x.shape[2:])
        return torch.cat([x, more], 1)[:, : self.ports.out] + self.shift


def learner(*size: int, model: Model | None = None, **kwargs) -> Learner:
    grid = Grid("ring", None, np.arange(size[0])) if len(size) == 1 else Grid("latlon", np.arange(1.0 * size[0]), np.arange(1.0 * size[1]))
    opened = SimpleNamespace(codec=SimpleNamespace(targets=("t", "pr")))
    ports = Ports(target=0, condition=3, static=1, out=2, grid=grid)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Autoencoding(**{"likelihood": Gaussian(), **kwargs}).build(Parts(opened, ports, model or Shifted(), None, parent=None))


def batch(rows: int, *size: int, seed: int = 0) -> Batch:
    random = torch.Generator().manual_seed(seed)
    return Batch(
        target=torch.randn(rows, 2, *size, generator=random),
        condition=torch.randn(rows, 3, *size, generator=random),
        static=torch.randn(1, 1, *size, generator=random),
        mask=torch.ones(1, 1, *size, dtype=torch.bool),
        area=torch.ones(1, *size),
        lead_hours=torch.zeros(rows),
        origin=torch.full((rows, len(size)), 6),
        key=torch.arange(rows),
        time=np.array([f"2020-01-{i + 1:02d}" for i in range(rows)]),
        extra={"label": torch.ones(rows, 1), "field": torch.ones(rows, 1, *size)},
    )


@pytest.mark.parametrize("size", [(40,), (7,), (1,), (8, 12), (9, 13), (3, 1)], ids=str)
@pytest.mark.parametrize("likelihood", [Gaussian(), Bounded(lower=-1.0)], ids=["gaussian", "bounded"])
@torch.no_grad()
def test_any_size_is_encoded_and_decoded_to_it(size, likelihood):
    made = learner(*size, model=SMALL, channels=3, factor=2, likelihood=likelihood)
    given = batch(2, *size)
    latent, cells = made.encode(given), 2 ** len(size)
    coarse = tuple(math.ceil(s / 2) for s in size)
    assert latent.target.shape == (2, 3, *coarse) and latent.condition.shape == (2, 3 * cells, *coarse)
    assert latent.static.shape == (1, cells, *coarse) and latent.mask.shape == (1, 1, *coarse) and latent.area.shape == (1, *coarse)
    assert latent.extra["field"].shape == (2, cells, *coarse) and latent.extra["label"].shape == (2, 1)
    assert (latent.origin == 3).all()
    assert made.decode(latent.target, given).shape == (2, 2, *size)
    ports = made.latent_ports(Ports(target=2, condition=3, static=1, out=2, grid=Grid("ring", None, np.arange(40)), leads=(6.0,)))
    assert (ports.target, ports.condition, ports.static, ports.out) == (3, 3 * cells, cells, 3)
    assert ports.grid.shape == (20,) and ports.leads == (6.0,)


@torch.no_grad()
def test_what_loses_nothing_gives_back_the_field():
    """Encoder and decoder are the identity of 2 * 2 * 2 channels, on a field of odd size."""
    made, given = learner(9, 13, channels=8), batch(2, 9, 13)
    assert torch.equal(made.decode(made.encode(given).target, given), given.target)


@torch.no_grad()
def test_a_latent_cell_has_the_area_of_its_cells():
    given = dataclasses.replace(batch(1, 5), area=torch.tensor([[0.5, 1.5, 2.0, 0.0, 1.0]]))
    assert learner(5).encode(given).area.tolist() == [[1.0, 1.0, 0.5]]


def test_masked_cells_are_neither_read_nor_learnt_from():
    made, given = learner(6, channels=4), batch(2, 6)
    mask = torch.tensor([[[True, False, True, True, False, False]]])
    given = dataclasses.replace(given, mask=mask)
    spoilt = dataclasses.replace(given, target=torch.where(mask, given.target, torch.nan))
    loss, same = made(spoilt, STEP), made(given, STEP)
    assert torch.equal(loss.per_sample, same.per_sample) and all(torch.equal(loss.terms[k], same.terms[k]) for k in loss.terms)
    loss.per_sample.sum().backward()
    assert made.encoder.shift.grad.isfinite()
    latent = made.encode(spoilt)
    assert latent.mask.tolist() == [[[True, True, False]]]
    assert latent.target.isfinite().all() and (latent.target[..., 2] == 0).all()
    assert (made.decode(latent.target + 1, spoilt)[..., [1, 4, 5]] == 0).all()
    x, inputs = made.encoder.seen[-1]
    assert torch.equal(inputs.static[0], torch.tensor([[1.0, 1, 0], [0, 1, 0]] * 2)) and (x[:, 1, 0] == 0).all()


def test_the_loss_of_a_constant_error_by_hand():
    """The decoder is off by 2 in every cell, scale 1: Gaussian 2 + ln(2 pi) / 2, Laplace 2 + ln 2."""
    for likelihood, expected in ((Gaussian(decay=0.5), 2 + 0.9189385332), (Laplace(decay=0.5), 2 + 0.6931471806)):
        made, given = learner(6, channels=4, likelihood=likelihood), batch(3, 6)
        made.decoder.shift.data.fill_(2.0)
        loss = made(given, STEP)
        torch.testing.assert_close(loss.per_sample, torch.full((3,), expected))
        torch.testing.assert_close(loss.error, torch.full((3,), 4.0))
        made.commit(loss, STEP)
        torch.testing.assert_close(made.likelihood.moment, torch.full((2,), 2.5 if isinstance(likelihood, Gaussian) else 1.5))


def test_the_scale_is_fitted_to_valid_cells_by_area():
    """Errors 1 and 3 in cells of area 1.5 and 0.5, a third cell masked: mean square (1.5 + 0.5 * 9) / 2 = 3."""
    made = learner(3, channels=4, likelihood=Gaussian(decay=0.0))
    given = dataclasses.replace(batch(2, 3), mask=torch.tensor([[[True, True, False]]]), area=torch.tensor([[1.5, 0.5, 1.0]]))
    made._decoded = lambda y, batch: given.target + torch.tensor([1.0, 3.0, 9.0])
    made.commit(made(given, STEP), STEP)
    torch.testing.assert_close(made.likelihood.moment, torch.tensor([3.0, 3.0]))


@torch.no_grad()
def test_members_are_drawn_around_the_truth_and_within_bounds():
    made, given = learner(200, channels=4, likelihood=CensoredGaussian(lower=0.0)), batch(2, 200)
    given = dataclasses.replace(given, target=torch.full_like(given.target, 0.5))
    made.likelihood.moment.fill_(0.25)
    draws = Draws.drawing(0, list(given.time))
    members = made.members(given, draws.members(range(5)), None)
    assert members.shape == (2, 5, 2, 200) and members.dtype == torch.float32
    assert (members == 0).float().mean().item() == pytest.approx(0.158655, abs=0.03)  # Phi(-1) of 4000, 5 standard errors
    assert members.median().item() == pytest.approx(0.5, abs=0.05)
    alone = made.members(given[1:], dataclasses.replace(draws, rows=draws.rows[1:]).members(range(3, 5)), None)
    assert torch.equal(alone[0], members[1, 3:])
    with pytest.raises(ValueError, match="there is none at this time"):
        made.members(dataclasses.replace(given, target=None), draws, None)


def test_encoder_and_decoder_learn_together():
    made = learner(6, encoder=SMALL)
    assert isinstance(made.decoder, _Shifted) and not isinstance(made.encoder, _Shifted)
    parameters = phase_parameters(made)["network"]
    assert len(parameters) == len(list(made.encoder.parameters())) + 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"objective": lambda: Autoencoding(likelihood=Gaussian(), channels=0)}, r"Autoencoding\.channels must be at least 1, got 0"),
        ({"scheduler": wx.schedulers.LogNormal()}, "Autoencoding has no use for a scheduler: it must be None, got LogNormal"),
        ({"sampler": wx.samplers.Euler()}, "Autoencoding has no use for a sampler: it must be None, got Euler"),
    ],
)
def test_what_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        objective = changes.get("objective", lambda: Autoencoding(likelihood=Gaussian()))()
        wx.Experiment(name="x", dataset=Nothing(), model=Shifted(), **{**changes, "objective": objective})
