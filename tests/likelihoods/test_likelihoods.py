"""Every likelihood: a distribution, drawn as it is scored, whose scale converges to the maximum of the likelihood."""

import math

import numpy as np
import pytest
import scoringrules
import torch
from scipy import integrate, optimize, stats

from wxexp.config.tree import exports
from wxexp.interfaces import Group, Likelihood
from wxexp.likelihoods import Bounded, CensoredGaussian, Gaussian, Laplace

LOGITS = (-0.5, 0.3, 0.9)  # of lower, inside, upper
CASES = {
    "gaussian": (Gaussian(), (0.4,), 0.7),
    "laplace": (Laplace(), (0.4,), 0.7),
    "censored below": (CensoredGaussian(lower=-0.2), (0.4,), 0.7),
    "censored above": (CensoredGaussian(lower=None, upper=0.9), (0.4,), 0.7),
    "censored": (CensoredGaussian(lower=-0.2, upper=0.9), (0.4,), 0.7),
    "bounded below": (Bounded(lower=-0.2), (*LOGITS, 0.4), 0.7),
    "bounded above": (Bounded(lower=None, upper=0.9), (*LOGITS, 0.4), 0.7),
    "bounded": (Bounded(lower=-0.2, upper=0.9), (*LOGITS, 0.4), 0.7),
}
every = pytest.mark.parametrize(("spec", "f", "scale"), CASES.values(), ids=CASES.keys())


def tensor(*values: float) -> torch.Tensor:
    """[1, len(values), 1]"""
    return torch.tensor(values, dtype=torch.float64)[None, :, None]


def probability(spec, f, scale, x: float) -> float:
    return spec.log_prob(tensor(x), tensor(*f), tensor(scale)).exp().item()


def quantile(spec, f, scale, p: np.ndarray) -> np.ndarray:
    z = torch.from_numpy(stats.norm.ppf(p))[None, None]
    return spec.quantile(z, tensor(*f)[..., :1], tensor(scale)).numpy()[0, 0]


def bounds(spec) -> tuple[float, float]:
    return getattr(spec, "low", -math.inf), getattr(spec, "high", math.inf)


def test_every_likelihood_has_a_case():
    assert {type(spec) for spec, _, _ in CASES.values()} == set(exports(Likelihood).values())


@every
def test_density_and_masses_integrate_to_one(spec, f, scale):
    low, high = bounds(spec)
    inside = [integrate.quad(lambda x: probability(spec, f, scale, x), a, b)[0] for a, b in ((low, 0.4), (0.4, high))]
    masses = [probability(spec, f, scale, b) for b in (low, high) if math.isfinite(b)]
    assert sum(inside) + sum(masses) == pytest.approx(1, abs=1e-7)
    assert all(m > 0.05 for m in masses)


@every
def test_members_are_drawn_from_the_density_that_is_scored(spec, f, scale):
    """The mass up to the quantile at p is p, or p is within a bound's mass."""
    low, high = bounds(spec)
    for p in (0.03, 0.3, 0.5, 0.62, 0.97):
        (x,) = quantile(spec, f, scale, np.array([p]))
        below = probability(spec, f, scale, low) if math.isfinite(low) else 0.0
        if x <= low:
            assert p <= below + 1e-12
        elif x >= high:
            assert p >= 1 - probability(spec, f, scale, high) - 1e-12
        else:
            assert below + integrate.quad(lambda y: probability(spec, f, scale, y), low, x)[0] == pytest.approx(p, abs=1e-7)


@pytest.mark.parametrize(
    ("spec", "score"),
    [
        (Gaussian(), lambda x: scoringrules.crps_normal(x, 0.4, 0.7)),
        (Laplace(), lambda x: scoringrules.crps_laplace(x, 0.4, 0.7)),
        (CensoredGaussian(lower=-0.2, upper=0.9), lambda x: scoringrules.crps_cnormal(x, 0.4, 0.7, -0.2, 0.9)),
    ],
    ids=["gaussian", "laplace", "censored"],
)
@pytest.mark.parametrize("x", [-0.2, 0.55, 0.9])
def test_the_crps_of_its_quantiles_is_the_closed_form(spec, score, x):
    """CRPS is twice the mean quantile loss (Gneiting and Raftery 2007, section 4.2), by the midpoint rule on 20 000 quantiles."""
    p = (np.arange(20_000) + 0.5) / 20_000
    q = quantile(spec, (0.4,), 0.7, p)
    assert 2 * np.mean((p - (x < q)) * (x - q)) == pytest.approx(float(score(x)), abs=2e-5)


def test_densities_are_those_of_scipy():
    for spec, law in ((Gaussian(), stats.norm(0.4, 0.7)), (Laplace(), stats.laplace(0.4, 0.7))):
        for x in (-30.0, -1.0, 0.4, 2.5):
            assert spec.log_prob(tensor(x), tensor(0.4), tensor(0.7)).item() == pytest.approx(law.logpdf(x), rel=1e-12)


