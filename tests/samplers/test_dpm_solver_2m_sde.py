import math

import pytest
import torch

from wxexp.diffusion.denoisers import ExactGaussian, Mixture
from wxexp.diffusion.noise import DrawnNoise
from wxexp.fields.seeds import Draws
from wxexp.samplers import DPMSolver2M, DPMSolver2MSDE


class Impulses:
    """Brownian increments that are 1 in row i + 1 at step i and 0 else."""

    def __init__(self, rows: int = 1) -> None:
        self.unit = torch.eye(rows, dtype=torch.float64)[:, :, None, None]
        self.drawn = 0

    def brownian(self, s0: float, s1: float) -> torch.Tensor:
        self.drawn += 1
        return self.unit[self.drawn]


def std(sampler: DPMSolver2MSDE, variance: float, gamma: torch.Tensor) -> float:
    """Of the last state, from the exact law at the first level: affine in state and noises, so unit impulses give it without sampling."""
    start = torch.eye(len(gamma), 1, dtype=torch.float64)[:, :, None] * math.sqrt(variance + math.exp(-gamma[0].item()))
    return sampler.sample(ExactGaussian(0.0, variance), start, gamma, Impulses(len(gamma))).square().sum().sqrt().item()


@pytest.mark.parametrize(("steps", "error"), [(80, 2.5e-4), (160, 6.4e-5)])
def test_error_of_the_standard_deviation(steps, error):
    """Measured independently with another implementation on N(1, 0.5^2), equidistant in ln s on [0.05, 5], two digits: weak order 2."""
    gamma = torch.linspace(-2 * math.log(5), -2 * math.log(0.05), steps + 1, dtype=torch.float64)
    assert std(DPMSolver2MSDE(terminal="keep"), 0.25, gamma) - math.sqrt(0.25 + 0.05**2) == pytest.approx(error, rel=0.03)


def test_without_eta_it_is_2m_and_draws_nothing():
    means = torch.tensor([-1.0, 1.5], dtype=torch.float64)[:, None, None]
    mixture = Mixture(torch.tensor([0.4, 0.6], dtype=torch.float64), means, torch.tensor([0.09, 0.04], dtype=torch.float64))
    gamma, noise = DPMSolver2M().levels.gamma(12), Impulses()
    y = torch.linspace(-80, 80, 8, dtype=torch.float64)[:, None, None]
    found = DPMSolver2MSDE(eta=0.0).sample(mixture, y, gamma, noise)
    torch.testing.assert_close(found, DPMSolver2M().sample(mixture, y, gamma, noise), rtol=1e-12, atol=1e-12)
    assert noise.drawn == 0


def test_members_do_not_depend_on_the_number_of_steps():
    """One path of noise: the difference between 20 and 40 steps is small beside the spread of members from one prior."""
    noise = DrawnNoise(Draws.drawing(5, ["a"]).members(range(8)), (20,))
    y = torch.full((8, 20), 3.0, dtype=torch.float64)

    def members(steps: int) -> torch.Tensor:
        gamma = torch.linspace(-2 * math.log(5), -2 * math.log(0.05), steps + 1, dtype=torch.float64)
        return DPMSolver2MSDE(terminal="keep").sample(ExactGaussian(1.0, 0.25), y, gamma, noise)

    few, many = members(20), members(40)
    assert many.std().item() == pytest.approx(0.5, rel=0.15)
    assert (many - few).square().mean().sqrt() < 0.1 * many.std()


@pytest.mark.parametrize("eta", [-0.1, math.inf, math.nan])
def test_a_wrong_eta(eta):
    with pytest.raises(ValueError, match=rf"DPMSolver2MSDE\.eta must be at least 0 and finite, got {eta}"):
        DPMSolver2MSDE(eta=eta)


def test_one_step_is_refused():
    with pytest.raises(ValueError, match=r"DPMSolver2MSDE\.steps must be at least 2, got 1"):
        DPMSolver2MSDE(steps=1)
