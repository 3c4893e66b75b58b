"""Digits of published systems and of their papers, reproduced by the components that stand for them here.

EDM (Karras et al. 2022), CorrDiff (Mardani et al. 2025), GenCast (Price et al. 2025), flow matching (Lipman et al. 2023). Errors of
samplers are those of other implementations of the same algorithms, on Gaussian data, where they can be propagated exactly. Tolerances
are half a unit of the last digit, where none is given.
"""

import math

import numpy as np
import pytest
import torch

from wxexp.diffusion import noise_level, parameterizations
from wxexp.diffusion.conditionings import FlowTime
from wxexp.diffusion.denoisers import ExactGaussian, Mixture, NetworkDenoiser
from wxexp.interfaces import Sampler
from wxexp.levels import VP, Exponential, Karras, Quantiles
from wxexp.samplers import DPM2, DPMSolver2M, DPMSolver2S, Euler, Heun
from wxexp.schedulers import VP as VPScheduler
from wxexp.schedulers import FlowUniform, LogNormal
from wxexp.statistics.crps import crps


def level(*s: float) -> torch.Tensor:
    return -2 * torch.tensor(s, dtype=torch.float64).log()


def sigmas(levels, steps: int) -> np.ndarray:
    return torch.exp(-levels.gamma(steps) / 2).numpy()


# Preconditioning


@pytest.mark.parametrize(
    ("sigma_data", "s", "expected"),
    [
        (0.5, 0.002, (0.99998400, 0.00199998, 1.99998400, -1.55365202, 250004)),
        (0.5, 0.5, (0.5, 0.35355339, 1.41421356, -0.17328680, 8)),
        (0.5, 1.0, (0.2, 0.44721360, 0.89442719, 0, 5)),
        (0.5, 80.0, (3.906097e-5, 0.49999023, 0.01249976, 1.09550666, 4.00015625)),
        (1.0, 0.02, (0.99960016, 0.019996, 0.99980006, -0.97800575, 2501)),
        (1.0, 1.0, (0.5, 0.70710678, 0.70710678, 0, 2)),
        (1.0, 100.0, (9.999e-5, 0.99995, 0.0099995, 1.15129255, 1.0001)),
    ],
)
def test_coefficients_of_edm(sigma_data, s, expected):
    """c_skip, c_out, c_in, c_noise and the weight of |D - x|^2, which is omega / s^2."""
    edm, gamma = parameterizations.EDM(sigma_data=sigma_data), level(s)
    weight = edm.weighting().log_factor(gamma, torch.zeros(1)).exp() / s**2
    found = (edm.c_skip(gamma), edm.c_out(gamma), edm.scaling().c_in(gamma), edm.conditioning()(gamma), weight)
    np.testing.assert_allclose([x.item() for x in found], expected, rtol=1e-6, atol=5e-9)


@pytest.mark.parametrize("sigma_data", [0.5, 1.0])
def test_identities_of_edm(sigma_data):
    """lambda c_out^2 = 1 and c_in^2 (s^2 + sd^2) = 1 for s in [1e-3, 1e3]; target and input have variance 1 exactly."""
    edm, gamma = parameterizations.EDM(sigma_data=sigma_data), torch.linspace(-14, 14, 57, dtype=torch.float64)
    s2, one = torch.exp(-gamma), torch.ones(57, dtype=torch.float64)
    weight = edm.weighting().log_factor(gamma, 0 * gamma).exp() / s2
    torch.testing.assert_close(weight * edm.c_out(gamma).square(), one, rtol=1e-12, atol=0)
    torch.testing.assert_close(edm.scaling().c_in(gamma).square() * (s2 + sigma_data**2), one, rtol=1e-12, atol=0)
    of_x = edm.target(one[:, None], 0 * one[:, None], gamma)[:, 0]
    of_eps = edm.target(0 * one[:, None], one[:, None], gamma)[:, 0]
    torch.testing.assert_close(of_x.square() * sigma_data**2 + of_eps.square(), one, rtol=1e-9, atol=0)


@pytest.mark.parametrize("s", [0.02, 0.5, 80.0])
def test_the_loss_of_a_network_that_returns_zero_is_one(s):
    """To 2 % over 256 000 cells, as is the variance of what it sees."""
    x, eps = torch.randn(2, 1, 256_000, generator=torch.Generator().manual_seed(0))
    edm, gamma = parameterizations.EDM(sigma_data=0.5), level(s)
    assert edm.target(0.5 * x, eps, gamma).square().mean().item() == pytest.approx(1, abs=0.02)
    assert (edm.scaling().c_in(gamma) * (0.5 * x + s * eps)).var().item() == pytest.approx(1, abs=0.02)