def test_a_mass_far_in_the_tail_keeps_its_digits():
    """Ln Phi(-40) = -804.6084 (scipy: -804.608442)."""
    found = CensoredGaussian(lower=0.0).log_prob(tensor(0.0), tensor(40.0), tensor(1.0))
    assert found.item() == pytest.approx(-804.608442013, abs=1e-8)
    found = CensoredGaussian(lower=0.0).moment(tensor(0.0), tensor(40.0), tensor(1.0))
    assert found.item() == pytest.approx(1602, abs=0.01)  # 1 + 40 * 40.025


@every
def test_gradients_are_finite_at_the_bounds_and_at_a_masked_zero(spec, f, scale):
    given = torch.tensor(f)[None, :, None].expand(1, -1, 4).clone().requires_grad_()
    x = torch.tensor([-0.2, 0.9, 0.0, 1.5]).view(1, 1, 4)
    x = x.clamp(*bounds(spec)) if bounds(spec) != (-math.inf, math.inf) else x
    spec.log_prob(x, given, torch.tensor(scale).view(1, 1, 1)).sum().backward()
    assert given.grad.isfinite().all() and given.grad.abs().sum() > 0


RANDOM = np.random.default_rng(3)
ERROR = 0.7 * RANDOM.standard_t(5, 4000)
CENTRE = RANDOM.normal(0.3, 0.5, 4000)


def fitted(spec, x: np.ndarray, f: np.ndarray, steps: int = 400) -> float:
    """The scale after many steps on the same data, parameters of f [P, X]."""
    likelihood = spec.build(1).double()
    x, f = torch.from_numpy(x)[None, None], torch.from_numpy(np.atleast_2d(f))[None]
    for _ in range(steps):
        moments = likelihood.moments(x, f)
        likelihood.update(moments.sum((0, 2)), torch.tensor([x.numel()], dtype=torch.float64), Group())
    return likelihood.scale.item()


def test_the_scale_converges_to_the_root_mean_square_and_the_mean_absolute_error():
    assert fitted(Gaussian(decay=0.9), CENTRE + ERROR, CENTRE) == pytest.approx(np.sqrt(np.mean(ERROR**2)), rel=1e-6)
    assert fitted(Laplace(decay=0.9), CENTRE + ERROR, CENTRE) == pytest.approx(np.mean(np.abs(ERROR)), rel=1e-6)


def test_the_scale_of_a_censored_variable_converges_to_the_maximum_of_its_likelihood():
    x = (CENTRE + ERROR).clip(0.0, 1.0)
    assert 0.2 < (x == 0).mean() < 0.5 and 0.1 < (x == 1).mean() < 0.5

    def cost(s: float) -> float:
        inside = (x > 0) & (x < 1)
        ends = stats.norm.logcdf(-CENTRE / s)[x == 0].sum() + stats.norm.logsf((1 - CENTRE) / s)[x == 1].sum()
        return -(stats.norm.logpdf(x, CENTRE, s)[inside].sum() + ends)

    best = optimize.minimize_scalar(cost, bounds=(0.1, 3), method="bounded", options={"xatol": 1e-9}).x
    found = fitted(CensoredGaussian(lower=0.0, upper=1.0, decay=0.5), x, CENTRE)
    assert found == pytest.approx(best, rel=1e-5)
    assert abs(found / np.sqrt(np.mean((x - CENTRE) ** 2)) - 1) > 0.2  # not that of what is seen


def test_the_scale_of_a_bounded_variable_is_the_error_between_its_bounds():
    x = np.exp(CENTRE + ERROR)
    x[::3] = 0.0
    f = np.stack([0 * CENTRE, 0 * CENTRE, 0 * CENTRE, CENTRE])
    expected = np.sqrt(np.mean(np.delete(ERROR, np.s_[::3]) ** 2))
    assert fitted(Bounded(lower=0.0, decay=0.9), x, f, steps=800) == pytest.approx(expected, rel=1e-5)


def test_one_step_of_the_moving_average_by_hand_and_over_ranks():
    """0.9 * 1 + 0.1 * (3 + 5) / (2 + 2) = 1.1; a variable without valid cells stays."""

    class Two(Group):
        def all_reduce(self, x: torch.Tensor) -> torch.Tensor:
            return x + torch.tensor([[5.0, 0.0], [2.0, 0.0]])

    likelihood = Gaussian(decay=0.9).build(2)
    likelihood.update(torch.tensor([3.0, 0.0]), torch.tensor([2.0, 0.0]), Two())
    torch.testing.assert_close(likelihood.moment, torch.tensor([1.1, 1.0]))
    assert set(likelihood.state_dict()) == {"moment"}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Gaussian(decay=1.1), r"Gaussian\.decay must be from 0 to 1, got 1\.1"),
        (lambda: Bounded(lower=None), r"Bounded needs a lower or an upper bound, and both are None"),
        (lambda: CensoredGaussian(lower=1.0, upper=1.0), r"CensoredGaussian\.lower must be less than upper, got 1\.0 and 1\.0"),
    ],
)
def test_wrong_values(make, message):
    with pytest.raises(ValueError, match=message):
        make()
