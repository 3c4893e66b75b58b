"""What every component of a kind must do, over every export: a new one is tested here before it has a test of its own."""

import functools
import itertools
import math
import weakref
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy import integrate, optimize, special
from torch.utils._python_dispatch import TorchDispatchMode

from wxexp.config.tree import exports
from wxexp.diffusion import noise_level
from wxexp.diffusion.conditionings import LogNoise, NoiseConditioning
from wxexp.diffusion.denoisers import ExactGaussian, Mixture, NetworkDenoiser
from wxexp.diffusion.noise import DrawnNoise
from wxexp.diffusion.parameterizations import Parameterization
from wxexp.diffusion.scalings import InputScaling
from wxexp.diffusion.weightings import DensityWeighting, SampleWeighting, Weighting
from wxexp.fields.grid import Grid
from wxexp.fields.seeds import Draws
from wxexp.interfaces import Inputs, Levels, Model, Ports, Sampler, Scheduler
from wxexp.models.embeddings import LevelEmbedding

GIVEN = {
    "Iddpm": {"steps": 20},  # its density has a jump at each step, which quadrature has to find
    "Quantiles": {"scheduler": exports(Scheduler)["LogNormal"]()},
    "Shifted": {"by": -1.5},
    "Table": {"sigmas": (0.01, 0.05, 0.2, 3.0, 70.0)},
    "Time": {"scheduler": exports(Scheduler)["Cosine"]()},
}
"""Values of fields that have no default, or one that would test nothing."""


def every(base: type) -> Callable:
    """Parametrises over the exports of a kind, built with their defaults and what is given."""
    found = {name: functools.partial(cls, **GIVEN[name]) if name in GIVEN else cls for name, cls in exports(base).items()}
    return pytest.mark.parametrize("cls", found.values(), ids=found.keys())


