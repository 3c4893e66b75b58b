import copy
import dataclasses
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from small import downscaling

import wxexp as wx
from wxexp.fields.grid import Grid
from wxexp.fields.seeds import Draws
from wxexp.interfaces import Batch, Dataset, Group, Item, Learner, Loss, Model, Objective, Parts, Phase, Ports, Step
from wxexp.members.rows import Rows
from wxexp.objectives import Denoising, Regression, Residual
from wxexp.training import JsonlTracker, LocalSession, build, last_checkpoint, load, phase_parameters, train

STEP = Step(0, "network", Group(), Group())
GRID = Grid("ring", None, np.arange(6.0))
PORTS = Ports(target=0, condition=1, static=0, out=2, grid=GRID)


class Nothing(Dataset):
    """Never opened."""

    number: int = 0


class Unbuilt(Model):
    """Never built."""


class Given(Objective):
    """Its members are the members' numbers 0, 1, ...; its loss is the mean of its target; it keeps what it sees."""

    def build(self, parts):
        return _Given(parts)


class _Given(Learner):
    def __init__(self, parts):
        super().__init__()
        self.ports, self.seen, self.fitted = parts.ports, [], None
        self.critic, self.network = torch.nn.Linear(1, 1), torch.nn.Linear(1, 1)

    def phases(self):
        return Phase("critic", ("critic",)), Phase("generator", ("network",), every=2)

    def prepare(self, opened, session):
        self.fitted = opened.read(opened.items("train"))

    def forward(self, batch, step):
        self.seen.append(batch)
        return Loss(batch.target.flatten(1).mean(1))

    def commit(self, loss, step):
        self.seen.append(loss)

    def members(self, batch, draws, sampler):
        self.seen.append(batch)
        m = len(draws.rows) // len(batch)
        return torch.arange(float(m)).view(1, m, 1, 1).expand(len(batch), m, 2, 6)


class Mean(Learner):
    """mu = weight * condition in the first variable, minus that in the second."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor(2.0))

    def members(self, batch, draws, sampler):
        mu = self.weight * batch.condition
        return torch.cat([mu, -mu], 1)[:, None].expand(-1, len(draws.rows) // len(batch), -1, -1)


def regression(**changes) -> wx.Experiment:
    return wx.Experiment(**{"name": "mean", "dataset": Nothing(), "model": Unbuilt(), "objective": Regression(), **changes})


class Data:
    """20 items on a ring of 6 cells, the second masked and NaN; the residual of variable k is 3 + k plus (k + 1) times white noise."""

    codec, patch, grid, ports = SimpleNamespace(targets=("sit", "sic")), None, GRID, PORTS

    def __init__(self):
        random = np.random.default_rng(3)
        self.condition = random.normal(size=(20, 1, 6)).astype(np.float32)
        self.residual = ([[3.0], [4.0]] + [[1.0], [2.0]] * random.normal(size=(20, 2, 6))).astype(np.float32)
        self.residual[..., 1] = np.nan

    def items(self, split):
        return [Item(i, f"2000-01-{i + 1:02d}") for i in range(20)]

    def truth(self, item):
        return None

    def read(self, items, origins=None) -> Batch:
        at = [item.index for item in items]
        condition = torch.from_numpy(self.condition[at])
        return Batch(
            target=torch.cat([2 * condition, -2 * condition], 1) + torch.from_numpy(self.residual[at]),
            condition=condition,
            static=torch.zeros(1, 0, 6),
            mask=torch.tensor([[[True, False, True, True, True, True]]]),
            area=torch.tensor([[1.5, 1, 1, 1, 1, 0.5]]),
            lead_hours=torch.zeros(len(at)),
            origin=torch.zeros(len(at), 1, dtype=torch.int64),
            key=torch.tensor(at),
            time=np.array([item.time for item in items]),
        )


def learner(data: Data) -> Learner:
    return Residual(mean=regression(), of=Given()).build(Parts(data, PORTS, Unbuilt(), None, parent=lambda held: Mean()))


@pytest.fixture
def fitted(tmp_path):
    data = Data()
    made = learner(data)
    made.prepare(data, LocalSession(tmp_path))
    return data, made


def test_offset_and_scale_are_those_of_the_valid_residuals(fitted):
    """Of all items and cells alike, whatever their area: numpy's mean and standard deviation."""
    data, made = fitted
    np.testing.assert_allclose(made.offset.numpy(), np.nanmean(data.residual, (0, 2), dtype=np.float64), rtol=1e-6)
    np.testing.assert_allclose(made.scale.numpy(), np.nanstd(data.residual, (0, 2), dtype=np.float64), rtol=1e-6)