# Noise levels


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        (
            Karras(),
            "80 57.586 40.7856 28.3746 19.3525 12.9101 8.4009 5.3152 3.2568 1.9233 1.0882 .5853 .2964 .1395 .0599 .0229 .0075 .002",
        ),
        (
            Karras(sigma_max=800.0),
            "800 560.703 385.582 259.602 170.689 109.269 67.857 40.699 23.446 12.884 6.694 3.251 1.453 .584 .205 .060 .013 .002",
        ),
        (Karras(sigma_min=0.02), "80 61.650 47.033 35.493" + 14 * " -" + " .04407 .02"),
        (Karras(sigma_min=0.03, sigma_max=90.0), "90 69.69731" + 7 * " -" + " 5.880824 4.01825" + 7 * " -" + " .063296 .03"),
        (Karras(sigma_min=0.03), "80 62.081269" + 7 * " -" + " 5.367349 3.684189" + 7 * " -" + " .062206 .03"),
        (
            Karras(sigma_min=0.02, sigma_max=100.0),
            "100 90.368644 81.543598" + 21 * " -" + " 5.187779 4.442256" + 21 * " -" + " .038233 .027861 .02",
        ),
    ],
)
def test_levels_of_edm(levels, expected):
    digits = expected.split()
    found = sigmas(levels, len(digits))
    for s, printed in zip(found, digits, strict=True):
        if printed != "-":
            assert s == pytest.approx(float(printed), abs=0.51 * 10.0 ** -len(printed.partition(".")[2])), printed


def test_a_single_level_is_finite():
    assert sigmas(Karras(sigma_min=0.02, sigma_max=100.0), 1).tolist() == pytest.approx([100.0])


def test_levels_of_variance_exploding_diffusion_span_its_range_and_not_its_square():
    assert sigmas(Exponential(), 20)[[0, -1]].tolist() == pytest.approx([80.0, 0.002])


def test_the_time_of_variance_preserving_diffusion_is_recovered():
    """s(1) = 152.167 with beta_d = 19.9, beta_min = 0.1, and the inverse to 1e-6."""
    assert sigmas(VP(), 2)[0] == pytest.approx(152.167, abs=5e-4)
    u = torch.linspace(1e-3, 1, 101, dtype=torch.float64)
    scheduler = VPScheduler(epsilon=1e-9)
    torch.testing.assert_close(scheduler.time(scheduler.gamma(u)), u, rtol=0, atol=1e-10)


def test_training_noise_of_corrdiff():
    """P_mean = 0, P_std = 1.2: the median of s is 1, the mean of ln s is 0."""
    log_s = -LogNormal(mean=0.0, std=1.2).gamma(torch.linspace(0.001, 0.999, 999, dtype=torch.float64)) / 2
    assert log_s.mean().item() == pytest.approx(0, abs=1e-12) and log_s.median().item() == pytest.approx(0, abs=1e-12)
    assert log_s.std().item() == pytest.approx(1.2, rel=0.01)


# Samplers on Gaussian data


def gain(sampler: Sampler, *, variance: float = 0.25) -> float:
    """What the sampler multiplies a sample of pure noise by, over what the exact flow does, minus one."""
    gamma = sampler.levels.gamma(sampler.steps)
    y = torch.exp(-gamma[:1] / 2)[:, None, None]
    found = sampler.sample(ExactGaussian(0.0, variance), y, gamma, None).item() / y.item()
    return found / math.sqrt(variance / (variance + y.item() ** 2)) - 1


FAR = Karras(sigma_max=800.0)


@pytest.mark.parametrize(
    ("cls", "levels", "errors"),
    [
        (Heun, Karras(), {9: 0.27814, 18: 0.05527, 36: 0.01221, 72: 0.00287, 144: 0.00069}),
        (Heun, FAR, {18: 0.13174, 36: 0.02833, 72: 0.00656}),
        (Euler, Karras(), {9: -0.30100, 18: -0.15392, 36: -0.07799}),
        (DPMSolver2M, Karras(), {9: 0.15723, 18: 0.06230, 36: 0.01310, 72: 0.00297}),
        (DPMSolver2M, FAR, {18: 0.12683, 36: 0.03150}),
    ],
)
def test_discretisation_errors_of_corrdiff(cls, levels, errors):
    """Relative error of the standard deviation for data N(0, 0.5^2); the shipped defaults have +13.2 % and -30.1 %."""
    for steps, error in errors.items():
        assert gain(cls(steps=steps, levels=levels)) == pytest.approx(error, abs=5.1e-6)


