import dataclasses
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from wxexp.diffusion import flow, parameterizations, weightings
from wxexp.diffusion.guidance import ClassifierFree
from wxexp.experiment import Experiment, Training, Validation
from wxexp.fields.grid import Grid
from wxexp.fields.seeds import Draws
from wxexp.interfaces import Batch, Dataset, Group, Inputs, Learner, Model, Network, Parts, Ports, Step
from wxexp.levels import Karras
from wxexp.objectives import Denoising, Regression
from wxexp.samplers import DPMSolver2M, Euler, Heun
from wxexp.schedulers import Adaptive, LogNormal


class Ignorant(Model):
    """Its network returns zero, or NaN for noise beneath a level; `seen` keeps its inputs."""

    nan_below: float = 0.0

    def build(self, ports, parent):
        return _Ignorant(self, ports)


class _Ignorant(Network):
    def __init__(self, spec, ports):
        super().__init__()
        self.spec, self.ports, self.seen = spec, ports, []
        self.zero = torch.nn.Parameter(torch.zeros(()))

    def forward(self, x: torch.Tensor, inputs: Inputs) -> torch.Tensor:
        self.seen.append((x, inputs))
        s = torch.exp(4 * inputs.level[:, 0])[:, None, None]
        return torch.where(s < self.spec.nan_below, torch.nan, self.zero * x)


class Nothing(Dataset):
    """Never opened."""


GRID = Grid("ring", None, np.arange(200.0))
PORTS = Ports(target=0, condition=1, static=1, out=2, grid=GRID)


def batch(rows: int, *, std: float = 1.0) -> Batch:
    generator = torch.Generator().manual_seed(5)
    return Batch(
        target=std * torch.randn(rows, 2, 200, generator=generator),
        condition=torch.randn(rows, 1, 200, generator=generator),
        static=torch.zeros(1, 1, 200),
        mask=torch.ones(1, 1, 200, dtype=torch.bool),
        area=torch.ones(1, 200),
        lead_hours=torch.zeros(rows),
        origin=torch.zeros(rows, 1, dtype=torch.int64),
        key=torch.arange(rows),
        time=np.array([f"2020-01-{i + 1:02d}" for i in range(rows)]),
    )


def learner(model: Model | None = None, scheduler: LogNormal | None = None, **kwargs) -> Learner:
    opened = SimpleNamespace(codec=SimpleNamespace(targets=("t", "pr")))
    return Denoising(**kwargs).build(Parts(opened, PORTS, model or Ignorant(), scheduler or LogNormal(), parent=None))


def step(rows: int, seed: int = 0) -> Step:
    return Step(0, "network", Group(), Group(), Draws.training(seed, 0, range(rows), rows))


def test_the_loss_of_an_ignorant_edm_is_one_at_every_noise_level():
    """E |F*|^2 = 1 for data of standard deviation sigma_data, here by sample, 400 numbers each."""
    edm = parameterizations.EDM(sigma_data=0.5)
    loss = learner(parameterization=edm)(batch(64, std=0.5), step(64))
    torch.testing.assert_close(loss.per_sample, torch.ones(64), rtol=0, atol=5 * math.sqrt(2 / 400))
    assert loss.per_sample.dtype == torch.float32 and loss.gamma.dtype == torch.float64
    assert loss.gamma.min() < -1 and loss.gamma.max() > 5


def test_the_reported_error_is_that_of_the_noise():
    """For data N(0, sigma_data^2) and F = 0: sigmoid(gamma + 2 ln sigma_data)."""
    edm = parameterizations.EDM(sigma_data=0.5)
    loss = learner(parameterization=edm)(batch(64, std=0.5), step(64))
    torch.testing.assert_close(loss.error.double() / torch.sigmoid(loss.gamma + 2 * math.log(0.5)), loss.per_sample.double())


def test_noise_levels_are_stratified_in_training_and_fixed_by_key_in_validation():
    model = learner()
    t = LogNormal().time(model(batch(16), step(16)).gamma).sort().values
    torch.testing.assert_close(t.diff(), torch.full((15,), 1 / 16, dtype=torch.float64), rtol=0, atol=1e-12)
    fixed = dataclasses.replace(step(16), draws=Draws(tuple((0, "valid", k) for k in range(16))))
    whole = model.validate(batch(16), fixed)
    again = model.validate(batch(16)[4:7], dataclasses.replace(fixed, draws=Draws(fixed.draws.rows[4:7])))
    assert torch.equal(again.gamma, whole.gamma[4:7]) and torch.equal(again.per_sample, whole.per_sample[4:7])


