import numpy as np
import pytest
import torch
from scipy import stats

from wxexp.schedulers import LogNormal


def test_edm_trains_on_gamma_of_mean_2_4_and_standard_deviation_2_4():
    gamma = torch.linspace(-8, 12, 41, dtype=torch.float64)
    np.testing.assert_allclose(LogNormal().log_density(gamma), stats.norm(2.4, 2.4).logpdf(gamma), rtol=1e-13, atol=1e-13)


def test_quantiles():
    """The median of s is exp(-1.2); 97.5 % of the levels are below exp(-1.2 + 1.959964 * 1.2)."""
    gamma = LogNormal().gamma(torch.tensor([0.5, 0.975], dtype=torch.float64))
    np.testing.assert_allclose(torch.exp(-gamma / 2), [0.30119421191220214, 3.1643788532808594], rtol=1e-12)


def test_the_standard_deviation_must_be_positive():
    with pytest.raises(ValueError, match=r"LogNormal\.std must be positive, got 0\.0"):
        LogNormal(std=0.0)