def test_each_rank_reads_its_share_and_all_have_the_same_fit(fitted):
    """Two ranks whose sums are added fit as one does."""
    data, whole = fitted
    parts = []

    def rank(r: int, others: torch.Tensor | None) -> Learner:
        made = learner(data)
        group = SimpleNamespace(all_reduce=lambda x: parts.append(x.clone()) or (x if others is None else x + others))
        session = SimpleNamespace(rank=r, world_size=2, device=torch.device("cpu"), group=lambda size: group)
        made.prepare(data, session)
        return made

    rank(1, None)
    made = rank(0, parts[0])
    assert parts[0][0].tolist() == parts[1][0].tolist() == [50, 50]  # valid cells of ten items each
    torch.testing.assert_close(made.offset, whole.offset, rtol=1e-6, atol=0)
    torch.testing.assert_close(made.scale, whole.scale, rtol=1e-6, atol=0)


def test_what_the_inner_objective_learns_is_standardised_and_zero_where_masked(fitted):
    data, made = fitted
    batch = made.inner.fitted
    inside = batch.target[..., [0, 2, 3, 4, 5]].double()
    torch.testing.assert_close(inside.mean((0, 2)), torch.zeros(2).double(), rtol=0, atol=1e-6)
    torch.testing.assert_close(inside.std((0, 2), correction=0), torch.ones(2).double(), rtol=1e-6, atol=0)
    assert (batch.target[..., 1] == 0).all()
    expected = np.concatenate([data.condition, 2 * data.condition, -2 * data.condition], 1)
    np.testing.assert_array_equal(batch.condition.numpy(), expected)
    assert made.inner.ports.condition == 3 and made.inner.ports.out == 2


def test_loss_and_commit_are_those_of_the_inner_objective(fitted):
    data, made = fitted
    batch = data.read(data.items("train")[:4])
    loss = made(batch, STEP)
    assert torch.equal(loss.per_sample, made.inner.fitted.target[:4].flatten(1).mean(1))
    assert torch.equal(made.validate(batch, STEP).per_sample, loss.per_sample)
    made.commit(loss, STEP)
    assert made.inner.seen[-1] is loss


@torch.no_grad()
def test_members_are_the_mean_plus_the_scaled_residual(fitted):
    data, made = fitted
    made.offset.copy_(torch.tensor([0.5, -1.0]))
    made.scale.copy_(torch.tensor([2.0, 4.0]))
    batch = data.read(data.items("train")[:2])
    draws = Draws.drawing(0, list(batch.time)).members(range(3))
    members = made.members(batch, draws, None)
    assert members.shape == (2, 3, 2, 6) and (members[..., 1] == 0).all()
    for m in range(3):
        expected = np.concatenate([2 * data.condition[:2] + 0.5 + 2 * m, -2 * data.condition[:2] - 1 + 4 * m], 1)
        np.testing.assert_allclose(members[:, m].numpy()[..., 2:], expected[..., 2:], rtol=1e-6)
    assert made.inner.seen[-1].target is None  # members see no truth
    made.mean.weight.add_(1)
    shift = made.members(batch, draws, None) - members
    np.testing.assert_allclose(shift[:, 2, 0].numpy()[..., 2:], data.condition[:2, 0, 2:], rtol=1e-5, atol=1e-6)


def test_the_mean_is_frozen_and_in_no_phase(fitted):
    _, made = fitted
    assert not made.mean.weight.requires_grad and not made.train().mean.training and made.inner.training
    found = {phase.name: (phase.modules, phase.every) for phase in made.phases()}
    assert found == {"critic": (("inner.critic",), 1), "generator": (("inner.network",), 2)}
    parameters = phase_parameters(made)
    assert sum(len(p) for p in parameters.values()) == 4


def test_a_residual_that_does_not_vary_is_refused(tmp_path):
    data = Data()
    data.residual[:, 1] = 0.0
    with pytest.raises(ValueError, match=r"the residual of sic must vary over the training items, got a standard deviation of 0$"):
        learner(data).prepare(data, LocalSession(tmp_path))