def test_the_integral_of_a_weight_with_respect_to_gamma_does_not_depend_on_the_density_of_levels():
    """The weight is the normal density of gamma (mean 2.4, deviation 2): the integral of it times sigmoid(gamma), by quadrature."""

    class Normal(weightings.DensityWeighting):
        def log_weight(self, gamma):
            return -((gamma - 2.4) ** 2) / 8 - math.log(2 * math.sqrt(2 * math.pi))

    gamma = torch.linspace(-20, 25, 100_001, dtype=torch.float64)
    expected = torch.trapezoid(Normal().log_weight(gamma).exp() * torch.sigmoid(gamma), gamma).item()
    for mean, std in ((-1.2, 1.2), (-0.9, 1.5)):
        loss = learner(scheduler=LogNormal(mean=mean, std=std), weighting=Normal())(batch(256), step(256))
        assert loss.per_sample.mean().item() == pytest.approx(expected, rel=0.01)


def test_variables_and_areas_are_weighted():
    model = learner(variable_weights={"pr": 3.0})
    given = batch(4)
    given.target[:, 0] = 0
    given.area = torch.cat([torch.full((1, 100), 2.0), torch.zeros(1, 100)], dim=1)
    loss = model(given, step(4)).per_sample
    by_hand = []
    for weights in ({"pr": 0.0}, {"t": 0.0}):
        alone = learner(variable_weights=weights)
        by_hand.append(alone(given, step(4)).per_sample)
    torch.testing.assert_close(loss, (by_hand[0] + 3 * by_hand[1]) / 4)
    changed = dataclasses.replace(given, target=given.target.clone())
    changed.target[..., 100:] = 9.0
    assert torch.equal(model(changed, step(4)).per_sample, loss)
    assert not torch.allclose(learner(area="uniform")(changed, step(4)).per_sample, learner(area="uniform")(given, step(4)).per_sample)


def test_masked_cells_are_neither_read_nor_learnt_from():
    model, given = learner(), batch(4)
    given.mask = torch.ones(1, 1, 200, dtype=torch.bool)
    given.mask[..., 50:] = False
    given.target[..., 50:] = torch.nan
    loss = model(given, step(4)).per_sample
    assert loss.isfinite().all()
    assert (model.network.seen[-1][0][..., 50:] == 0).all()
    loss.sum().backward()
    assert model.network.zero.grad.isfinite()


def test_a_schedule_is_told_what_it_adapts_to():
    model, told = learner(), []
    model.schedule.update = lambda *args: told.append(args)
    loss = model(batch(4), step(4))
    model.commit(loss, dataclasses.replace(step(4), draws=None))
    ((gamma, error, world),) = told
    assert torch.equal(gamma, loss.gamma) and torch.equal(error, loss.error) and world == Group()


@pytest.mark.parametrize(
    ("weighting", "weight"),
    [(weightings.Exponential(rate=0.5), lambda gamma: math.exp(-gamma / 2)), (weightings.EDM(), lambda gamma: 1.0)],
    ids=["of gamma", "of samples"],
)
def test_an_adaptive_schedule_sees_errors_times_a_weight_with_respect_to_gamma(weighting, weight):
    """Of an ignorant network the mean error of the noise is sigmoid(gamma); each of eight stratified samples has a bin of its own."""
    built = learner(scheduler=Adaptive(gamma_min=-4.0, gamma_max=4.0, bins=8, decay=0.0), weighting=weighting)
    loss = built(batch(8), step(8))
    built.commit(loss, step(8))
    expected = sorted([weight(g) * e for g, e in zip(loss.gamma.tolist(), loss.error.tolist(), strict=True)])
    torch.testing.assert_close(built.schedule.mean.sort().values.tolist(), expected, rtol=1e-6, atol=0)
    gamma = loss.gamma.sort(descending=True).values
    torch.testing.assert_close(
        built.schedule.mean / torch.sigmoid(gamma), torch.tensor([weight(g) for g in gamma]).double(), rtol=0.5, atol=0
    )


