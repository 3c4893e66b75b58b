import math

import pytest
import torch

from wxexp.diffusion.denoisers import ExactGaussian, Mixture
from wxexp.diffusion.noise import DrawnNoise
from wxexp.fields.seeds import Draws
from wxexp.samplers import Heun

S, MU = 0.7, 0.3


class Counted:
    """Noise that counts what is drawn."""

    def __init__(self, value: float = 0.0) -> None:
        self.keys: list[tuple[int, ...]] = []
        self.value = value

    def at(self, *key: int) -> torch.Tensor:
        self.keys.append(key)
        return torch.tensor(self.value, dtype=torch.float64)


def test_amplification_on_a_gaussian_to_rounding():
    """Each step multiplies y - mu by 1 + H/2 (k(s) + k(s') (1 + H k(s))), H = s' - s, k(s) = s / (S^2 + s^2)."""
    gamma = torch.rand(12, generator=torch.Generator().manual_seed(3), dtype=torch.float64).mul(20).sub(10).sort().values
    s = torch.exp(-gamma / 2)
    k, step = s / (S**2 + s**2), s.diff()
    y = torch.tensor([[[5.0]], [[-2.0]]], dtype=torch.float64)
    found = Heun(terminal="keep").sample(ExactGaussian(MU, S**2), y, gamma, Counted())
    factors = 1 + step / 2 * (k[:-1] + k[1:] * (1 + step * k[:-1]))
    torch.testing.assert_close(found - MU, (y - MU) * factors.prod(), rtol=1e-12, atol=0)


def test_without_churn_nothing_is_drawn():
    noise = Counted()
    Heun().sample(ExactGaussian(MU, S**2), torch.ones(1, 1, 1, dtype=torch.float64), Heun().levels.gamma(18), noise)
    assert noise.keys == []


def test_churn_is_limited_to_its_levels():
    heun, noise = Heun(churn=10.0, churn_min=0.05, churn_max=50.0), Counted()
    gamma = heun.levels.gamma(18)
    heun.sample(ExactGaussian(MU, S**2), torch.ones(1, 1, 1, dtype=torch.float64), gamma, noise)
    s = torch.exp(-gamma / 2)
    assert noise.keys == [(i,) for i in range(18) if 0.05 <= s[i] <= 50.0]
    assert 0 < len(noise.keys) < 17


@pytest.mark.parametrize(("churn", "grown"), [(4.5, 1.25), (100.0, math.sqrt(2))])
def test_churn_adds_the_noise_between_the_levels(churn, grown):
    """s (1 + min(churn / steps, sqrt(2) - 1)) is reached by noise of variance s_hat^2 - s^2 times noise_scale^2."""
    seen = []

    def denoise(y, gamma):
        seen.append((y, torch.exp(-gamma / 2).item()))
        return y

    s = 2.0
    gamma = torch.tensor([-2 * math.log(s), 0.0], dtype=torch.float64)
    heun = Heun(steps=18, churn=churn, churn_max=2.5, churn_min=1.5, noise_scale=1.1)
    heun.sample(denoise, torch.ones(1, 1, 1, dtype=torch.float64), gamma, Counted(3.0))
    assert seen[0][1] == pytest.approx(s * grown, rel=1e-12)
    assert seen[0][0].item() == pytest.approx(1 + 3 * 1.1 * s * math.sqrt(grown**2 - 1), rel=1e-12)


def test_churn_keeps_the_law_of_a_gaussian():
    """Moments propagated exactly: the sampler is affine in state and noise on a Gaussian, so runs on unit impulses give the variance."""
    steps, heun = 80, Heun(steps=80, churn=20.0, terminal="keep")
    gamma = torch.linspace(-2 * math.log(5), -2 * math.log(0.05), steps, dtype=torch.float64)

    class Impulse:
        def __init__(self, step: int) -> None:
            self.step = step

        def at(self, step: int) -> torch.Tensor:
            return torch.tensor(float(step == self.step), dtype=torch.float64)

    def run(y: float, step: int) -> float:
        return heun.sample(ExactGaussian(0.0, 0.25), torch.full((1, 1, 1), y, dtype=torch.float64), gamma, Impulse(step)).item()

    of_start = run(1.0, -1) ** 2 * (0.25 + 25)
    of_noise = sum(run(0.0, step) ** 2 for step in range(steps))
    assert of_noise > 0.1 * of_start
    assert math.sqrt(of_start + of_noise) == pytest.approx(math.sqrt(0.25 + 0.05**2), rel=5e-3)


def test_a_member_is_the_same_alone_and_in_a_batch():
    draws = Draws.drawing(1, ["2020-01-01"]).members(range(5))
    means = torch.tensor([-1.0, 1.5], dtype=torch.float64)[:, None, None].expand(2, 1, 6)
    mixture = Mixture(torch.tensor([0.4, 0.6], dtype=torch.float64), means, torch.tensor([0.09, 0.04], dtype=torch.float64))
    heun = Heun(churn=10.0)
    gamma = heun.levels.gamma(heun.steps)

    def sample(draws: Draws) -> torch.Tensor:
        noise = DrawnNoise(draws, (1, 6))
        return heun.sample(mixture, 80 * noise.prior(), gamma, noise)

    whole = sample(draws)
    for i in range(5):
        torch.testing.assert_close(sample(Draws(draws.rows[i : i + 1]))[0], whole[i], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"steps": 1}, r"Heun\.steps must be at least 2, got 1"),
        ({"churn": -1.0}, r"Heun\.churn must be at least 0, got -1\.0"),
        ({"churn_min": 2.0, "churn_max": 1.0}, r"Heun\.churn_max must be at least churn_min = 2\.0, got 1\.0"),
    ],
)
def test_wrong_values(wrong, message):
    with pytest.raises(ValueError, match=message):
        Heun(**wrong)
