import math

import numpy as np
import torch
from laws import UNEVEN, alpha, sigma, two_gaussians
from scipy import special

from wxexp.diffusion.denoisers import ExactGaussian
from wxexp.interfaces import Sampler
from wxexp.levels import Karras
from wxexp.samplers import DPMSolver2M, Heun


def test_it_is_the_algorithm_in_the_variance_preserving_state():
    """Lu et al. 2022b, algorithm 2, with its lambda = gamma / 2 and state alpha y, on a mixture and uneven levels."""
    gamma, mixture = UNEVEN, two_gaussians()
    a, s, lam = alpha(gamma), sigma(gamma), gamma / 2
    y = torch.linspace(-30, 30, 8, dtype=torch.float64)[:, None, None]
    z, x = a[0] * y, []
    for i in range(1, 6):
        h = lam[i] - lam[i - 1]
        x.append(mixture(z / a[i - 1], gamma[i - 1]))
        d = x[-1]
        if i > 1:
            r = (lam[i - 1] - lam[i - 2]) / h
            d = (1 + 1 / (2 * r)) * x[-1] - 1 / (2 * r) * x[-2]
        z = s[i] / s[i - 1] * z - a[i] * torch.expm1(-h) * d
    found = DPMSolver2M(terminal="keep").sample(mixture, y, gamma, None)
    torch.testing.assert_close(a[-1] * found, z, rtol=1e-12, atol=1e-12)


def test_with_its_levels_16_evaluations_do_what_35_of_heun_do_on_those_of_edm():
    """Error of the standard deviation of a Gaussian, and of quantiles of a mixture, which the flow keeps: from the law at s = 80."""
    p = (np.arange(500) + 0.5) / 500

    def quantiles(s: float) -> np.ndarray:
        y = np.linspace(-3 - 5 * s, 3 + 5 * s, 400_001)
        law = 0.4 * special.ndtr((y + 1) / math.hypot(0.3, s)) + 0.6 * special.ndtr((y - 1.5) / math.hypot(0.2, s))
        return np.interp(p, law, y)

    mixture = two_gaussians()

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
