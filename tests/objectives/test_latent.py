import dataclasses
import shutil

import pytest
import torch
from small import downscaling

import wxexp as wx
from wxexp.fields.seeds import Draws
from wxexp.interfaces import Group, Step
from wxexp.likelihoods import CensoredGaussian, Laplace
from wxexp.members.rows import Rows
from wxexp.models import SongUNet
from wxexp.objectives import Autoencoding, Denoising, Empirical, Latent, Regression
from wxexp.training import LocalSession, build, last_checkpoint, load, phase_parameters

CELLS = 4  # of one latent cell


def autoencoder(**changes) -> wx.Experiment:
    tiny = {"training.samples": 960, "training.optimizer.rate": 1e-2, "training.optimizer.warmup": 8, "training.ema": None}
    tiny |= {"name": "space", "dataset.source.times": 56, "ensemble.members": 2, "training.checkpoint": None}
    made = wx.edit(downscaling(), tiny)
    changes = {"objective": Autoencoding(likelihood=Laplace(decay=0.9), channels=3), **changes}
    return dataclasses.replace(made, scheduler=None, sampler=None, **changes)


def latent(**changes) -> wx.Experiment:
    made, of = downscaling(), autoencoder(**changes.pop("space", {}))
    changes = {"name": "latent", "dataset": of.dataset, "training": of.training, "ensemble": of.ensemble, **changes}
    return dataclasses.replace(made, objective=Latent(space=of), **changes)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """From the autoencoder to members; what the checkpoints hold, loaded where the autoencoder's run is gone."""
    runs = tmp_path_factory.mktemp("latent")
    done = wx.run(latent(), runs=runs, until="sample")
    (other,) = [path for path in runs.iterdir() if path.name.startswith("space")]
    _, space = load(last_checkpoint(other / "train"))
    shutil.rmtree(other)
    experiment, made = load(last_checkpoint(done.directory / "train"))
    assert experiment == latent()
    return experiment, experiment.dataset.open(), space, made


def loss_of(learner, batch) -> float:
    draws = Draws(tuple((0, "valid", int(k)) for k in batch.key))
    with torch.no_grad():
        return learner.eval().validate(batch, Step(0, "network", Group(), Group(), draws)).per_sample.mean().item()


def test_the_checkpoint_holds_the_trained_autoencoder(run):
    _, _, space, made = run
    state = space.state_dict()
    assert state and all(torch.equal(made.space.state_dict()[name], value) for name, value in state.items())
    assert not torch.equal(space.likelihood.moment, torch.ones(2))
    assert not any(p.requires_grad for p in made.space.parameters()) and not made.train().space.training


def test_training_lowers_both_losses(run):
    """Of the training items: few fields make no decoder that knows others."""
    experiment, opened, space, made = run
    batch = opened.read(opened.items("train"))
    assert loss_of(space, batch) < 0.9 * loss_of(build(autoencoder(), opened, pytest.fail), batch)
    fresh = build(experiment, opened, lambda held: space)
    fresh.offset.copy_(made.offset)
    fresh.scale.copy_(made.scale)
    assert loss_of(made, batch) < 0.9 * loss_of(fresh, batch)


@torch.no_grad()
def test_latent_fields_are_standardised_over_the_training_items(run):
    _, opened, _, made = run
    batch = made.encode(opened.read(opened.items("train")))
    assert batch.target.shape[1:] == (3, 8, 12) and batch.mask.shape[1:] == (1, 8, 12)
    inside = batch.target.transpose(0, 1)[batch.mask.transpose(0, 1).expand(3, len(batch), 8, 12)].view(3, -1).double()
    torch.testing.assert_close(inside.mean(1), torch.zeros(3).double(), rtol=0, atol=1e-5)
    torch.testing.assert_close(inside.std(1, correction=0), torch.ones(3).double(), rtol=1e-5, atol=0)
    raw = opened.read(opened.items("valid"))
    assert torch.equal(made.decode(made.encode(raw).target, raw) == 0, ~raw.mask.expand_as(raw.target))


