import math

import pytest
import torch

from wxexp.schedulers import Linear


def test_ends_and_middle():
    gamma = Linear(gamma_min=-20.0, gamma_max=15.0).gamma(torch.tensor([0.0, 0.2, 1.0], dtype=torch.float64))
    torch.testing.assert_close(gamma.tolist(), [15.0, 8.0, -20.0], rtol=0, atol=1e-14)


def test_nothing_is_outside():
    scheduler, outside = Linear(), torch.tensor([-11.0, 11.0], dtype=torch.float64)
    assert scheduler.log_density(outside).tolist() == [-math.inf, -math.inf]
    assert scheduler.time(outside).tolist() == [1.0, 0.0]


def test_the_range_must_be_one():
    with pytest.raises(ValueError, match=r"Linear\.gamma_min must be below gamma_max = 10\.0, got 10\.0"):
        Linear(gamma_min=10.0)
