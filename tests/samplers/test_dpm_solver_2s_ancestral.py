import math

import pytest
import torch

from wxexp.diffusion.denoisers import ExactGaussian, Mixture
from wxexp.levels import Karras
from wxexp.samplers import DPMSolver2S, DPMSolver2SAncestral


class Impulses:
    """Noise that is 1 in row i + 1 at step i and 0 else; it counts the draws."""

    def __init__(self, rows: int = 1) -> None:
        self.unit = torch.eye(rows, dtype=torch.float64)[:, :, None, None]
        self.drawn = 0

    def at(self, step: int) -> torch.Tensor:
        self.drawn += 1
        return self.unit[step + 1]


def std(steps: int) -> float:
    """Of the last state on N(1, 0.5^2), equidistant in ln s on [0.05, 5], from the exact law at the first level.

    Affine in state and noises, so unit impulses give it without sampling.
    """
    gamma = torch.linspace(-2 * math.log(5), -2 * math.log(0.05), steps + 1, dtype=torch.float64)
    start = torch.eye(len(gamma), 1, dtype=torch.float64)[:, :, None] * math.sqrt(0.25 + 25)
    found = DPMSolver2SAncestral(terminal="keep").sample(ExactGaussian(0.0, 0.25), start, gamma, Impulses(len(gamma)))
    return found.square().sum().sqrt().item()


@pytest.mark.parametrize(("steps", "error"), [(80, -4.0e-4), (160, -1.0e-4)])
def test_error_of_the_standard_deviation(steps, error):
    """Measured independently with another implementation, two digits."""
    assert std(steps) - math.sqrt(0.25 + 0.05**2) == pytest.approx(error, rel=0.05)


def test_the_weak_order_is_two():
    errors = [std(steps) - math.sqrt(0.25 + 0.05**2) for steps in (80, 160)]
    assert math.log2(errors[0] / errors[1]) == pytest.approx(2, abs=0.15)


def test_without_eta_it_is_2s_and_draws_nothing():
    means = torch.tensor([-1.0, 1.5], dtype=torch.float64)[:, None, None]
    mixture = Mixture(torch.tensor([0.4, 0.6], dtype=torch.float64), means, torch.tensor([0.09, 0.04], dtype=torch.float64))
    gamma, noise = Karras().gamma(12), Impulses()
    y = torch.linspace(-80, 80, 8, dtype=torch.float64)[:, None, None]
    found = DPMSolver2SAncestral(eta=0.0).sample(mixture, y, gamma, noise)
    torch.testing.assert_close(found, DPMSolver2S().sample(mixture, y, gamma, noise), rtol=1e-12, atol=1e-12)
    assert noise.drawn == 0


@pytest.mark.parametrize("eta", [-0.1, 1.5, math.nan])
def test_eta_is_a_share(eta):
    with pytest.raises(ValueError, match=rf"DPMSolver2SAncestral\.eta must be in \[0, 1\], got {eta}"):
        DPMSolver2SAncestral(eta=eta)
