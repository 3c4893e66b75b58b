import math

import pytest
import torch

from wxexp.diffusion.denoisers import ExactGaussian, Mixture
from wxexp.samplers import DPMSolver3


def test_the_leading_error_is_the_step_cubed_over_864():
    n, h = 640, math.log(1e6) / 640
    gamma = torch.linspace(-math.log(1e6), math.log(1e6), n + 1, dtype=torch.float64)
    found = DPMSolver3(terminal="keep").sample(ExactGaussian(0.0, 1.0), torch.ones(1, 1, 1, dtype=torch.float64), gamma, None)
    exact = math.sqrt((1 + 1e-6) / (1 + 1e6))
    assert found.item() / exact - 1 == pytest.approx(h**3 / 864, rel=0.05)


def test_it_is_the_algorithm_in_the_variance_preserving_state():
    """Lu et al. 2022a, algorithm 2 with r1 = 1/3 and r2 = 2/3, whose lambda is gamma / 2, on a mixture and uneven levels."""
    gamma = torch.tensor([-6.0, -4.5, -2.0, -1.0, 1.5, 3.0], dtype=torch.float64)
    means = torch.tensor([-1.0, 1.5], dtype=torch.float64)[:, None, None]
    mixture = Mixture(torch.tensor([0.4, 0.6], dtype=torch.float64), means, torch.tensor([0.09, 0.04], dtype=torch.float64))

    def alpha(g):
        return torch.sigmoid(g).sqrt()

    def sigma(g):
        return torch.sigmoid(-g).sqrt()

    def eps(z, g):
        return (z - alpha(g) * mixture(z / alpha(g), g)) / sigma(g)

    y = torch.linspace(-30, 30, 8, dtype=torch.float64)[:, None, None]
    z, r1, r2 = alpha(gamma[0]) * y, 1 / 3, 2 / 3
    for t0, t1 in zip(gamma[:-1], gamma[1:], strict=True):
        h = (t1 - t0) / 2
        s1, s2 = t0 + 2 * r1 * h, t0 + 2 * r2 * h
        e = eps(z, t0)
        u1 = alpha(s1) / alpha(t0) * z - sigma(s1) * torch.expm1(r1 * h) * e
        d1 = eps(u1, s1) - e
        u2 = alpha(s2) / alpha(t0) * z - sigma(s2) * torch.expm1(r2 * h) * e
        u2 = u2 - sigma(s2) * r2 / r1 * (torch.expm1(r2 * h) / (r2 * h) - 1) * d1
        d2 = eps(u2, s2) - e
        z = alpha(t1) / alpha(t0) * z - sigma(t1) * torch.expm1(h) * e - sigma(t1) / r2 * (torch.expm1(h) / h - 1) * d2
    found = DPMSolver3(terminal="keep").sample(mixture, y, gamma, None)
    torch.testing.assert_close(alpha(gamma[-1]) * found, z, rtol=1e-11, atol=1e-11)


def test_two_steps_are_refused():
    with pytest.raises(ValueError, match=r"DPMSolver3\.steps must be at least 3, got 2"):
        DPMSolver3(steps=2)
