import math

import pytest
import torch

from wxexp.diffusion.denoisers import ExactGaussian, Mixture
from wxexp.samplers import DPMSolver2S

S, MU = 0.7, 0.3


def test_amplification_on_a_gaussian_to_rounding():
    """Each step multiplies y - mu by r + (1 - r) c(m) (sqrt(r) + (1 - sqrt(r)) c(s)), c(s) = S^2 / (S^2 + s^2), m = sqrt(s s')."""
    gamma = torch.rand(12, generator=torch.Generator().manual_seed(3), dtype=torch.float64).mul(20).sub(10).sort().values
    s = torch.exp(-gamma / 2)
    r, root = s[1:] / s[:-1], (s[1:] / s[:-1]).sqrt()
    c_m, c_s = S**2 / (S**2 + s[1:] * s[:-1]), S**2 / (S**2 + s[:-1] ** 2)
    y = torch.tensor([[[5.0]], [[-2.0]]], dtype=torch.float64)
    found = DPMSolver2S(terminal="keep").sample(ExactGaussian(MU, S**2), y, gamma, None)
    factors = r + (1 - r) * c_m * (root + (1 - root) * c_s)
    torch.testing.assert_close(found - MU, (y - MU) * factors.prod(), rtol=1e-12, atol=0)


def test_the_leading_error_is_minus_a_sixteenth_of_the_step_squared():
    n, h = 1280, math.log(1e6) / 1280
    gamma = torch.linspace(-math.log(1e6), math.log(1e6), n + 1, dtype=torch.float64)
    found = DPMSolver2S(terminal="keep").sample(ExactGaussian(0.0, 1.0), torch.ones(1, 1, 1, dtype=torch.float64), gamma, None)
    exact = math.sqrt((1 + 1e-6) / (1 + 1e6))
    assert found.item() / exact - 1 == pytest.approx(-(h**2) / 16, rel=0.01)


@pytest.mark.parametrize(("steps", "error"), [(10, 3.2e-2), (20, 9.1e-3), (40, 2.4e-3), (80, 6.2e-4)])
def test_errors_on_the_levels_of_edm(steps, error):
    """Measured independently with another implementation: RMS error at s_min on N(1, 0.5^2) from the exact law at s_max, two digits."""
    gamma = DPMSolver2S().levels.gamma(steps + 1)
    z = torch.special.ndtri((torch.arange(2000, dtype=torch.float64) + 0.5) / 2000)[:, None, None]
    found = DPMSolver2S(terminal="keep").sample(ExactGaussian(1.0, 0.25), 1 + z * math.sqrt(0.25 + 6400), gamma, None)
    exact = 1 + z * math.sqrt(0.25 + 0.002**2)
    assert (found - exact).square().mean().sqrt().item() == pytest.approx(error, rel=0.05)


def test_it_is_the_algorithm_in_the_variance_preserving_state():
    """Lu et al. 2022b, algorithm 1 with r = 1/2, on a mixture and uneven levels."""
    gamma = torch.tensor([-6.0, -4.5, -2.0, -1.0, 1.5, 3.0], dtype=torch.float64)
    means = torch.tensor([-1.0, 1.5], dtype=torch.float64)[:, None, None]
    mixture = Mixture(torch.tensor([0.4, 0.6], dtype=torch.float64), means, torch.tensor([0.09, 0.04], dtype=torch.float64))

    def alpha(g):
        return torch.sigmoid(g).sqrt()

    def sigma(g):
        return torch.sigmoid(-g).sqrt()

    y = torch.linspace(-30, 30, 8, dtype=torch.float64)[:, None, None]
    z = alpha(gamma[0]) * y
    for here, there in zip(gamma[:-1], gamma[1:], strict=True):
        h, middle = (there - here) / 2, (here + there) / 2
        x = mixture(z / alpha(here), here)
        u = sigma(middle) / sigma(here) * z - alpha(middle) * torch.expm1(-h / 2) * x
        x_middle = mixture(u / alpha(middle), middle)
        d = (1 - 1 / (2 * 0.5)) * x + 1 / (2 * 0.5) * x_middle
        z = sigma(there) / sigma(here) * z - alpha(there) * torch.expm1(-h) * d
    found = DPMSolver2S(terminal="keep").sample(mixture, y, gamma, None)
    torch.testing.assert_close(alpha(gamma[-1]) * found, z, rtol=1e-12, atol=1e-12)


def test_one_step_is_refused():
    with pytest.raises(ValueError, match=r"DPMSolver2S\.steps must be at least 2, got 1"):
        DPMSolver2S(steps=1)
