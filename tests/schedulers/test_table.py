import math

import numpy as np
import pytest
import torch

from wxexp.schedulers import Table


def test_its_levels_are_equidistant_in_time_and_gamma_is_linear_between():
    """-2 ln s of e^-2, e^0 and e^3 is 4, 0 and -6; halfway in each half 2 and -3."""
    t = torch.tensor([0.0, 0.25, 0.5, 0.75, 1.0], dtype=torch.float64)
    table = Table(sigmas=(math.exp(-2), 1.0, math.exp(3)))
    torch.testing.assert_close(table.gamma(t).tolist(), [4.0, 2.0, 0.0, -3.0, -6.0], rtol=0, atol=1e-14)
    np.testing.assert_allclose(table.log_density(torch.tensor([3.9, 0.1, -0.1, -5.9])).exp(), [1 / 8, 1 / 8, 1 / 12, 1 / 12], rtol=1e-6)


def test_a_table_from_noisy_to_clean_is_the_same():
    t = torch.linspace(0, 1, 17, dtype=torch.float64)
    assert torch.equal(Table(sigmas=(90.0, 4.0, 0.1)).gamma(t), Table(sigmas=(0.1, 4.0, 90.0)).gamma(t))


@pytest.mark.parametrize(
    ("sigmas", "message"),
    [
        ((1.0,), r"Table\.sigmas must be at least two, got 1"),
        ((0.1, 0.5, 0.4, 0.3), r"Table\.sigmas must be strictly monotone: sigmas\[2\] must be above 0\.5, got 0\.4"),
        ((5.0, 1.0, 1.0), r"Table\.sigmas must be strictly monotone: sigmas\[2\] must be below 1\.0, got 1\.0"),
        ((2.0, 2.0), r"Table\.sigmas must be strictly monotone: sigmas\[1\] must be below 2\.0, got 2\.0"),
        ((0.0, 2.0), r"Table\.sigmas\[0\] must be positive and finite, got 0\.0"),
        ((1.0, math.nan), r"Table\.sigmas\[1\] must be positive and finite, got nan"),
    ],
)
def test_wrong_tables(sigmas, message):
    with pytest.raises(ValueError, match=message):
        Table(sigmas=sigmas)
