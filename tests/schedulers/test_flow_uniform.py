import math

import numpy as np
import pytest
import torch
from scipy import stats

from wxexp.schedulers import FlowUniform

GAMMA = torch.linspace(-20, 20, 41, dtype=torch.float64)


def test_gamma_is_logistic_of_scale_two():
    np.testing.assert_allclose(FlowUniform().log_density(GAMMA), stats.logistic(scale=2).logpdf(GAMMA), rtol=1e-13)


def test_the_time_is_that_of_the_straight_path():
    """With x_u = (1 - u) x + u eps, s = u / (1 - u): 1/3 at u = 1/4."""
    gamma = FlowUniform().gamma(torch.tensor([0.25, 0.5, 0.75], dtype=torch.float64))
    np.testing.assert_allclose(torch.exp(-gamma / 2), [1 / 3, 1, 3], rtol=1e-14)


def test_a_shift_multiplies_the_noise_and_maps_times_as_in_the_paper():
    """u = k t / (1 + (k - 1) t) (Esser et al. 2024), and gamma moves by -2 ln k."""
    t = torch.linspace(0.05, 0.95, 19, dtype=torch.float64)
    shifted = FlowUniform(shift=3.0).gamma(t)
    np.testing.assert_allclose(torch.sigmoid(-shifted / 2), 3 * t / (1 + 2 * t), rtol=1e-13)
    torch.testing.assert_close(shifted, FlowUniform().gamma(t) - 2 * math.log(3), rtol=0, atol=1e-13)
    np.testing.assert_allclose(
        FlowUniform(shift=3.0).log_density(GAMMA), stats.logistic(loc=-2 * math.log(3), scale=2).logpdf(GAMMA), rtol=1e-12
    )


def test_the_shift_must_be_positive():
    with pytest.raises(ValueError, match=r"FlowUniform\.shift must be positive, got 0\.0"):
        FlowUniform(shift=0.0)
