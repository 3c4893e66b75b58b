import numpy as np
import pytest
import torch

from wxexp.levels import Karras
from wxexp.schedulers import RhoUniform


def test_quantiles_and_shares_of_the_training_density_of_anemoi():
    """For s in [0.02, 100], rho = 7: the median, quartiles and outer deciles, and the share of s below some values."""
    s = torch.exp(-RhoUniform().gamma(torch.tensor([0.1, 0.25, 0.5, 0.75, 0.9], dtype=torch.float64)) / 2)
    np.testing.assert_allclose(s, [0.0889475, 0.523033, 4.80263, 25.803, 59.9979], rtol=1e-5)
    below = RhoUniform().time(-2 * torch.log(torch.tensor([0.1, 0.5, 1.0, 5.0, 10.0, 50.0], dtype=torch.float64)))
    np.testing.assert_allclose(below, [0.1088, 0.2457, 0.3151, 0.5053, 0.6017, 0.8660], atol=5e-5)


def test_equidistant_times_are_the_levels_of_edm():
    """Karras et al. (2022), equation 5, with 5 levels."""
    t = torch.linspace(1, 0, 5, dtype=torch.float64)
    torch.testing.assert_close(RhoUniform(sigma_min=0.002, sigma_max=80.0).gamma(t), Karras().gamma(5), rtol=1e-12, atol=1e-12)


def test_wrong_values():
    with pytest.raises(ValueError, match=r"RhoUniform\.rho must be positive, got 0\.0"):
        RhoUniform(rho=0.0)
    with pytest.raises(ValueError, match=r"RhoUniform\.sigma_min must be in \(0, sigma_max = 100\.0\), got 200\.0"):
        RhoUniform(sigma_min=200.0)