def test_the_network_is_built_for_the_noisy_target_and_its_level():
    assert learner().network.ports == dataclasses.replace(PORTS, target=2, level=1)


@torch.no_grad()
def test_members_of_an_ignorant_edm_are_gaussian():
    """F = 0 is exact for N(0, 0.25): members have its mean and variance, up to the solver's error."""
    sampler = DPMSolver2M(steps=40, levels=Karras(sigma_min=0.002, sigma_max=80.0))
    model = learner(parameterization=parameterizations.EDM(sigma_data=0.5))
    members = model.members(batch(2), Draws.drawing(0, ["a", "b"]).members(range(5)), sampler)
    assert members.shape == (2, 5, 2, 200) and members.dtype == torch.float32
    assert abs(members.mean()) < 5 * 0.5 / math.sqrt(4000)
    assert members.std().item() == pytest.approx(0.5, rel=5 / math.sqrt(8000) + 0.01)


@pytest.mark.parametrize("sampler", [Euler(steps=3), Heun(steps=3, churn=1.0), DPMSolver2M(steps=3)], ids=lambda s: type(s).__name__)
@torch.no_grad()
def test_a_member_is_that_of_its_time_and_number(sampler):
    model, given = learner(), batch(2)
    given.mask = torch.ones(1, 2, 200, dtype=torch.bool)
    given.mask[:, 1, 20:30] = False
    draws = Draws.drawing(3, list(given.time))
    whole = model.members(given, draws.members(range(6)), sampler)
    chunk = model.members(given[1:2], Draws.drawing(3, [given.time[1]]).members(range(2, 4)), sampler)
    assert torch.equal(chunk[0], whole[1, 2:4])
    assert (whole[:, :, 1, 20:30] == 0).all() and (whole[:, :, 0] != 0).all()
    assert len({row.sum().item() for row in whole.flatten(0, 1)}) == 12


@torch.no_grad()
def test_rows_are_told_their_own_sample():
    model, given = learner(), batch(2)
    model.members(given, Draws.drawing(3, list(given.time)).members(range(3)), Euler(steps=1))
    _, inputs = model.network.seen[-1]
    assert torch.equal(inputs.condition, given.condition.repeat_interleave(3, dim=0))
    torch.testing.assert_close(inputs.level, torch.full((6, 1), math.log(80) / 4))


@torch.no_grad()
def test_what_it_estimates_can_be_sampled_encoded_and_scored():
    """F = 0 is exact for N(0, 0.25): of a state a Heun sampler makes what the flow does, and a sample has its density there."""
    given, heun = batch(2), Heun(steps=30, levels=Karras(sigma_max=20.0, sigma_min=0.02), terminal="keep")
    denoise = learner(parameterization=parameterizations.EDM(sigma_data=0.5)).denoiser(given)
    gamma = heun.levels.gamma(30)
    y = torch.randn(2, 2, 200, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    x = heun.sample(denoise, 20 * y, gamma, None)
    torch.testing.assert_close(flow.transport(denoise, 20 * y, gamma), x, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(flow.transport(denoise, x, gamma.flip(0)), 20 * y, rtol=0.05, atol=0)
    probes = flow.rademacher(Draws.drawing(0, ["a", "b"]), (2, 200), 1)
    found = flow.log_likelihood(denoise, x, gamma.flip(0), probes=probes, variance=0.25)
    closed = torch.distributions.Normal(0.0, math.sqrt(0.25 + 0.02**2)).log_prob(x).sum((1, 2))
    torch.testing.assert_close(found, closed, rtol=0.02, atol=0)


def test_what_it_estimates_can_be_guided():
    """Between the estimates for one condition and for none, in the state of both; rows keep their own condition."""

    class Told(Ignorant):
        def build(self, ports, parent):
            network = _Ignorant(self, ports)
            network.forward = lambda x, inputs: inputs.condition.expand_as(x)
            return network

    given = batch(2)
    without = dataclasses.replace(given, condition=torch.zeros_like(given.condition))
    model = learner(Told(), parameterization=parameterizations.X0())
    led = ClassifierFree(model.denoiser(given), model.denoiser(without), weight=1.5)
    y, gamma = torch.zeros(2, 2, 200, dtype=torch.float64), torch.tensor(0.3, dtype=torch.float64)
    torch.testing.assert_close(led(y, gamma), 1.5 * given.condition.expand_as(y).double())


@torch.no_grad()
def test_a_network_that_is_not_finite_names_the_noise_level():
    with pytest.raises(FloatingPointError, match=r"at step 13 of 18, evaluation 13 of 18 \(noise level s = 0\.2964\)"):
        learner(Ignorant(nan_below=0.5)).members(batch(1), Draws.drawing(0, ["a"]).members(range(2)), DPMSolver2M(levels=Karras()))


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"prec": 2.0}, r"Denoising\.variable_weights has no target variable 'prec'; did you mean 'pr'\?"),
        ({"t": 0.0, "pr": 0.0}, r"must leave a target variable with a weight above 0"),
        ({"pr": -1.0}, r"Denoising\.variable_weights\.pr must be at least 0, got -1\.0"),
    ],
)
def test_wrong_weights(weights, message):
    with pytest.raises(ValueError, match=message):
        learner(variable_weights=weights)


