import pytest
import torch

from wxexp.levels import Exponential


def test_five_levels_from_100_to_002():
    s = torch.exp(-Exponential(sigma_min=0.02, sigma_max=100.0).gamma(5) / 2)
    torch.testing.assert_close(s.tolist(), [100.0, 11.892071, 1.414214, 0.168179, 0.02], rtol=3e-6, atol=0)


def test_they_are_those_of_ve():
    """Karras et al. (2022), table 1: s^2 = s_max^2 (s_min^2 / s_max^2)^(i / (N - 1)); from 100 to 0.01 in 5 these are powers of ten."""
    s = torch.exp(-Exponential(sigma_min=0.01, sigma_max=100.0).gamma(5) / 2)
    torch.testing.assert_close(s.tolist(), [100.0, 10.0, 1.0, 0.1, 0.01], rtol=1e-13, atol=0)


def test_the_scales_must_be_in_order():
    with pytest.raises(ValueError, match=r"Exponential\.sigma_min must be in \(0, sigma_max = 80\.0\), got 80\.0"):
        Exponential(sigma_min=80.0)