def test_what_is_refused():
    sampler, scheduler = wx.samplers.Euler(), wx.schedulers.LogNormal()
    diffusion = regression(objective=Denoising(), sampler=sampler, scheduler=scheduler)
    with pytest.raises(ValueError, match=r"Residual\.mean must be an experiment whose objective is Regression, got Denoising"):
        regression(objective=Residual(mean=diffusion), sampler=sampler, scheduler=scheduler)
    with pytest.raises(ValueError, match=r"Residual\.mean must have the dataset of the experiment that holds it, got that of 'mean'"):
        regression(objective=Residual(mean=regression(dataset=Nothing(number=1))), sampler=sampler, scheduler=scheduler)
    with pytest.raises(ValueError, match="Denoising needs a scheduler"):
        regression(objective=Residual(mean=regression()), sampler=sampler)


class Rounding(Learner):
    """A mean by a float32 convolution over many channels, whose bits depend on how many rows it sees; it counts its rows."""

    def __init__(self):
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.weight = torch.nn.Parameter(torch.randn(2, 1, generator=generator))
        self.rows = []

    def members(self, batch, draws, sampler):
        self.rows.append(len(batch))
        mu = torch.einsum("oc,bcx->box", self.weight, batch.condition) * (1 + 1e-7 * len(batch))
        return mu[:, None].expand(-1, len(draws.rows) // len(batch), -1, -1)


def rounding(data: Data, *, ports: Ports = PORTS, of: Objective | None = None) -> tuple[Learner, Rounding]:
    mean = Rounding()
    return Residual(mean=regression(), of=of or Given()).build(Parts(data, ports, Unbuilt(), None, parent=lambda held: mean)), mean


def test_a_mean_is_computed_once_for_each_item_and_has_the_bits_of_one_without_cache(tmp_path):
    data = Data()
    made, mean = rounding(data)
    plain, _ = rounding(data)
    cached = made.cache(data, tmp_path)
    made.prepare(cached, LocalSession(tmp_path / "cached"))
    plain.prepare(data, LocalSession(tmp_path / "plain"))
    assert mean.rows == [1] * 20
    again = made.cache(data, tmp_path)  # another process
    items = data.items("train")
    draws = Draws.drawing(0, ["a", "b", "c"]).members(range(2))
    for opened, chosen in ((cached, items[:7]), (again, items[3:6]), (again, items[5:] + items[:3])):
        batch, expected = made.left(opened.read(chosen)), plain.left(data.read(chosen))
        assert torch.equal(batch.target, expected.target) and torch.equal(batch.condition, expected.condition)
        assert batch.extra == {}
    members = made.members(cached.read(items[3:6]), draws, None)
    assert mean.rows == [1] * 20
    assert torch.equal(members, plain.members(data.read(items[3:6]), draws, None))
    assert torch.equal(made.offset, plain.offset) and torch.equal(made.scale, plain.scale)
    (folder,) = (path for path in tmp_path.iterdir() if path.name.startswith("mean-"))
    assert sorted(path.name for path in folder.iterdir()) == sorted(f"{i}-0.npy" for i in range(20))


def test_other_weights_have_another_cache(tmp_path):
    data = Data()
    made, mean = rounding(data)
    items = data.items("train")[:2]
    before = made.cache(data, tmp_path).read(items).extra["mean"]
    mean.weight.add_(1)
    after = made.cache(data, tmp_path).read(items).extra["mean"]
    torch.testing.assert_close(after - before, data.read(items).condition.expand(-1, 2, -1), rtol=1e-5, atol=1e-6)
    assert len(list(tmp_path.iterdir())) == 2


def test_patches_and_later_leads_have_means_of_their_own(tmp_path):
    """Of a patch nothing is cached, and a forecast's next batch, which keeps the extra fields of its first, computes its mean."""
    data = Data()
    made, mean = rounding(data, ports=dataclasses.replace(PORTS, leads=(6.0,)))
    opened, items = made.cache(data, tmp_path), data.items("train")[:3]
    assert opened.read(items, torch.zeros(3, 1, dtype=torch.int64)).extra == {}
    first = opened.read(items)
    assert "mean" in first.extra
    later = dataclasses.replace(first, condition=first.condition + 1)
    draws = Draws.drawing(0, ["a", "b", "c"]).members(range(1))
    shift = made.members(later, draws, None) - made.members(first, draws, None)
    expected = torch.where(first.mask, mean.weight.detach()[None].expand(3, 2, 6), 0.0)
    torch.testing.assert_close(shift[:, 0], expected, rtol=1e-4, atol=1e-5)


class Caching(Given):
    """Its learner caches the sum over cells of each standardised residual."""

    def build(self, parts):
        return _Caching(parts)


class _Caching(_Given):
    def cache(self, opened, scratch):
        def read(items, origins=None):
            batch = opened.read(items, origins)
            return dataclasses.replace(batch, extra={**batch.extra, "total": batch.target.sum((1, 2))})

        return SimpleNamespace(read=read)


def test_what_the_inner_learner_caches_reaches_it(tmp_path):
    """Made from what it sees, under its own name, and without the mean."""
    data = Data()
    made, mean = rounding(data, of=Caching())
    opened, items = made.cache(data, tmp_path), data.items("train")[:4]
    made(opened.read(items), STEP)
    (seen,) = made.inner.seen
    assert list(seen.extra) == ["total"] and torch.equal(seen.extra["total"], seen.target.sum((1, 2)))
    assert mean.rows == [1] * 4


def small() -> wx.Experiment:
    tiny = {"training.samples": 32, "training.optimizer.warmup": 8, "ensemble.members": 2, "dataset.source.times": 56, "scoring.draws": 5}
    diffusion = wx.edit(downscaling(), {"name": "corrected", **tiny})
    mean = dataclasses.replace(diffusion, name="mean", objective=Regression(), scheduler=None, sampler=None)
    return dataclasses.replace(diffusion, objective=Residual(mean=mean))


@pytest.fixture
def trained_mean(tmp_path):
    """A regression trained for a few steps, and an opened dataset."""
    experiment = wx.edit(small(), {"training.samples": 16})
    mean = wx.edit(experiment.objective.mean, {"training.samples": 8})
    opened = mean.dataset.open()
    learner = build(mean, opened, None)
    train(mean, opened=opened, learner=learner, session=LocalSession(tmp_path / "mean"), tracker=JsonlTracker(tmp_path / "mean.jsonl"))
    return experiment, opened, learner


@torch.no_grad()
def drawn(experiment: wx.Experiment, learner: Learner, scratch: Path) -> torch.Tensor:
    """Members 0 to 3 of the second test item, by networks that see four rows, as in drawing."""
    opened = learner.cache(experiment.dataset.open(), scratch)
    learner.wrap(lambda network: Rows(network, 4))
    batch = opened.read(opened.items("test")[1:2])
    return learner.eval().members(batch, Draws.drawing(0, list(batch.time)).members(range(4)), experiment.sampler)


def test_training_and_drawing_have_the_same_bits_with_and_without_cache(trained_mean, tmp_path, monkeypatch):
    experiment, opened, mean = trained_mean
    weights, members = [], []
    for name in ("with", "without"):
        learner = build(experiment, opened, lambda held: copy.deepcopy(mean))
        tracker = JsonlTracker(tmp_path / f"{name}.jsonl")
        train(experiment, opened=opened, learner=learner, session=LocalSession(tmp_path / name), tracker=tracker)
        weights.append({key: value.clone() for key, value in learner.state_dict().items()})
        members.append(drawn(experiment, learner, tmp_path / name / "scratch"))
        monkeypatch.setattr(type(learner), "cache", Learner.cache)
    assert list((tmp_path / "with" / "scratch").glob("mean-*/*.npy")) and not list((tmp_path / "without" / "scratch").iterdir())
    assert all(torch.equal(value, weights[1][key]) for key, value in weights[0].items())
    assert torch.equal(*members)


def test_from_the_mean_to_members(tmp_path):
    """The regression is trained first and stays as it is; the checkpoint needs neither its run nor data; networks of both are wrapped."""
    experiment = small()
    run = wx.run(experiment, runs=tmp_path, until="sample")
    (other,) = [path for path in tmp_path.iterdir() if path.name.startswith("mean")]
    _, mean = load(last_checkpoint(other / "train"))
    shutil.rmtree(other)
    read, made = load(last_checkpoint(run.directory / "train"))
    assert read == experiment
    state = mean.state_dict()
    assert state and all(torch.equal(made.mean.state_dict()[name], value) for name, value in state.items())
    fresh = build(experiment, experiment.dataset.open(), lambda held: mean)
    assert (fresh.scale == 1).all() and (made.scale != 1).all()
    wrapped = []
    made.wrap(lambda network: wrapped.append(network) or network)
    assert [id(network) for network in wrapped] == [id(made.mean.network), id(made.inner.network)]