@pytest.mark.parametrize(
    ("objective", "given", "message"),
    [
        (Denoising(), {"sampler": Euler()}, "Denoising needs a scheduler"),
        (Denoising(), {"scheduler": LogNormal()}, "Denoising needs a sampler"),
        (
            Denoising(),
            {"scheduler": LogNormal(), "sampler": Euler(), "training": Training(validation=Validation())},
            r"Denoising needs training\.validation\.sampler",
        ),
        (
            Denoising(weighting=weightings.MinSNR()),
            {"scheduler": Adaptive(), "sampler": Euler()},
            r"Denoising\.weighting must be one with respect to gamma for Adaptive.*one of Exponential, Sigmoid, Uniform, got MinSNR",
        ),
        (
            Denoising(),
            {"scheduler": Adaptive(), "sampler": Euler()},
            r"Denoising\.weighting must be one with respect to gamma for Adaptive.*got EDM",
        ),
        (
            Denoising(parameterization=parameterizations.Epsilon()),
            {"scheduler": LogNormal(), "sampler": Euler(levels=Karras(sigma_max=1e8))},
            r"parameterization Epsilon is impossible at the end point of sampler\.levels, s = 1e\+08: .* 12 times the data; use EDM",
        ),
        (
            Denoising(parameterization=parameterizations.Score()),
            {
                "scheduler": LogNormal(),
                "sampler": Euler(),
                "training": Training(validation=Validation(sampler=Euler(levels=Karras(sigma_max=1e4)))),
            },
            r"parameterization Score is impossible at the end point of training\.validation\.sampler\.levels, s = 1e\+04",
        ),
        (Regression(), {"scheduler": LogNormal()}, "Regression has no use for a scheduler: it must be None, got LogNormal"),
        (Regression(), {"sampler": Euler()}, "Regression has no use for a sampler: it must be None, got Euler"),
        (
            Regression(),
            {"training": Training(validation=Validation(sampler=Heun()))},
            r"Regression has no use for a training\.validation\.sampler: it must be None, got Heun",
        ),
    ],
)
def test_an_experiment_that_cannot_be_learnt_is_refused(objective, given, message):
    with pytest.raises(ValueError, match=message):
        Experiment(name="x", dataset=Nothing(), model=Ignorant(), objective=objective, **given)


def test_experiments_that_can():
    Experiment(
        name="x",
        dataset=Nothing(),
        model=Ignorant(),
        objective=Denoising(),
        scheduler=LogNormal(),
        sampler=Euler(),
        training=Training(validation=Validation(members=0)),
    )
    for parameterization in (parameterizations.V(), parameterizations.X0(), parameterizations.EDM(), parameterizations.Flow()):
        noisy = {"scheduler": LogNormal(), "sampler": Euler(levels=Karras(sigma_max=1e8))}
        Experiment(name="x", dataset=Nothing(), model=Ignorant(), objective=Denoising(parameterization=parameterization), **noisy)
    adaptive = Denoising(weighting=weightings.Sigmoid())
    Experiment(name="x", dataset=Nothing(), model=Ignorant(), objective=adaptive, scheduler=Adaptive(), sampler=Euler())
    Experiment(name="x", dataset=Nothing(), model=Ignorant(), objective=Regression(), training=Training(validation=Validation()))
