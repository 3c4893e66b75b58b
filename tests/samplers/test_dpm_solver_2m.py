import math

import pytest
import torch

from wxexp.diffusion.denoisers import ExactGaussian, Mixture
from wxexp.samplers import DPMSolver2M


def test_the_leading_error_is_a_sixteenth_of_the_step_squared():
    n, h = 1280, math.log(1e6) / 1280
    gamma = torch.linspace(-math.log(1e6), math.log(1e6), n + 1, dtype=torch.float64)
    found = DPMSolver2M(terminal="keep").sample(ExactGaussian(0.0, 1.0), torch.ones(1, 1, 1, dtype=torch.float64), gamma, None)
    exact = math.sqrt((1 + 1e-6) / (1 + 1e6))
    assert found.item() / exact - 1 == pytest.approx(h**2 / 16, rel=0.01)


@pytest.mark.parametrize(("steps", "error"), [(10, 7.2e-2), (20, 2.2e-2), (40, 4.9e-3), (80, 1.2e-3)])
def test_errors_on_the_levels_of_edm(steps, error):
    """Measured independently with another implementation: RMS error at s_min on N(1, 0.5^2) from the exact law at s_max, two digits."""
    gamma = DPMSolver2M().levels.gamma(steps + 1)
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
