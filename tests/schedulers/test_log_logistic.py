import numpy as np
import pytest
import torch
from scipy import stats

from wxexp.schedulers import FlowUniform, LogLogistic

GAMMA = torch.linspace(-20, 20, 41, dtype=torch.float64)


def test_the_noise_is_that_of_scipy():
    """ln s ~ logistic(ln 0.5, 0.5), which SciPy has as fisk(c = 2, scale = 0.5) of s."""
    scheduler, s = LogLogistic(mean=float(np.log(0.5))), np.exp(-GAMMA.numpy() / 2)
    np.testing.assert_allclose(scheduler.time(GAMMA), stats.fisk(2, scale=0.5).cdf(s), rtol=1e-12)
    np.testing.assert_allclose(scheduler.log_density(GAMMA), stats.logistic(-2 * np.log(0.5), 1.0).logpdf(GAMMA), rtol=1e-12, atol=1e-12)


def test_with_unit_scale_it_is_flow_matching():
    torch.testing.assert_close(LogLogistic(scale=1.0).log_density(GAMMA), FlowUniform().log_density(GAMMA), rtol=1e-13, atol=0)


def test_the_scale_must_be_positive():
    with pytest.raises(ValueError, match=r"LogLogistic\.scale must be positive, got 0\.0"):
        LogLogistic(scale=0.0)
