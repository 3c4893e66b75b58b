import math

import numpy as np
import pytest
import torch

from wxexp.schedulers import LogUniform


def test_quartiles_of_ve_are_geometric():
    """Between 0.02 and 100 (Karras et al. 2022, table 1): sqrt(2) is halfway, 0.168179 and 11.892071 the quartiles."""
    s = torch.exp(-LogUniform().gamma(torch.tensor([0.0, 0.25, 0.5, 0.75, 1.0], dtype=torch.float64)) / 2)
    np.testing.assert_allclose(s, [0.02, 0.168179, math.sqrt(2), 11.892071, 100.0], rtol=2e-6)


def test_the_density_of_gamma_is_constant():
    """One over 2 ln(100 / 0.02) = 17.034386382832476."""
    gamma = torch.linspace(-9.2, 7.8, 18, dtype=torch.float64)
    np.testing.assert_allclose(LogUniform().log_density(gamma).exp(), 1 / 17.034386382832476, rtol=1e-13)


def test_the_scales_must_be_in_order():
    with pytest.raises(ValueError, match=r"LogUniform\.sigma_min must be in \(0, sigma_max = 100\.0\), got 0\.0"):
        LogUniform(sigma_min=0.0)
