"""Samplers that take their noise from a Brownian path, which is the same path at any number of steps."""

import math

import pytest
import torch
from laws import two_gaussians

from wxexp.diffusion.denoisers import ExactGaussian
from wxexp.diffusion.noise import DrawnNoise
from wxexp.fields.seeds import Draws
from wxexp.samplers import DPMSolver2M, DPMSolver2MSDE, DPMSolver3MSDE

SAMPLERS = [DPMSolver2MSDE, DPMSolver3MSDE]


class Impulses:
    """Brownian increments that are 1 in row i + 1 at step i and 0 else; it counts the draws."""

    def __init__(self, rows: int = 1) -> None:
        self.unit = torch.eye(rows, dtype=torch.float64)[:, :, None, None]
        self.drawn = 0

    def brownian(self, s0: float, s1: float) -> torch.Tensor:
        self.drawn += 1
        return self.unit[self.drawn]


def error(cls, steps: int) -> float:
    """Of the last state's standard deviation on N(1, 0.5^2), equidistant in ln s on [0.05, 5], from the exact law at the first level.

    Affine in state and noises, so unit impulses give it without sampling.
    """
    gamma = torch.linspace(-2 * math.log(5), -2 * math.log(0.05), steps + 1, dtype=torch.float64)
    start = torch.eye(len(gamma), 1, dtype=torch.float64)[:, :, None] * math.sqrt(0.25 + 25)
    found = cls(terminal="keep").sample(ExactGaussian(0.0, 0.25), start, gamma, Impulses(len(gamma)))
    return found.square().sum().sqrt().item() - math.sqrt(0.25 + 0.05**2)


@pytest.mark.parametrize(("steps", "expected"), [(80, 2.5e-4), (160, 6.4e-5)])
def test_error_of_2m(steps, expected):
    """Measured independently with another implementation, two digits: weak order 2."""
    assert error(DPMSolver2MSDE, steps) == pytest.approx(expected, rel=0.03)


def test_the_weak_order_of_3m_is_two():
    assert math.log2(error(DPMSolver3MSDE, 160) / error(DPMSolver3MSDE, 320)) == pytest.approx(2, abs=0.15)


@pytest.mark.parametrize("cls", SAMPLERS)
def test_members_do_not_depend_on_the_number_of_steps(cls):
    """One path of noise: the difference between 20 and 40 steps is small beside the spread of members from one prior."""
    noise = DrawnNoise(Draws.drawing(5, ["a"]).members(range(8)), (20,))
    y = torch.full((8, 20), 3.0, dtype=torch.float64)

    def members(steps: int) -> torch.Tensor:
        gamma = torch.linspace(-2 * math.log(5), -2 * math.log(0.05), steps + 1, dtype=torch.float64)
        return cls(terminal="keep").sample(ExactGaussian(1.0, 0.25), y, gamma, noise)

    few, many = members(20), members(40)
    assert many.std().item() == pytest.approx(0.5, rel=0.15)
    assert (many - few).square().mean().sqrt() < 0.1 * many.std()


@pytest.mark.parametrize("cls", SAMPLERS)
def test_without_eta_nothing_is_drawn(cls):
    noise, gamma = Impulses(), torch.linspace(-8, 8, 9, dtype=torch.float64)
    cls(eta=0.0).sample(ExactGaussian(0.0, 1.0), torch.ones(1, 1, 1, dtype=torch.float64), gamma, noise)
    assert noise.drawn == 0


def test_without_eta_2m_is_the_deterministic_one():
    gamma, y = DPMSolver2M().levels.gamma(12), torch.linspace(-80, 80, 8, dtype=torch.float64)[:, None, None]
    found = DPMSolver2MSDE(eta=0.0).sample(two_gaussians(), y, gamma, Impulses())
    torch.testing.assert_close(found, DPMSolver2M().sample(two_gaussians(), y, gamma, None), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("cls", SAMPLERS)
@pytest.mark.parametrize("eta", [-0.1, math.inf, math.nan])
def test_a_wrong_eta(cls, eta):
    with pytest.raises(ValueError, match=rf"{cls.__name__}\.eta must be at least 0 and finite, got {eta}"):
        cls(eta=eta)


def test_one_step_of_2m_is_refused():
    with pytest.raises(ValueError, match=r"DPMSolver2MSDE\.steps must be at least 2, got 1"):
        DPMSolver2MSDE(steps=1)