@pytest.mark.parametrize(
    ("cls", "errors"),
    [(Euler, {20: -0.139, 40: -0.070}), (Heun, {20: 0.044, 40: 0.0098}), (DPM2, {20: 0.025, 40: 0.0057})],
)
def test_errors_on_the_gaussian_flow(cls, errors):
    """On s from 80 to 0.002 for data N(0, 0.5^2)."""
    for steps, error in errors.items():
        digits = len(str(abs(error)).partition(".")[2])
        assert gain(cls(steps=steps, levels=Karras())) == pytest.approx(error, abs=0.51 * 10.0**-digits)


@pytest.mark.parametrize(
    ("cls", "errors"),
    [
        (Euler, {20: 8.5e-2, 50: 3.5e-2, 100: 1.8e-2}),
        (Heun, {20: 2.4e-2, 50: 2.9e-3, 100: 3.1e-4}),
        (DPMSolver2M, {20: 2.4e-2, 50: 3.0e-3, 100: 3.1e-4}),
        (DPMSolver2S, {20: 1.2e-2, 50: 2.4e-3, 100: 9.8e-4}),
    ],
)
def test_errors_of_one_trajectory(cls, errors):
    """Of y = 130.7 at s = 100 for data N(0.7, 0.5^2): the exact end is 1.349992, the sampler's levels end at 0.02, then its jump."""
    exact = 0.7 + 130.0 * 0.5 / math.sqrt(0.25 + 1e4)
    assert exact == pytest.approx(1.349992, abs=5e-7)
    for steps, error in errors.items():
        sampler = cls(steps=steps, levels=Karras(sigma_min=0.02, sigma_max=100.0))
        y = torch.full((1, 1, 1), 130.7, dtype=torch.float64)
        found = sampler.sample(ExactGaussian(0.7, 0.25), y, sampler.levels.gamma(steps), None).item()
        assert abs(found - exact) == pytest.approx(error, rel=0.06)


class Impulse:
    """Noise that is 1 at one step and 0 at the others."""

    def __init__(self, step: int) -> None:
        self.step = step

    def at(self, step: int) -> torch.Tensor:
        return torch.tensor(float(step == self.step), dtype=torch.float64)


def moments(sampler: Sampler, mean: float, variance: float) -> tuple[float, float]:
    """Mean and standard deviation of samples from N(0, s_max^2): affine in state and noises, so unit impulses give them exactly."""
    gamma, exact = sampler.levels.gamma(sampler.steps), ExactGaussian(mean, variance)
    s = math.exp(-gamma[0].item() / 2)

    def run(y: float, step: int) -> float:
        return sampler.sample(exact, torch.full((1, 1, 1), y, dtype=torch.float64), gamma, Impulse(step)).item()

    centre = run(0.0, -1)
    parts = [s * (run(1.0, -1) - centre), *(run(0.0, step) - centre for step in range(sampler.steps))]
    return centre, math.sqrt(sum(part**2 for part in parts))


@pytest.mark.parametrize(("churn", "std"), [(0.0, 0.503), (20.0, 0.511)])
def test_law_of_50_steps_of_heun(churn, std):
    """For data N(0.7, 0.5^2), s from 100 to 0.02; published of 200 000 points, whose standard error is 0.0008."""
    heun = Heun(steps=50, levels=Karras(sigma_min=0.02, sigma_max=100.0), churn=churn)
    found = moments(heun, 0.7, 0.25)
    assert found[0] == pytest.approx(0.70, abs=0.01) and found[1] == pytest.approx(std, abs=0.001)


def test_churn_is_capped():
    """18 steps from 80 to 0.002 with churn 40: at the cap of sqrt(2) - 1 the standard deviation is 0.562, without it 0.678."""
    assert moments(Heun(churn=40.0, levels=Karras()), 0.0, 0.25)[1] == pytest.approx(0.562, abs=0.003)


@pytest.mark.parametrize(("steps", "churn", "expected"), [(20, 2.5, 0.125), (50, 40.0, 0.41421356), (20, 10.0, 0.41421356)])
def test_share_of_a_level_that_is_churned(steps, churn, expected):
    heun, seen = Heun(steps=steps, churn=churn, levels=Karras()), []
    heun.sample(lambda y, g: seen.append(g.item()) or y, torch.ones(1, 1, 1).double(), heun.levels.gamma(steps), Impulse(0))
    assert math.exp(-seen[0] / 2) / 80 - 1 == pytest.approx(expected, abs=5e-9)


def test_churn_above_the_cap_changes_nothing():
    """At 20 steps 10 and 8.29 are both above it, 8.28 is not."""
    ten, above, below = (moments(Heun(steps=20, churn=churn, levels=Karras()), 0.3, 0.25) for churn in (10.0, 8.29, 8.28))
    assert ten == above != below


