import math

import torch

from wxexp.diffusion.denoisers import ExactGaussian, Mixture
from wxexp.samplers import Euler

S, MU = 0.7, 0.3
GAUSSIAN = ExactGaussian(MU, S**2)


def levels(n: int, s_max: float = 1e3, s_min: float = 1e-3) -> torch.Tensor:
    """n steps equidistant in ln s."""
    return torch.linspace(-2 * math.log(s_max), -2 * math.log(s_min), n + 1, dtype=torch.float64)


def test_amplification_on_a_gaussian_to_rounding():
    """Each step multiplies y - mu by (S^2 + s s') / (S^2 + s^2), for any levels."""
    gamma = torch.rand(12, generator=torch.Generator().manual_seed(3), dtype=torch.float64).mul(20).sub(10).sort().values
    s = torch.exp(-gamma / 2)
    y = torch.tensor([[[5.0]], [[-2.0]]], dtype=torch.float64)
    found = Euler(terminal="keep").sample(GAUSSIAN, y, gamma, None)
    factors = (S**2 + s[:-1] * s[1:]) / (S**2 + s[:-1] ** 2)
    torch.testing.assert_close(found - MU, (y - MU) * factors.prod(), rtol=1e-12, atol=0)


def test_it_is_ddim():
    """Song, Meng and Ermon 2021, equation 12 with eta = 0, in the variance-preserving state z = alpha y."""
    gamma = levels(9, 20.0, 0.05)
    alpha, sigma = torch.sigmoid(gamma).sqrt(), torch.sigmoid(-gamma).sqrt()
    means, half = torch.tensor([-1.0, 1.5], dtype=torch.float64)[:, None, None], torch.full((2,), 0.5, dtype=torch.float64)
    mixture = Mixture(half, means, torch.tensor([0.09, 0.04], dtype=torch.float64))
    y = torch.linspace(-30, 30, 8, dtype=torch.float64)[:, None, None]
    z = alpha[0] * y
    for i in range(9):
        x = mixture(z / alpha[i], gamma[i])
        eps = (z - alpha[i] * x) / sigma[i]
        z = alpha[i + 1] * x + sigma[i + 1] * eps
    found = Euler(terminal="keep").sample(mixture, y, gamma, None)
    torch.testing.assert_close(alpha[-1] * found, z, rtol=1e-12, atol=1e-12)


def test_one_step_is_the_mean():
    y = torch.full((2, 1, 1), 80.0, dtype=torch.float64)
    euler = Euler(steps=1)
    found = euler.sample(GAUSSIAN, y, euler.levels.gamma(1), None)
    torch.testing.assert_close(found, (S**2 * y + 6400 * MU) / (S**2 + 6400), rtol=1e-13, atol=0)
