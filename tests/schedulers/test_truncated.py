import math

import numpy as np
import pytest
import torch
from scipy import stats

from wxexp.schedulers import Adaptive, Cosine, Linear, LogNormal, Truncated


def test_a_truncated_normal_is_that_of_scipy():
    scheduler = Truncated(scheduler=LogNormal(mean=-1.2, std=1.2), gamma_min=-3.0, gamma_max=4.0)
    oracle = stats.truncnorm((-3 - 2.4) / 2.4, (4 - 2.4) / 2.4, loc=2.4, scale=2.4)
    gamma = torch.linspace(-3, 4, 15, dtype=torch.float64)
    np.testing.assert_allclose(scheduler.log_density(gamma), oracle.logpdf(gamma), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(scheduler.time(gamma), oracle.sf(gamma), rtol=0, atol=1e-14)


@pytest.mark.parametrize("base", [LogNormal(), Cosine(shift=1.0), Linear(gamma_min=-20.0, gamma_max=20.0)], ids=lambda x: type(x).__name__)
def test_the_ends_are_those_asked_for(base):
    gamma = Truncated(scheduler=base).gamma(torch.tensor([0.0, 1.0], dtype=torch.float64))
    torch.testing.assert_close(gamma.tolist(), [10.0, -10.0], rtol=0, atol=1e-8)


def test_none_leaves_an_end_open():
    scheduler = Truncated(scheduler=LogNormal(mean=0.0, std=0.5), gamma_min=0.0, gamma_max=None)
    assert scheduler.range == (0.0, math.inf)
    gamma = torch.tensor([-0.1, 0.5, 3.0], dtype=torch.float64)
    np.testing.assert_allclose(scheduler.log_density(gamma), stats.halfnorm.logpdf(gamma), rtol=1e-12)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"gamma_min": 10.0}, r"Truncated\.gamma_min must be below gamma_max = 10\.0, got 10\.0"),
        (
            {"scheduler": Linear(), "gamma_min": -11.0},
            r"Truncated\.gamma_min must be in the range \[-10, 10\] of its scheduler, got -11\.0",
        ),
        ({"scheduler": Adaptive()}, r"Truncated\.scheduler must be a scheduler without state, got Adaptive"),
    ],
)
def test_wrong_values(wrong, message):
    with pytest.raises(ValueError, match=message):
        Truncated(**wrong)
