import torch
from laws import UNEVEN, alpha, sigma, two_gaussians

from wxexp.diffusion.denoisers import ExactGaussian
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


def test_it_is_the_algorithm_in_the_variance_preserving_state():
    """Lu et al. 2022b, algorithm 1 with r = 1/2, on a mixture and uneven levels."""
    gamma, mixture = UNEVEN, two_gaussians()

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
