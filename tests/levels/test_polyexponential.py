import pytest
import torch

from wxexp.levels import Exponential, Polyexponential


def test_with_rho_of_one_they_are_exponential():
    torch.testing.assert_close(Polyexponential().gamma(11), Exponential().gamma(11), rtol=0, atol=1e-13)


def test_rho_is_the_power_of_the_ramp():
    """From 100 to 0.01 with rho = 2 and u = 1, 3/4, 1/2, 1/4, 0: ten to the power of 4 u^2 - 2."""
    s = torch.exp(-Polyexponential(sigma_min=0.01, sigma_max=100.0, rho=2.0).gamma(5) / 2)
    torch.testing.assert_close(s.tolist(), [100.0, 10**0.25, 0.1, 10**-1.75, 0.01], rtol=1e-13, atol=0)


def test_a_single_step_starts_from_pure_noise():
    torch.testing.assert_close(torch.exp(-Polyexponential(rho=3.0).gamma(1) / 2).tolist(), [80.0], rtol=1e-13, atol=0)


@pytest.mark.parametrize("rho", [0.0, -1.0])
def test_a_wrong_rho(rho):
    with pytest.raises(ValueError, match=rf"Polyexponential\.rho must be positive, got {rho}"):
        Polyexponential(rho=rho)
