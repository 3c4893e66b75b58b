import math

import pytest
import torch

from wxexp.diffusion.denoisers import ExactGaussian, Mixture
from wxexp.samplers import EulerAncestral

S, MU = 0.7, 0.3


class Impulses:
    """Noise that is 1 in row i + 1 at step i and 0 else; it counts the draws."""

    def __init__(self, rows: int = 1) -> None:
        self.unit = torch.eye(rows, dtype=torch.float64)[:, :, None, None]
        self.drawn = 0

    def at(self, step: int) -> torch.Tensor:
        self.drawn += 1
        return self.unit[step + 1] if step + 1 < len(self.unit) else 0 * self.unit[0]


def std(sampler: EulerAncestral, variance: float, gamma: torch.Tensor) -> float:
    """Of the last state, from the exact law at the first level: affine in state and noises, so unit impulses give it without sampling."""
    start = torch.eye(len(gamma), 1, dtype=torch.float64)[:, :, None] * math.sqrt(variance + math.exp(-gamma[0].item()))
    return sampler.sample(ExactGaussian(0.0, variance), start, gamma, Impulses(len(gamma))).square().sum().sqrt().item()


@pytest.mark.parametrize("steps", range(1, 51))
def test_the_mean_is_exact_for_any_number_of_steps(steps):
    """An offset at s_0 ends as (S^2 + s_N^2) / (S^2 + s_0^2) of it."""
    gamma = torch.linspace(-2 * math.log(5), -2 * math.log(0.05), steps + 1, dtype=torch.float64)
    y = torch.tensor([[[5.0]], [[-2.0]]], dtype=torch.float64)
    found = EulerAncestral(terminal="keep").sample(ExactGaussian(MU, S**2), y, gamma, Impulses())
    torch.testing.assert_close(found - MU, (y - MU) * (S**2 + 0.05**2) / (S**2 + 5**2), rtol=1e-12, atol=0)


def test_the_leading_error_of_the_standard_deviation_is_minus_half_a_step():
    steps, h = 400, math.log(1e4) / 400
    gamma = torch.linspace(-math.log(1e4), math.log(1e4), steps + 1, dtype=torch.float64)
    assert std(EulerAncestral(terminal="keep"), 1.0, gamma) / math.sqrt(1 + 1e-4) - 1 == pytest.approx(-h / 2, rel=0.02)


@pytest.fixture
def mixture() -> Mixture:
    means = torch.tensor([-1.0, 1.5], dtype=torch.float64)[:, None, None]
    return Mixture(torch.tensor([0.4, 0.6], dtype=torch.float64), means, torch.tensor([0.09, 0.04], dtype=torch.float64))


def test_it_is_ddpm(mixture):
    """Ho et al. 2020, equations 6 and 7, in the variance-preserving state: abar = alpha^2, beta = 1 - abar / abar_before."""
    gamma = torch.tensor([-6.0, -4.5, -2.0, -1.0, 1.5, 3.0], dtype=torch.float64)
    abar = torch.sigmoid(gamma)
    y = torch.linspace(-30, 30, 8, dtype=torch.float64)[:, None, None]
    fields = torch.randn(5, 8, 1, 1, generator=torch.Generator().manual_seed(1), dtype=torch.float64)

    class Fixed:
        def at(self, step: int) -> torch.Tensor:
            return fields[step]

    z = abar[0].sqrt() * y
    for i in range(5):
        now, clean = abar[i], abar[i + 1]
        beta = 1 - now / clean
        x = mixture(z / now.sqrt(), gamma[i])
        mean = clean.sqrt() * beta / (1 - now) * x + (1 - beta).sqrt() * (1 - clean) / (1 - now) * z
        z = mean + ((1 - clean) / (1 - now) * beta).sqrt() * fields[i]
    found = EulerAncestral(terminal="keep").sample(mixture, y, gamma, Fixed())
    torch.testing.assert_close(abar[-1].sqrt() * found, z, rtol=1e-11, atol=1e-11)
