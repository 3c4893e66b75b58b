import numpy as np
import pytest
import torch
from scipy import stats

from wxexp.levels import LogNormal, Quantiles
from wxexp.schedulers import LogNormal as Density


def test_the_probability_between_neighbours_is_the_same():
    """By SciPy's log-normal distribution of s."""
    s = torch.exp(-LogNormal(mean=-1.2, std=1.2, sigma_min=0.01, sigma_max=20.0).gamma(10) / 2)
    share = np.diff(stats.lognorm(1.2, scale=np.exp(-1.2)).cdf(s.numpy()))
    np.testing.assert_allclose(share, share[0], rtol=1e-9)
    torch.testing.assert_close(s[[0, -1]].tolist(), [20.0, 0.01], rtol=1e-13, atol=0)


def test_they_are_the_quantiles_of_that_scheduler():
    found = Quantiles(scheduler=Density(mean=-1.0, std=6.0)).gamma(18)
    torch.testing.assert_close(LogNormal().gamma(18), found, rtol=0, atol=1e-12)


def test_a_wide_one_is_equidistant_in_ln_s():
    s = torch.exp(-LogNormal(sigma_min=0.01, sigma_max=100.0, std=1e4).gamma(5) / 2)
    torch.testing.assert_close(s.tolist(), [100.0, 10.0, 1.0, 0.1, 0.01], rtol=1e-6, atol=0)


def test_a_single_step_starts_from_pure_noise():
    torch.testing.assert_close(torch.exp(-LogNormal().gamma(1) / 2).tolist(), [80.0], rtol=1e-13, atol=0)


@pytest.mark.parametrize("std", [0.0, -1.0])
def test_a_wrong_std(std):
    with pytest.raises(ValueError, match=rf"LogNormal\.std must be positive, got {std}"):
        LogNormal(std=std)
