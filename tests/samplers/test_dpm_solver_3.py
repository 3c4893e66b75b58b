import torch
from laws import UNEVEN, alpha, sigma, two_gaussians

from wxexp.samplers import DPMSolver3


def test_it_is_the_algorithm_in_the_variance_preserving_state():
    """Lu et al. 2022a, algorithm 2 with r1 = 1/3 and r2 = 2/3, whose lambda is gamma / 2, on a mixture and uneven levels."""
    gamma, mixture = UNEVEN, two_gaussians()

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
