import math

import numpy as np
import pytest
import torch
from scipy import stats

from wxexp.schedulers import Cosine


@pytest.mark.parametrize("shift", [0.0, 1.0, -0.7])
def test_half_of_gamma_is_hyperbolic_secant_about_the_shift(shift):
    """SciPy's hypsecant is sech(x) / pi; gamma = 2 (x + shift)."""
    gamma = torch.linspace(-30, 30, 61, dtype=torch.float64)
    expected = stats.hypsecant.logpdf(gamma.numpy() / 2 - shift) - math.log(2)
    np.testing.assert_allclose(Cosine(shift=shift).log_density(gamma), expected, rtol=1e-12)


def test_half_way_signal_and_noise_are_equal():
    """Where alpha = cos(pi t / 2) is sqrt(3) / 2, at t = 1/3, the snr is 3; a shift of c multiplies it by exp(2 c)."""
    t = torch.tensor([1 / 2, 1 / 3], dtype=torch.float64)
    np.testing.assert_allclose(Cosine().gamma(t).exp(), [1.0, 3.0], rtol=1e-12)
    np.testing.assert_allclose(Cosine(shift=math.log(64 / 256)).gamma(t).exp(), [1 / 16, 3 / 16], rtol=1e-12)


@pytest.mark.parametrize("shift", [1.0, -2.0])
def test_a_shifted_one_is_still_inverted(shift):
    t = torch.linspace(0.001, 0.999, 99, dtype=torch.float64)
    torch.testing.assert_close(Cosine(shift=shift).time(Cosine(shift=shift).gamma(t)), t, rtol=0, atol=1e-12)