def tensor(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


GAMMA = torch.linspace(-12, 12, 25, dtype=torch.float64)
WEIGHTS, MEANS, STDS = np.array([0.4, 0.6]), np.array([-1.0, 1.5]), np.array([0.3, 0.2])
MIXTURE = Mixture(tensor(*WEIGHTS), tensor(*MEANS)[:, None, None], tensor(*STDS**2))


def quantile(p: float, s: float, weights=WEIGHTS, means=MEANS, stds=STDS) -> float:
    """Of the mixture noised to s; the probability flow keeps quantiles, which makes this its exact solution in one dimension."""
    width = np.sqrt(stds**2 + s**2)
    upper = p > 0.5  # in the tail that keeps digits
    f = lambda y: (weights * special.ndtr((y - means) / width * (-1 if upper else 1))).sum() - (1 - p if upper else p)  # noqa: E731
    return optimize.brentq(f, -20 - 10 * s, 20 + 10 * s, xtol=1e-14, rtol=1e-15)


def silent(rows: int) -> DrawnNoise:
    return DrawnNoise(Draws.drawing(0, [str(i) for i in range(rows)]), (1, 1))


# Samplers


@every(Sampler)
def test_a_sampler_has_the_order_it_declares(cls: type[Sampler]):
    """On a mixture, from the exact law, equidistant in gamma on s in [0.05, 5], compared at s_min > 0, 160 to 320 steps."""
    if cls.stochastic:
        pytest.skip("a stochastic sampler converges in law; its own test measures that")
    if cls.adaptive:
        pytest.skip("an adaptive sampler converges with its tolerance; its own test measures that")
    p = np.linspace(0.02, 0.98, 25)
    y, exact = (tensor(*[quantile(q, s) for q in p])[:, None, None] for s in (5.0, 0.05))
    errors = []
    for n in (160, 320):
        gamma = torch.linspace(-2 * math.log(5), -2 * math.log(0.05), n + 1, dtype=torch.float64)
        errors.append((cls(terminal="keep").sample(MIXTURE, y, gamma, silent(len(y))) - exact).square().mean().sqrt().item())
    assert math.log2(errors[0] / errors[1]) == pytest.approx(cls.order, abs=0.15)


@every(Sampler)
def test_a_sampler_evaluates_as_often_as_it_declares(cls: type[Sampler]):
    sampler, gammas = cls(steps=7), []

    def denoise(y, gamma):
        gammas.append(gamma.item())
        return MIXTURE(y, gamma)

    gamma = sampler.levels.gamma(7)
    sampler.sample(denoise, tensor(3.0)[:, None, None], gamma, silent(1))
    if cls.adaptive:
        assert len(gammas) > 3 * cls.evaluations and len(gammas) % cls.evaluations == 1
    else:
        assert len(gammas) == 6 * cls.evaluations + 1 + cls.startup
    assert min(gammas) == gamma[0].item() and max(gammas) == pytest.approx(gamma[-1].item(), rel=1e-14)


@every(Sampler)
def test_terminal_denoise_is_one_jump_from_what_keep_returns(cls: type[Sampler]):
    """With it, the error on a Gaussian is S / sqrt(S^2 + s_min^2) - 1, for any number of steps."""
    gamma = torch.linspace(-2 * math.log(20), -2 * math.log(0.4), 21 if cls.stochastic else 801, dtype=torch.float64)
    y = tensor(9.0, -4.0)[:, None, None]
    tight = {"rtol": 1e-5, "atol": 1e-6} if cls.adaptive else {}
    kept, jumped = (cls(terminal=t, **tight).sample(ExactGaussian(1.0, 0.25), y, gamma, silent(2)) for t in ("keep", "denoise"))
    torch.testing.assert_close(jumped, ExactGaussian(1.0, 0.25)(kept, gamma[-1]), rtol=0, atol=0)
    if not cls.stochastic:
        exact = (y - 1) * 0.5 / math.sqrt(0.25 + 400)
        error = ((jumped - 1) / exact - 1)[0].item()
        assert error == pytest.approx(0.5 / math.sqrt(0.25 + 0.16) - 1, abs=0.004 if cls.order == 1 else 1e-4)


@every(Sampler)
def test_a_sampler_keeps_type_shape_and_zeros(cls: type[Sampler]):
    draws = Draws.drawing(0, ["a", "b"]).members(range(2))
    mask = torch.ones(1, 1, 3, 5, dtype=torch.bool)
    mask[..., 1, 2:] = False
    noise = DrawnNoise(draws, (2, 3, 5), mask=mask)
    exact = ExactGaussian(1.0, 0.25)
    sampler = cls(steps=5)
    gamma = sampler.levels.gamma(5)
    y = noise_level.scale(gamma[0]) * noise.prior()
    x = sampler.sample(lambda y, g: torch.where(mask, exact(y, g), 0.0), y, gamma, noise)
    assert x.dtype == torch.float64 and x.shape == (4, 2, 3, 5)
    assert (x[..., 1, 2:] == 0).all() and (x[..., 0, :] != 0).all()


@every(Sampler)
def test_two_diracs_get_their_share_of_members(cls: type[Sampler]):
    """0.3 of the mass at -1 and 0.7 at 2: of 200 exact quantiles at s_max, 60 end at -1 and 140 at 2, in 20 steps of order 2 or 3."""
    if cls.stochastic:
        pytest.skip("members of a stochastic sampler cross")
    sampler = cls(steps={1: 400, 4: 24}.get(cls.order, 20), **({"rtol": 1e-3, "atol": 1e-4} if cls.adaptive else {}))
    weights, means = np.array([0.3, 0.7]), np.array([-1.0, 2.0])
    denoise = Mixture(tensor(*weights), tensor(*means)[:, None, None], tensor(0.0, 0.0))
    p = (np.arange(200) + 0.5) / 200
    y = tensor(*[quantile(q, 80.0, weights, means, np.zeros(2)) for q in p])[:, None, None]
    x = sampler.sample(denoise, y, sampler.levels.gamma(sampler.steps), silent(200)).flatten()
    assert ((x + 1).abs() < 1e-6).sum() == 60 and ((x - 2).abs() < 1e-6).sum() == 140


@every(Sampler)
def test_a_sampler_that_is_not_stochastic_draws_nothing(cls: type[Sampler]):
    if cls.stochastic:
        pytest.skip("draws")
    sampler = cls(steps=6)
    assert sampler.sample(MIXTURE, tensor(30.0)[:, None, None], sampler.levels.gamma(6), None).isfinite().all()


@every(Sampler)
def test_a_member_is_the_same_alone_and_beside_others(cls: type[Sampler]):
    draws = Draws.drawing(1, ["2020-01-01"]).members(range(5))
    mixture = Mixture(tensor(*WEIGHTS), tensor(*MEANS)[:, None, None].expand(2, 1, 6), tensor(*STDS**2))
    sampler = cls(steps=8)
    gamma = sampler.levels.gamma(8)

    def sample(draws: Draws) -> torch.Tensor:
        noise = DrawnNoise(draws, (1, 6))
        return sampler.sample(mixture, noise_level.scale(gamma[0]) * noise.prior(), gamma, noise)

    whole = sample(draws)
    for i in range(5):
        torch.testing.assert_close(sample(Draws(draws.rows[i : i + 1]))[0], whole[i], rtol=1e-11, atol=1e-11)


@every(Sampler)
def test_a_sample_starts_from_a_partly_noised_state(cls: type[Sampler]):
    """On the last levels alone, from s = 0.3: members of data at -1 and 2 return to where they were, which from s = 80 they do not."""
    data = tensor(-1.0, 2.0).repeat(8)[:, None, None]
    denoise = Mixture(tensor(0.5, 0.5), tensor(-1.0, 2.0)[:, None, None], tensor(0.0, 0.0))
    noise = DrawnNoise(Draws.drawing(0, [str(i) for i in range(16)]), (1, 1))
    sampler = cls(steps=40)
    gamma = sampler.levels.gamma(40)
    late = gamma[gamma > -2 * math.log(0.3)]
    assert 8 < len(late) < 40
    y = data + noise_level.scale(late[0]) * noise.prior()
    torch.testing.assert_close(sampler.sample(denoise, y, late, noise), data, rtol=0, atol=0.05)
    anew = sampler.sample(denoise, data + 80 * noise.prior(), gamma, noise)
    assert (anew - data).abs().max() > 2.9


class Zeros:
    """Noise that is none, on a device that holds no numbers."""

    def __init__(self, *shape: int, device: str = "meta") -> None:
        self.shape, self.device = shape, device

    def at(self, *key: int) -> torch.Tensor:
        return torch.zeros(self.shape, dtype=torch.float64, device=self.device)

    def brownian(self, s0: float, s1: float) -> torch.Tensor:
        assert isinstance(s0, float) and isinstance(s1, float)
        return self.at()


@every(Sampler)
def test_a_sampler_waits_for_no_device(cls: type[Sampler]):
    """The state is on a device without numbers, where .item(), bool() and copies to the CPU are errors."""
    if cls.adaptive:
        pytest.skip("looks at its errors, once an attempt; its own test counts that")
    sampler = cls(steps=6, **({"churn": 3.0} if cls.__name__ == "Heun" else {}))
    noise = Zeros(2, 1, 3)
    y = noise.at()
    x = sampler.sample(lambda y, gamma: 0.5 * y, y, sampler.levels.gamma(6), noise)
    assert x.device.type == "meta" and x.shape == y.shape
    with pytest.raises(RuntimeError, match="meta"):
        y.sum().item()


class Alive(TorchDispatchMode):
    """How many of the fields made under it are held."""

    def __init__(self, cells: int) -> None:
        super().__init__()
        self.cells, self.made = cells, []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        if isinstance(out, torch.Tensor) and out.numel() == self.cells:
            self.made.append(weakref.ref(out))
        return out

    def count(self) -> int:
        return len({id(held) for made in self.made if (held := made()) is not None})


@every(Sampler)
def test_a_sampler_keeps_only_its_history(cls: type[Sampler]):
    """While the network runs: the start, the state and as many fields as the order has, and in stages at most three more."""

    def most(steps: int) -> int:
        sampler, found = cls(steps=steps), []
        with Alive(7919) as alive:

            def denoise(y: torch.Tensor, gamma: torch.Tensor) -> torch.Tensor:
                found.append(alive.count())
                return 0.3 * y

            y = torch.full((1, 1, 7919), 40.0, dtype=torch.float64)
            sampler.sample(denoise, y, sampler.levels.gamma(steps), Zeros(1, 1, 7919, device="cpu"))
        return max(found)

    assert 0 < most(7) == most(14) <= 2 + cls.order + (0 if cls.evaluations == 1 and not cls.startup else 3)


@every(Sampler)
def test_an_estimate_that_is_not_finite_stops_and_names_the_level(cls: type[Sampler]):
    sampler = cls(steps=9)
    gamma, y = sampler.levels.gamma(9), 80 * silent(2).prior()

    def network(scaled: torch.Tensor, level: torch.Tensor) -> torch.Tensor:
        return torch.where(level[:, 0, None, None] < 0.0, math.nan, 0 * scaled)  # from s = 1 on

    edm = exports(Parameterization)["EDM"]()
    denoise = NetworkDenoiser(network, parameterization=edm, scaling=edm.scaling(), conditioning=LogNoise(), dtype=torch.float64)
    with pytest.raises(FloatingPointError, match=r"not finite at (attempted )?step \d+.* \(noise level s = \d"):
        sampler.sample(denoise, y, gamma, silent(2))
        denoise.check(gamma)


@every(Sampler)
@pytest.mark.parametrize("gamma", [(3.0, 1.0, -2.0), (-2.0, 1.0, 1.0), (-2.0, math.nan, 3.0), (-2.0, 3.0, math.inf)], ids=str)
def test_levels_must_increase(cls: type[Sampler], gamma: tuple[float, ...]):
    with pytest.raises(ValueError, match="gamma must be finite and increase, noisy to clean; at step . of 2 it is"):
        cls().sample(MIXTURE, tensor(3.0)[:, None, None], tensor(*gamma), silent(1))


@every(Sampler)
def test_fewer_steps_than_the_order_are_refused(cls: type[Sampler]):
    with pytest.raises(ValueError, match=rf"{cls.__name__}\.steps must be at least {cls.order}, got {cls.order - 1}"):
        cls(steps=cls.order - 1)
    for wrong in (18.0, True, None):
        with pytest.raises(ValueError, match=rf"{cls.__name__}\.steps must be a whole number, got {wrong}"):
            cls(steps=wrong)


@every(Sampler)
def test_a_sampler_says_where_it_comes_from(cls: type[Sampler]):
    assert all("doi:10." in source for source in cls.source.split("; ")) and cls.source
    assert cls.evaluations >= 1 and cls.startup >= 0


# Levels


@every(Levels)
@pytest.mark.parametrize("steps", [1, 2, 3, 18, 200])
def test_levels_are_as_many_as_steps_from_noisy_to_clean(cls: type[Levels], steps: int):
    gamma = cls().gamma(steps)
    assert gamma.shape == (steps,) and gamma.dtype == torch.float64
    assert gamma.isfinite().all() and (gamma.diff() > 0).all()
    ends = cls().gamma(2)
    assert gamma[0] == ends[0] and (steps == 1 or gamma[-1] == ends[1])


@every(Levels)
def test_ends_of_levels_in_the_wrong_order_are_refused(cls: type[Levels]):
    if cls is exports(Levels)["VP"]:
        pytest.skip("has its ends from elsewhere")
    for low, high in ((2.0, 1.0), (1.0, 1.0), (0.0, 1.0), (-1.0, 1.0)):
        with pytest.raises(ValueError, match=rf"sigma_min must be in \(0, sigma_max = {high}\), got {low}"):
            cls(sigma_min=low, sigma_max=high)


# Schedulers


def inside(scheduler: Scheduler) -> tuple[float, float]:
    """Its range, without the tails that hold 1e-9 of an unbounded one."""
    low, high = scheduler.range
    bounds = scheduler.gamma(tensor(1e-9, 1 - 1e-9)).tolist()
    return (low if math.isfinite(low) else bounds[1], high if math.isfinite(high) else bounds[0])


@every(Scheduler)
def test_time_is_the_inverse_of_gamma_which_decreases(cls: type[Scheduler]):
    t = torch.linspace(0.001, 0.999, 999, dtype=torch.float64)
    gamma = cls().gamma(t)
    assert (gamma.diff() < 0).all()
    torch.testing.assert_close(cls().time(gamma), t, rtol=0, atol=1e-10)


@every(Scheduler)
def test_time_runs_from_the_cleanest_to_the_noisiest_level(cls: type[Scheduler]):
    """To the ends of the range, beyond which there is nothing, or without end."""
    for t, end, beyond in zip((0.0, 1.0), reversed(cls().range), (1, -1), strict=True):
        gamma = cls().gamma(tensor(t))
        if math.isfinite(end):
            assert gamma.item() == pytest.approx(end, abs=1e-8) and cls().log_density(gamma).isfinite()
            assert cls().time(gamma + beyond) == t and cls().log_density(gamma + beyond) == -math.inf
        else:
            assert beyond * gamma > 70


@every(Scheduler)
def test_a_density_integrates_to_one(cls: type[Scheduler]):
    low, high = inside(cls())
    total, _ = integrate.quad(lambda g: cls().log_density(tensor(g)).exp().item(), low, high, limit=400, epsabs=1e-10)
    assert total == pytest.approx(1, abs=1e-6)


@every(Scheduler)
def test_a_density_is_the_derivative_of_time(cls: type[Scheduler]):
    low, high = inside(cls())
    gamma = torch.linspace(low, high, 103, dtype=torch.float64)[1:-1].requires_grad_()
    (slope,) = torch.autograd.grad(cls().time(gamma).sum(), gamma)
    torch.testing.assert_close(slope.abs(), cls().log_density(gamma).exp().detach(), rtol=1e-8, atol=1e-12)


# Parameterizations, scalings, conditionings, embeddings, weightings


@every(Parameterization)
def test_the_estimate_from_the_target_is_the_truth(cls: type[Parameterization]):
    x, eps = torch.randn(2, len(GAMMA), 9, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    s = torch.exp(-GAMMA / 2)[:, None]
    y = x + s * eps
    estimate = cls().denoised(cls().target(x, eps, GAMMA), y, GAMMA)
    torch.testing.assert_close(estimate, x, rtol=0, atol=1e-10)
    torch.testing.assert_close((y - estimate) / s, eps, rtol=0, atol=1e-10)


@every(Parameterization)
def test_the_factor_makes_the_error_that_of_the_noise(cls: type[Parameterization]):
    x, eps, f = torch.randn(3, len(GAMMA), 9, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    s = torch.exp(-GAMMA / 2)[:, None]
    y = x + s * eps
    eps_hat = (y - cls().denoised(f, y, GAMMA)) / s
    error = cls().eps_factor(GAMMA)[:, None] * (f - cls().target(x, eps, GAMMA)).square()
    torch.testing.assert_close(error, (eps - eps_hat).square(), rtol=1e-9, atol=1e-9)


def test_samples_do_not_depend_on_parameterization_and_scaling():
    """Every pair, around a network that is exact for the mixture, draws the same members to 1e-12; so do the two inputs in between."""
    sampler = exports(Sampler)["Heun"](steps=12)
    gamma, y = sampler.levels.gamma(12), 80 * silent(4).prior()
    expected = sampler.sample(MIXTURE, y, gamma, silent(4))
    parameterizations, scalings = exports(Parameterization).values(), exports(InputScaling).values()
    for parameterization, scaling in itertools.product((p() for p in parameterizations), (s() for s in scalings)):

        def network(scaled, level, parameterization=parameterization, scaling=scaling):
            g = -8 * level[:, 0]
            y = scaled / noise_level.broadcast(scaling.c_in(g), scaled)
            skip, out = parameterization.c_skip(g), parameterization.c_out(g)
            return (MIXTURE(y, g) - noise_level.broadcast(skip, y) * y) / noise_level.broadcast(out, y)

        denoise = NetworkDenoiser(network, parameterization=parameterization, scaling=scaling, conditioning=LogNoise(), dtype=torch.float64)
        found = sampler.sample(denoise, y, gamma, silent(4))
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-12, msg=f"{parameterization} {scaling}")


@every(InputScaling)
def test_a_scaled_state_is_of_the_order_of_its_parts(cls: type[InputScaling]):
    """c_in is positive, never grows with noise, and is 1 where there is none (for data of unit variance)."""
    c_in = cls().c_in(GAMMA)
    assert (c_in > 0).all() and (c_in.diff() >= 0).all()
    assert cls().c_in(tensor(60.0)).item() == pytest.approx(1, abs=1e-12)


@every(NoiseConditioning)
def test_a_conditioning_tells_levels_apart_and_spans_a_few_units(cls: type[NoiseConditioning]):
    conditioning = cls()
    told = conditioning(GAMMA)
    assert told.shape == (len(GAMMA), conditioning.size) and told.dtype == GAMMA.dtype and told.abs().max() <= 6
    assert (told.diff(dim=0).abs().sum(1) > 1e-4).all()


@every(LevelEmbedding)
def test_an_embedding_tells_levels_apart_over_the_whole_range(cls: type[LevelEmbedding]):
    """Of 401 levels s from 0.002 to 80: neighbours differ, those further apart by more, and many features vary each in its own way.

    The 32 sines and cosines that another system gives ln(s) / 4 have a numerical rank of 4.
    """
    waves = cls().build()
    level = LogNoise()(torch.linspace(-2 * math.log(80), -2 * math.log(0.002), 401, dtype=torch.float64)).float()
    features = waves(level).double()
    assert features.shape == (401, waves.size)
    distance = torch.cdist(features, features) / math.sqrt(waves.size)
    assert distance.diagonal(1).min() > 0.05 and distance.triu(21)[distance.triu(21) > 0].min() > 0.5
    values = torch.linalg.svdvals(features)
    assert (values > 1e-3 * values[0]).sum() > 15


@every(LevelEmbedding)
def test_numbers_of_a_level_are_embedded_each_for_itself(cls: type[LevelEmbedding]):
    waves = cls().build()
    together = waves(torch.tensor([[0.3, -1.1], [0.7, 0.3]]))
    alone = waves(torch.tensor([[0.3], [-1.1], [0.7]]))
    assert torch.equal(together, torch.stack([torch.cat([alone[0], alone[1]]), torch.cat([alone[2], alone[0]])]))


@every(Weighting)
def test_a_weighting_is_one_of_the_two_types_and_finite(cls: type[Weighting]):
    assert issubclass(cls, DensityWeighting) != issubclass(cls, SampleWeighting)
    log_density = torch.full_like(GAMMA, -1.7)
    difference = cls().log_factor(GAMMA, log_density) - cls().log_factor(GAMMA, 0 * log_density)
    torch.testing.assert_close(difference, torch.full_like(GAMMA, 1.7 if issubclass(cls, DensityWeighting) else 0.0), rtol=0, atol=1e-12)


@every(Scheduler)
def test_every_weighting_and_target_is_finite_wherever_a_scheduler_draws(cls: type[Scheduler]):
    """From the cleanest to the noisiest billionth: what the error of the network counts, and float32 targets of data of unit variance."""
    schedule = cls().build()
    gamma = schedule.gamma(tensor(1e-9, 1e-6, 1e-3, 0.5, 1 - 1e-3, 1 - 1e-6, 1 - 1e-9))
    x, eps = torch.randn(2, len(gamma), 5, generator=torch.Generator().manual_seed(0))
    factors = [weighting().log_factor(gamma, schedule.log_density(gamma)).exp() for weighting in exports(Weighting).values()]
    for parameterization in (p() for p in exports(Parameterization).values()):
        assert parameterization.target(x, eps, gamma).isfinite().all()
        for factor in factors:
            counts = factor * parameterization.eps_factor(gamma)
            assert counts.isfinite().all() and (counts > 0).all()


# Models


def ports(*size: int, kind: str | None = None, **kwargs) -> Ports:
    line = kind or ("ring" if len(size) == 1 else "latlon")
    grid = Grid(line, None if line == "ring" else np.linspace(40, 50, size[0]), np.arange(float(size[-1])))
    return Ports(target=2, condition=3, static=1, out=2, level=1, grid=grid, **kwargs)


def inputs(rows: int, *size: int, seed: int = 0) -> tuple[torch.Tensor, Inputs]:
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator)

    x = normal(rows, 2, *size)
    origin = torch.zeros(rows, len(size), dtype=torch.int64)
    return x, Inputs(normal(rows, 3, *size), normal(1, 1, *size), torch.zeros(rows), origin, level=normal(rows, 1))


def shaken(cls: type[Model], of: Ports) -> torch.nn.Module:
    """With every parameter drawn, as many start at zero."""
    network = cls().build(of, None)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(0.1 * torch.randn(parameter.shape, generator=generator))
    return network.eval()


@every(Model)
@pytest.mark.parametrize("size", [(40,), (7,), (1,), (8, 12), (9, 13), (1, 5), (3, 1)], ids=str)
def test_a_network_takes_any_size(cls: type[Model], size: tuple[int, ...]):
    x, given = inputs(2, *size)
    with torch.no_grad():
        out = shaken(cls, ports(*size))(x, given)
    assert out.shape == (2, 2, *size) and out.dtype == torch.float32 and out.isfinite().all()


@every(Model)
@pytest.mark.parametrize("size", [(13,), (9, 11)], ids=str)
def test_a_network_couples_no_rows(cls: type[Model], size: tuple[int, ...]):
    """A row keeps its bits whatever the other rows are, at equal numbers of rows."""
    network = shaken(cls, ports(*size))
    x, given = inputs(4, *size)
    other_x, other = inputs(4, *size, seed=9)
    swap = lambda a, b: torch.cat([a[:1], b[1:]])  # noqa: E731
    mixed = Inputs(
        swap(given.condition, other.condition), given.static, given.lead_hours, given.origin, level=swap(given.level, other.level)
    )
    with torch.no_grad():
        first, second = network(x, given), network(swap(x, other_x), mixed)
    assert torch.equal(first[0], second[0]) and not torch.equal(first[1], second[1])


@every(Model)
def test_a_network_uses_all_it_is_given_and_trains_all_it_has(cls: type[Model]):
    network = shaken(cls, ports(8, 8))
    x, given = inputs(2, 8, 8)
    fields = {"x": x, "condition": given.condition, "static": given.static, "level": given.level}
    for field in fields.values():
        field.requires_grad_()
    network(x, given).square().sum().backward()
    for name, field in fields.items():
        assert field.grad.abs().sum() > 0, name
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


@every(Model)
def test_a_fresh_network_does_not_see_the_level_and_does_after_two_steps(cls: type[Model]):
    """Its last layer starts at zero, which the first step ends, and so may its blocks, which then the second one does."""
    torch.manual_seed(0)
    network = cls().build(ports(8), None)
    x, given = inputs(4, 8)

    def at(level: float) -> torch.Tensor:
        given.level = torch.full((4, 1), level)
        with torch.no_grad():
            return network(x, given)

    assert (at(-1.0) == 0).all() and torch.equal(at(-1.0), at(1.0))
    levels, optimizer = torch.linspace(-1, 1, 4)[:, None], torch.optim.SGD(network.parameters(), lr=0.1)
    for _ in range(2):
        given.level = levels
        optimizer.zero_grad()
        (network(x, given) - 1).square().mean().backward()
        optimizer.step()
    assert (at(-1.0) - at(1.0)).abs().max() > 0


@every(Model)
def test_a_network_works_without_a_noisy_state(cls: type[Model]):
    of = Ports(target=0, condition=3, static=1, out=2, grid=ports(8, 8).grid)
    _, given = inputs(2, 8, 8)
    given.level = None
    assert shaken(cls, of)(None, given).shape == (2, 2, 8, 8)
