import math

import numpy as np
import pytest
import torch

from wxexp.schedulers import Cosine, Iddpm


def levels(scheduler: Iddpm) -> np.ndarray:
    """u_0 ... u_(steps - 1), noisy to clean."""
    t = torch.linspace(1, 0, scheduler.steps, dtype=torch.float64)
    return torch.exp(-scheduler.gamma(t) / 2).numpy()


def test_levels_of_the_paper():
    """Karras et al. (2022), table 1: u_8 = 80.204 is the first that is used for data in [-1, 1], u_999 = 0.006425 the last."""
    u = levels(Iddpm())
    np.testing.assert_allclose(u[[8, 999]], [80.204, 0.006425], rtol=1e-4)


def test_the_product_of_ratios_telescopes():
    """1 + u_j^2 = abar_1000 / abar_j wherever c_1 limits nothing: from j = 1 on."""
    j = np.arange(1, 1000)
    abar = lambda j: np.sin(np.pi * j / 2016) ** 2  # noqa: E731
    np.testing.assert_allclose(levels(Iddpm())[1:], np.sqrt(abar(1000) / abar(j) - 1), rtol=1e-9)
    assert levels(Iddpm())[0] == pytest.approx(math.sqrt(abar(1000) / abar(1) / 0.001 - 1), rel=1e-9)


def test_between_the_ends_it_is_the_cosine_schedule():
    """To 2 % of the density between s = 0.1 and 10, as c_2 is small."""
    gamma = torch.linspace(-4.6, 4.6, 50, dtype=torch.float64)
    ratio = (Iddpm().log_density(gamma) - Cosine().log_density(gamma)).exp()
    torch.testing.assert_close(ratio, torch.ones_like(gamma), rtol=0, atol=0.02)


def test_every_interval_has_the_same_share():
    gamma = Iddpm().gamma(torch.linspace(0, 1, 1000, dtype=torch.float64))
    middle = (gamma[1:] + gamma[:-1]) / 2
    share = Iddpm().log_density(middle).exp() * -gamma.diff()
    torch.testing.assert_close(share, torch.full_like(share, 1 / 999), rtol=1e-9, atol=0)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"steps": 1}, r"Iddpm\.steps must be at least 2, got 1"),
        ({"c_1": 1.0}, r"Iddpm\.c_1 must be in \(0, 1\), got 1\.0"),
        ({"c_2": 0.0}, r"Iddpm\.c_2 must be positive, got 0\.0"),
    ],
)
def test_wrong_values(wrong, message):
    with pytest.raises(ValueError, match=message):
        Iddpm(**wrong)