@pytest.mark.parametrize(
    ("sampler", "evaluations"),
    [
        (Heun(steps=18), 35),
        (Euler(steps=9), 9),
        (DPMSolver2M(steps=18), 18),
        (Heun(steps=20), 39),
        (DPM2(steps=20), 39),
        (DPMSolver2S(steps=20), 39),
        (Euler(steps=20), 20),
    ],
    ids=str,
)
def test_numbers_of_evaluations(sampler, evaluations):
    exact, seen = ExactGaussian(0.0, 1.0), []
    y = torch.ones(1, 1, 1, dtype=torch.float64)
    sampler.sample(lambda y, g: seen.append(g) or exact(y, g), y, sampler.levels.gamma(sampler.steps), None)
    assert len(seen) == evaluations


MIXTURE = Mixture(
    torch.tensor([0.4, 0.6], dtype=torch.float64),
    torch.tensor([-1.0, 1.5], dtype=torch.float64)[:, None, None],
    torch.tensor([0.09, 0.04], dtype=torch.float64),
)


def test_euler_is_that_of_flow_matching_and_the_first_order_dpm_solver():
    """z' = z + (t' - t) v of the state (1 - t) x + t eps; z' = (sigma' / sigma) z - alpha' expm1(-h) D of the variance-preserving one."""
    gamma = torch.tensor([-6.0, -4.5, -2.0, -1.0, 1.5, 3.0], dtype=torch.float64)
    y = torch.linspace(-30, 30, 8, dtype=torch.float64)[:, None, None]
    found = Euler(terminal="keep").sample(MIXTURE, y, gamma, None)
    t = torch.sigmoid(-gamma / 2)
    z = (1 - t[0]) * y
    for i in range(5):
        x = MIXTURE(z / (1 - t[i]), gamma[i])
        z = z + (t[i + 1] - t[i]) * ((z - (1 - t[i]) * x) / t[i] - x)
    torch.testing.assert_close((1 - t[-1]) * found, z, rtol=1e-12, atol=1e-12)
    alpha, sigma = torch.sigmoid(gamma).sqrt(), torch.sigmoid(-gamma).sqrt()
    z = alpha[0] * y
    for i in range(5):
        x = MIXTURE(z / alpha[i], gamma[i])
        z = sigma[i + 1] / sigma[i] * z - alpha[i + 1] * torch.expm1((gamma[i] - gamma[i + 1]) / 2) * x
    torch.testing.assert_close(alpha[-1] * found, z, rtol=1e-12, atol=1e-12)


def test_a_network_of_flow_matching_is_sampled():
    """Exact velocity for N(0.7, 0.5^2): mean 0.700 and standard deviation 0.500, each to 0.005, in 40 steps of equidistant times."""
    flow = parameterizations.Flow()

    def velocity(z, time):
        """v = E[eps - x | z] with z = (1 - t) x + t eps, by regression of Gaussians."""
        t = time[:, :, None]
        centre, spread = (1 - t) * 0.7, (1 - t) ** 2 * 0.25 + t**2
        return -0.7 + (t - (1 - t) * 0.25) / spread * (z - centre)

    denoise = NetworkDenoiser(velocity, parameterization=flow, scaling=flow.scaling(), conditioning=FlowTime(), dtype=torch.float64)
    y = torch.tensor([0.3, -4.0], dtype=torch.float64)[:, None, None]
    expected = ExactGaussian(0.7, 0.25)(y, level(2.0, 0.1))
    torch.testing.assert_close(denoise(y, level(2.0, 0.1)), expected, rtol=1e-12, atol=1e-12)
    heun = Heun(steps=40, levels=Quantiles(scheduler=FlowUniform(), sigma_min=0.01, sigma_max=200.0))
    gamma = heun.levels.gamma(40)
    ends = heun.sample(denoise, noise_level.scale(gamma[0]) * torch.tensor([0.0, 1.0]).double()[:, None, None], gamma, None).flatten()
    assert ends[0].item() == pytest.approx(0.700, abs=0.005) and (ends[1] - ends[0]).item() == pytest.approx(0.500, abs=0.005)


# Scores


def test_crps_of_three_members():
    """Members 0, 1, 3 and truth 2: 2/3 biased, 1/3 fair, 0.35 almost fair at alpha = 0.95 (Lang et al. 2024)."""
    truth, members = np.array([2.0]), np.array([[0.0], [1.0], [3.0]])
    found = [crps(truth, members, estimator=e).item() for e in ("biased", "fair", "almost_fair")]
    assert found == pytest.approx([0.666667, 0.333333, 0.35], abs=5e-7)
