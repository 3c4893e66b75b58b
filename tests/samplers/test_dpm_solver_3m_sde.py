import math

import pytest
import torch

from wxexp.diffusion.denoisers import ExactGaussian
from wxexp.diffusion.noise import DrawnNoise
from wxexp.fields.seeds import Draws
from wxexp.samplers import DPMSolver3MSDE


class Impulses:
    """Brownian increments that are 1 in row i + 1 at step i and 0 else."""

    def __init__(self, rows: int = 1) -> None:
        self.unit = torch.eye(rows, dtype=torch.float64)[:, :, None, None]
        self.drawn = 0

    def brownian(self, s0: float, s1: float) -> torch.Tensor:
        self.drawn += 1
        return self.unit[self.drawn]


def test_the_weak_order_is_two():
    """Of the standard deviation on N(1, 0.5^2), equidistant in ln s on [0.05, 5], from the exact law: unit impulses give the moments."""
    errors = []
    for steps in (160, 320):
        gamma = torch.linspace(-2 * math.log(5), -2 * math.log(0.05), steps + 1, dtype=torch.float64)
        start = torch.eye(len(gamma), 1, dtype=torch.float64)[:, :, None] * math.sqrt(0.25 + 25)
        found = DPMSolver3MSDE(terminal="keep").sample(ExactGaussian(0.0, 0.25), start, gamma, Impulses(len(gamma)))
        errors.append(found.square().sum().sqrt().item() - math.sqrt(0.25 + 0.05**2))
    assert math.log2(errors[0] / errors[1]) == pytest.approx(2, abs=0.15)


@pytest.mark.parametrize(
    ("eta", "special"),
    [(0.0, lambda ln: ln**2 - 2 * ln + 2), (1.0, lambda ln: ln**2 - ln + 0.5), (0.5, lambda ln: ln**2 - 2 * ln / 1.5 + 2 / 1.5**2)],
)
def test_an_estimate_quadratic_in_ln_s_is_integrated_exactly(eta, special):
    """The mean of dy/dl = (1 + eta) (D - y), D = l^2, l = -ln s, is a quadratic and c exp(-(1 + eta) l); from the third step on."""
    gamma = torch.tensor([-12.0, -8.0, -5.0, -1.0, 0.0, 3.0, 3.5, 7.0], dtype=torch.float64)
    y = torch.full((1, 1, 1), 2.0, dtype=torch.float64)

    class Silent:
        def brownian(self, s0: float, s1: float) -> torch.Tensor:
            return torch.zeros(1, 1, 1, dtype=torch.float64)

    def run(gamma: torch.Tensor) -> float:
        return DPMSolver3MSDE(terminal="keep", eta=eta).sample(lambda y, g: (g / 2) ** 2 + 0 * y, y, gamma, Silent()).item()

    started = run(gamma[:3]) - special(-2.5)
    assert run(gamma) == pytest.approx(special(3.5) + started * math.exp(-(1 + eta) * 6.0), rel=1e-12)


def test_without_eta_nothing_is_drawn():
    noise, gamma = Impulses(), torch.linspace(-8, 8, 9, dtype=torch.float64)
    DPMSolver3MSDE(eta=0.0).sample(ExactGaussian(0.0, 1.0), torch.ones(1, 1, 1, dtype=torch.float64), gamma, noise)
    assert noise.drawn == 0


def test_members_do_not_depend_on_the_number_of_steps():
    """One path of noise: the difference between 20 and 40 steps is small beside the spread of members from one prior."""
    noise = DrawnNoise(Draws.drawing(5, ["a"]).members(range(8)), (20,))

    def members(steps: int) -> torch.Tensor:
        gamma = torch.linspace(-2 * math.log(5), -2 * math.log(0.05), steps + 1, dtype=torch.float64)
        return DPMSolver3MSDE(terminal="keep").sample(ExactGaussian(1.0, 0.25), torch.full((8, 20), 3.0, dtype=torch.float64), gamma, noise)

    few, many = members(20), members(40)
    assert many.std().item() == pytest.approx(0.5, rel=0.15)
    assert (many - few).square().mean().sqrt() < 0.1 * many.std()


@pytest.mark.parametrize("eta", [-0.1, math.inf, math.nan])
def test_a_wrong_eta(eta):
    with pytest.raises(ValueError, match=rf"DPMSolver3MSDE\.eta must be at least 0 and finite, got {eta}"):
        DPMSolver3MSDE(eta=eta)
