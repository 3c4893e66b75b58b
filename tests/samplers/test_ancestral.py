import math

import pytest
import torch

from wxexp.diffusion.denoisers import ExactGaussian, Mixture
from wxexp.levels import Karras
from wxexp.samplers import DPM2, DPM2Ancestral, DPMSolver2S, DPMSolver2SAncestral, Euler, EulerAncestral
from wxexp.samplers.ancestral import Ancestral, parts

TWINS = [(EulerAncestral, Euler), (DPM2Ancestral, DPM2), (DPMSolver2SAncestral, DPMSolver2S)]
ERRORS = [  # with 80 and 160 steps
    (EulerAncestral, (-1.4e-2, -7.1e-3)),
    (DPM2Ancestral, (4.2e-4, 1.0e-4)),
    (DPMSolver2SAncestral, (-4.0e-4, -1.0e-4)),
]


class Impulses:
    """Noise that is 1 in row i + 1 at step i and 0 else; it counts the draws."""

    def __init__(self, rows: int = 1) -> None:
        self.unit = torch.eye(rows, dtype=torch.float64)[:, :, None, None]
        self.drawn = 0

    def at(self, step: int) -> torch.Tensor:
        self.drawn += 1
        return self.unit[step + 1]


def error(cls: type[Ancestral], steps: int) -> float:
    """Of the last state's standard deviation on N(1, 0.5^2), equidistant in ln s on [0.05, 5], from the exact law at the first level.

    Affine in state and noises, so unit impulses give it without sampling.
    """
    gamma = torch.linspace(-2 * math.log(5), -2 * math.log(0.05), steps + 1, dtype=torch.float64)
    start = torch.eye(len(gamma), 1, dtype=torch.float64)[:, :, None] * math.sqrt(0.25 + 25)
    found = cls(terminal="keep").sample(ExactGaussian(0.0, 0.25), start, gamma, Impulses(len(gamma)))
    return found.square().sum().sqrt().item() - math.sqrt(0.25 + 0.05**2)


def test_a_step_in_two_parts_keeps_the_variance_of_the_level():
    """Down to s_down and noise s_up: s_down^2 + s_up^2 = s'^2; with eta = 1 s_down = s'^2 / s, with eta = 0 nothing is drawn."""
    s, s_next = 5.0, 2.0
    h = math.log(s / s_next)
    for eta in (0.0, 0.4, 1.0):
        down, up = parts(h, s_next, eta)
        assert (s * math.exp(-down)) ** 2 + up**2 == pytest.approx(s_next**2, rel=1e-14)
    assert s * math.exp(-down) == pytest.approx(0.8, rel=1e-14)
    assert parts(h, s_next, 0.0) == (h, 0.0)


@pytest.mark.parametrize(("h", "eta", "down"), [(20.0, 1.0, 40.0), (18.0, 1.0, 36.0), (20.0, 0.6, 20 - math.log(0.8))])
def test_a_step_over_all_levels_at_once(h, eta, down):
    """Such as of two levels 40 apart in log-SNR: s_up = eta s' to rounding, and s_down = s' sqrt(1 - eta^2), or s'^2 / s with eta = 1."""
    assert parts(h, 2.0, eta) == (pytest.approx(down, rel=1e-14), pytest.approx(2 * eta, rel=1e-14))


@pytest.mark.parametrize(("cls", "expected"), ERRORS)
def test_error_of_the_standard_deviation(cls, expected):
    """Measured independently with another implementation, two digits; and the weak order that they show."""
    found = [error(cls, steps) for steps in (80, 160)]
    assert found == pytest.approx(list(expected), rel=0.05)
    assert math.log2(found[0] / found[1]) == pytest.approx(cls.order, abs=0.15)


@pytest.mark.parametrize(("cls", "twin"), TWINS)
def test_without_eta_it_is_the_deterministic_solver_and_draws_nothing(cls, twin):
    means = torch.tensor([-1.0, 1.5], dtype=torch.float64)[:, None, None]
    mixture = Mixture(torch.tensor([0.4, 0.6], dtype=torch.float64), means, torch.tensor([0.09, 0.04], dtype=torch.float64))
    gamma, noise = Karras().gamma(12), Impulses()
    y = torch.linspace(-80, 80, 8, dtype=torch.float64)[:, None, None]
    found = cls(eta=0.0).sample(mixture, y, gamma, noise)
    torch.testing.assert_close(found, twin().sample(mixture, y, gamma, noise), rtol=1e-12, atol=1e-12)
    assert noise.drawn == 0


@pytest.mark.parametrize("cls", [cls for cls, _ in TWINS])
@pytest.mark.parametrize("eta", [-0.1, 1.5, math.nan])
def test_eta_is_a_share(cls, eta):
    with pytest.raises(ValueError, match=rf"{cls.__name__}\.eta must be in \[0, 1\], got {eta}"):
        cls(eta=eta)
