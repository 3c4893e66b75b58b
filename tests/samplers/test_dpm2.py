import torch
from laws import UNEVEN, alpha, sigma, two_gaussians

from wxexp.diffusion.denoisers import ExactGaussian
from wxexp.samplers import DPM2

S, MU = 0.7, 0.3


def test_amplification_on_a_gaussian_to_rounding():
    """Each step multiplies y - mu by 1 + H k(m) (1 + (m - s) k(s)), H = s' - s, m = sqrt(s s'), k(s) = s / (S^2 + s^2)."""
    gamma = torch.rand(12, generator=torch.Generator().manual_seed(3), dtype=torch.float64).mul(20).sub(10).sort().values
    s = torch.exp(-gamma / 2)
    m = (s[1:] * s[:-1]).sqrt()
    s, k_s, k_m, step = s[:-1], s[:-1] / (S**2 + s[:-1] ** 2), m / (S**2 + m**2), s.diff()
    y = torch.tensor([[[5.0]], [[-2.0]]], dtype=torch.float64)
    found = DPM2(terminal="keep").sample(ExactGaussian(MU, S**2), y, gamma, None)
    factors = 1 + step * k_m * (1 + (m - s) * k_s)
    torch.testing.assert_close(found - MU, (y - MU) * factors.prod(), rtol=1e-12, atol=0)


def test_it_is_dpm_solver_2_in_the_variance_preserving_state():
    """Lu et al. 2022a, algorithm 1 with r1 = 1/2 (of the noise prediction), on a mixture and uneven levels."""
    gamma, mixture = UNEVEN, two_gaussians()

    def eps(z, g):
        return (z - alpha(g) * mixture(z / alpha(g), g)) / sigma(g)

    y = torch.linspace(-30, 30, 8, dtype=torch.float64)[:, None, None]
    z = alpha(gamma[0]) * y
    for here, there in zip(gamma[:-1], gamma[1:], strict=True):
        h, middle = (there - here) / 2, (here + there) / 2
        u = alpha(middle) / alpha(here) * z - sigma(middle) * torch.expm1(h / 2) * eps(z, here)
        z = alpha(there) / alpha(here) * z - sigma(there) * torch.expm1(h) * eps(u, middle)
    found = DPM2(terminal="keep").sample(mixture, y, gamma, None)
    torch.testing.assert_close(alpha(gamma[-1]) * found, z, rtol=1e-12, atol=1e-12)