def test_the_inner_network_works_on_the_latent_grid(run):
    _, opened, _, made = run
    assert (made.ports.out, made.ports.condition, made.ports.static) == (3, CELLS * opened.ports.condition, CELLS * opened.ports.static)
    assert made.ports.grid.shape == (8, 12) and made.inner.ports.target == 3
    assert {name: len(found) for name, found in phase_parameters(made).items()} == {"network": len(list(made.inner.network.parameters()))}


@torch.no_grad()
def test_a_member_through_the_autoencoder_has_the_same_bits_in_any_chunk(run):
    experiment, opened, _, made = run
    wrapped = []
    made.wrap(lambda network: wrapped.append(network) or Rows(network, 4))
    assert [id(network) for network in wrapped] == [id(n.network) for n in (made.space.encoder, made.space.decoder, made.inner.network)]
    batch = opened.read(opened.items("test")[:2])
    draws = Draws.drawing(3, list(batch.time))
    whole = made.members(batch, draws.members(range(5)), experiment.sampler)
    alone = dataclasses.replace(draws, rows=draws.rows[1:]).members(range(2, 4))
    chunk = made.members(dataclasses.replace(batch[1:2], target=None), alone, experiment.sampler)
    assert whole.shape == (2, 5, 2, 16, 24) and torch.equal(chunk[0], whole[1, 2:4])
    assert torch.equal(whole == 0, ~batch.mask[:, None].expand_as(whole))


def test_a_latent_channel_that_does_not_vary_is_refused(run, tmp_path):
    experiment, opened, space, _ = run
    made = build(experiment, opened, lambda held: space)
    with torch.no_grad():
        made.space.encoder = _Constant()
    with pytest.raises(ValueError, match=r"latent channel 0 must vary over the training items, got a standard deviation of 0$"):
        made.prepare(opened, LocalSession(tmp_path))


class _Constant(torch.nn.Module):
    def forward(self, x, inputs):
        return x[:, :3] * 0 + 1


def test_what_is_refused():
    with pytest.raises(ValueError, match=r"Latent\.space must be an experiment whose objective is Autoencoding, got Regression"):
        latent(space={"objective": Regression()})
    with pytest.raises(ValueError, match=r"Latent\.space must have the dataset of the experiment that holds it, got that of 'space'"):
        latent(dataset=downscaling().dataset)
    with pytest.raises(ValueError, match=r"Latent\.of\.variable_weights must be empty"):
        made = latent()
        dataclasses.replace(made, objective=dataclasses.replace(made.objective, of=Denoising(variable_weights={"tas": 2.0})))
    with pytest.raises(ValueError, match="Denoising needs a sampler"):
        latent(sampler=None)


def test_every_part_can_be_chosen_and_survives_its_record():
    """Likelihood, networks of their own, and what works in the space."""
    space = Autoencoding(likelihood=CensoredGaussian(lower=-1.0), encoder=SongUNet(channels=16), decoder=SongUNet(channels=32))
    chosen = latent(space={"objective": space})
    assert wx.config.from_tree(wx.config.to_tree(chosen), wx.Experiment) == chosen


def test_the_training_set_itself_may_be_drawn_from_in_its_space(run, tmp_path):
    """Members are then decoded training samples."""
    _, opened, _, made = run
    experiment = dataclasses.replace(latent(), objective=Latent(space=autoencoder(), of=Empirical()), scheduler=None)
    learner = build(experiment, opened, lambda held: made.space)
    learner.prepare(opened, LocalSession(tmp_path))
    learner.cache(opened, tmp_path)
    batch, train = opened.read(opened.items("test")[:2]), opened.read(opened.items("train"))
    draws = Draws.drawing(0, list(batch.time)).members(range(4))
    with torch.no_grad():
        members = learner.members(batch, draws, wx.samplers.DPMSolver2M(steps=12)).flatten(0, 1)
        decoded = learner.decode(learner.encode(train).target, train)
    nearest = torch.cdist(members.flatten(1).double(), decoded.flatten(1).double()).min(1)
    assert nearest.values.max() < 1e-2 and len(set(nearest.indices.tolist())) > 3
