import math

import pytest
import torch

from wxexp.diffusion.denoisers import ExactGaussian
from wxexp.levels import Karras
from wxexp.samplers import DPMSolver3M


@pytest.mark.parametrize(("steps", "error"), [(10, 5.3e-2), (20, 1.5e-2), (40, 1.1e-3), (80, 1.3e-4), (160, 1.6e-5)])
def test_errors_on_the_levels_of_edm(steps, error):
    """Measured independently with another implementation: RMS error at s_min on N(1, 0.5^2) from the exact law at s_max, two digits."""
    gamma = Karras().gamma(steps + 1)
    z = torch.special.ndtri((torch.arange(2000, dtype=torch.float64) + 0.5) / 2000)[:, None, None]
    found = DPMSolver3M(terminal="keep").sample(ExactGaussian(1.0, 0.25), 1 + z * math.sqrt(0.25 + 6400), gamma, None)
    exact = 1 + z * math.sqrt(0.25 + 0.002**2)
    assert (found - exact).square().mean().sqrt().item() == pytest.approx(error, rel=0.05)


def test_it_superconverges_on_a_gaussian():
    """The term of h^3 vanishes there, and 0.0506 h^4 is left."""
    n, h = 640, math.log(1e6) / 640
    gamma = torch.linspace(-math.log(1e6), math.log(1e6), n + 1, dtype=torch.float64)
    found = DPMSolver3M(terminal="keep").sample(ExactGaussian(0.0, 1.0), torch.ones(1, 1, 1, dtype=torch.float64), gamma, None)
    exact = math.sqrt((1 + 1e-6) / (1 + 1e6))
    assert found.item() / exact - 1 == pytest.approx(0.0506 * h**4, rel=0.05)


def test_an_estimate_quadratic_in_ln_s_is_integrated_exactly():
    """dy/dl = D - y with D = l^2, l = -ln s, has y = l^2 - 2 l + 2 + c exp(-l); exact from the third step on, on uneven levels."""
    gamma = torch.tensor([-12.0, -8.0, -5.0, -1.0, 0.0, 3.0, 3.5, 7.0], dtype=torch.float64)
    sampler, y = DPMSolver3M(terminal="keep"), torch.full((1, 1, 1), 2.0, dtype=torch.float64)

    def run(gamma: torch.Tensor) -> float:
        return sampler.sample(lambda y, g: (g / 2) ** 2 + 0 * y, y, gamma, None).item()

    def special(g: torch.Tensor) -> float:
        return ((g / 2) ** 2 - g + 2).item()

    started = run(gamma[:3]) - special(gamma[2])
    assert run(gamma) == pytest.approx(special(gamma[-1]) + started * math.exp(-(7.0 + 5.0) / 2), rel=1e-12)


def test_two_steps_are_refused():
    with pytest.raises(ValueError, match=r"DPMSolver3M\.steps must be at least 3, got 2"):
        DPMSolver3M(steps=2)
