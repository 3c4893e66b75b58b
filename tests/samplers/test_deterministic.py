"""Errors of the samplers without noise on a Gaussian, each by its own figure; their orders are in tests/test_conformance.py."""

import math

import pytest
import torch

from wxexp.diffusion.denoisers import ExactGaussian
from wxexp.interfaces import Sampler
from wxexp.levels import Karras
from wxexp.samplers import DPM2, LMS, DPMSolver2M, DPMSolver2S, DPMSolver3, DPMSolver3M, Euler, Heun

LEADING = [  # number of steps, then the relative error in steps h of ln s
    (Euler, 1280, lambda h: -h / 4),
    (Heun, 1280, lambda h: h**2 / 8),
    (DPM2, 1280, lambda h: h**2 / 16),
    (DPMSolver2S, 1280, lambda h: -(h**2) / 16),
    (DPMSolver2M, 1280, lambda h: h**2 / 16),
    (DPMSolver3, 640, lambda h: h**3 / 864),
    (DPMSolver3M, 640, lambda h: 0.0506 * h**4),  # superconvergence: the term of h^3 vanishes on a Gaussian
]
EDM = {
    Heun: {10: 8.6e-2, 20: 1.9e-2, 40: 4.6e-3, 80: 1.1e-3},
    DPM2: {10: 4.8e-2, 20: 1.1e-2, 40: 2.7e-3, 80: 6.5e-4},
    DPMSolver2S: {10: 3.2e-2, 20: 9.1e-3, 40: 2.4e-3, 80: 6.2e-4},
    DPMSolver2M: {10: 7.2e-2, 20: 2.2e-2, 40: 4.9e-3, 80: 1.2e-3},
    DPMSolver3M: {10: 5.3e-2, 20: 1.5e-2, 40: 1.1e-3, 80: 1.3e-4, 160: 1.6e-5},
    LMS: {20: 1.5e-2, 40: 1.8e-3, 80: 1.5e-4, 160: 1.1e-5},  # there with a start of order 1; it does not show, s_max is so large
}
FEWEST = [(Euler, 1), (DPM2, 2), (DPMSolver2S, 2), (DPMSolver2M, 2), (DPMSolver3, 3), (DPMSolver3M, 3), (LMS, 4)]


@pytest.mark.parametrize(("cls", "steps", "error"), LEADING, ids=lambda value: getattr(value, "__name__", None))
def test_the_leading_error(cls: type[Sampler], steps: int, error):
    """Of the amplification on N(0, 1) from s = 1000 to 0.001, equidistant in ln s."""
    h = math.log(1e6) / steps
    gamma = torch.linspace(-math.log(1e6), math.log(1e6), steps + 1, dtype=torch.float64)
    found = cls(terminal="keep").sample(ExactGaussian(0.0, 1.0), torch.ones(1, 1, 1, dtype=torch.float64), gamma, None)
    exact = math.sqrt((1 + 1e-6) / (1 + 1e6))
    assert found.item() / exact - 1 == pytest.approx(error(h), rel=0.01 if steps == 1280 else 0.05)


@pytest.mark.parametrize(("cls", "steps", "error"), [(cls, *pair) for cls, errors in EDM.items() for pair in errors.items()])
def test_errors_on_the_levels_of_edm(cls: type[Sampler], steps: int, error: float):
    """Measured independently with another implementation: RMS error at s_min on N(1, 0.5^2) from the exact law at s_max, two digits."""
    z = torch.special.ndtri((torch.arange(2000, dtype=torch.float64) + 0.5) / 2000)[:, None, None]
    start = 1 + z * math.sqrt(0.25 + 6400)
    found = cls(terminal="keep").sample(ExactGaussian(1.0, 0.25), start, Karras().gamma(steps + 1), None)
    exact = 1 + z * math.sqrt(0.25 + 0.002**2)
    assert (found - exact).square().mean().sqrt().item() == pytest.approx(error, rel=0.05)


@pytest.mark.parametrize(("cls", "fewest"), FEWEST)
def test_fewer_steps_are_refused(cls: type[Sampler], fewest: int):
    with pytest.raises(ValueError, match=rf"{cls.__name__}\.steps must be at least {fewest}, got {fewest - 1}$"):
        cls(steps=fewest - 1)
