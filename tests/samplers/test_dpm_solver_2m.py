import math

import numpy as np
import pytest
import torch
from scipy import special

from wxexp.diffusion.denoisers import ExactGaussian, Mixture
from wxexp.interfaces import Sampler
from wxexp.levels import Karras
from wxexp.samplers import DPMSolver2M, Heun


def test_the_leading_error_is_a_sixteenth_of_the_step_squared():
    n, h = 1280, math.log(1e6) / 1280
    gamma = torch.linspace(-math.log(1e6), math.log(1e6), n + 1, dtype=torch.float64)
    found = DPMSolver2M(terminal="keep").sample(ExactGaussian(0.0, 1.0), torch.ones(1, 1, 1, dtype=torch.float64), gamma, None)
    exact = math.sqrt((1 + 1e-6) / (1 + 1e6))
    assert found.item() / exact - 1 == pytest.approx(h**2 / 16, rel=0.01)


@pytest.mark.parametrize(("steps", "error"), [(10, 7.2e-2), (20, 2.2e-2), (40, 4.9e-3), (80, 1.2e-3)])
def test_errors_on_the_levels_of_edm(steps, error):
    """Measured independently with another implementation: RMS error at s_min on N(1, 0.5^2) from the exact law at s_max, two digits."""
    gamma = Karras().gamma(steps + 1)
    z = torch.special.ndtri((torch.arange(2000, dtype=torch.float64) + 0.5) / 2000)[:, None, None]
    found = DPMSolver2M(terminal="keep").sample(ExactGaussian(1.0, 0.25), 1 + z * math.sqrt(0.25 + 6400), gamma, None)
    exact = 1 + z * math.sqrt(0.25 + 0.002**2)
    assert (found - exact).square().mean().sqrt().item() == pytest.approx(error, rel=0.15)


def test_it_is_the_algorithm_in_the_variance_preserving_state():
    """Lu et al. 2022b, algorithm 2, with its lambda = gamma / 2 and state alpha y, on a mixture and uneven levels."""
    gamma = torch.tensor([-6.0, -4.5, -2.0, -1.0, 1.5, 3.0], dtype=torch.float64)
    alpha, sigma, lam = torch.sigmoid(gamma).sqrt(), torch.sigmoid(-gamma).sqrt(), gamma / 2
    means = torch.tensor([-1.0, 1.5], dtype=torch.float64)[:, None, None]
    mixture = Mixture(torch.tensor([0.4, 0.6], dtype=torch.float64), means, torch.tensor([0.09, 0.04], dtype=torch.float64))
    y = torch.linspace(-30, 30, 8, dtype=torch.float64)[:, None, None]
    z, x = alpha[0] * y, []
    for i in range(1, 6):
        h = lam[i] - lam[i - 1]
        x.append(mixture(z / alpha[i - 1], gamma[i - 1]))
        d = x[-1]
        if i > 1:
            r = (lam[i - 1] - lam[i - 2]) / h
            d = (1 + 1 / (2 * r)) * x[-1] - 1 / (2 * r) * x[-2]
        z = sigma[i] / sigma[i - 1] * z - alpha[i] * torch.expm1(-h) * d
    found = DPMSolver2M(terminal="keep").sample(mixture, y, gamma, None)
    torch.testing.assert_close(alpha[-1] * found, z, rtol=1e-12, atol=1e-12)


def test_one_step_is_refused():
    with pytest.raises(ValueError, match=r"DPMSolver2M\.steps must be at least 2, got 1"):
        DPMSolver2M(steps=1)


def test_with_its_levels_16_evaluations_do_what_35_of_heun_do_on_those_of_edm():
    """Error of the standard deviation of a Gaussian, and of quantiles of a mixture, which the flow keeps: from the law at s = 80."""
    p = (np.arange(500) + 0.5) / 500

    def quantiles(s: float) -> np.ndarray:
        y = np.linspace(-3 - 5 * s, 3 + 5 * s, 400_001)
        law = 0.4 * special.ndtr((y + 1) / math.hypot(0.3, s)) + 0.6 * special.ndtr((y - 1.5) / math.hypot(0.2, s))
        return np.interp(p, law, y)

    means = torch.tensor([-1.0, 1.5], dtype=torch.float64)[:, None, None]
    mixture = Mixture(torch.tensor([0.4, 0.6], dtype=torch.float64), means, torch.tensor([0.09, 0.04], dtype=torch.float64))

    def errors(sampler: Sampler) -> tuple[int, float, float]:
        calls, gamma = 0, sampler.levels.gamma(sampler.steps)

        def denoise(y: torch.Tensor, gamma: torch.Tensor) -> torch.Tensor:
            nonlocal calls
            calls += 1
            return mixture(y, gamma)

        x = sampler.sample(denoise, torch.from_numpy(quantiles(80.0))[:, None, None], gamma, None)
        y = torch.full((1, 1, 1), math.hypot(0.5, 80), dtype=torch.float64)
        std = sampler.sample(ExactGaussian(0.0, 0.25), y, gamma, None).item()
        return calls, abs(std / 0.5 - 1), float(np.abs(x.flatten().numpy() - quantiles(0.0)).mean())

    few, many = errors(DPMSolver2M(steps=16)), errors(Heun(steps=18, levels=Karras()))
    assert (few[0], many[0]) == (16, 35)
    assert few[1] < 0.5 * many[1] and few[2] < many[2] < 0.03
