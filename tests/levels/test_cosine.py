import pytest
import torch

from wxexp.levels import Cosine


def test_five_levels_from_100_to_002():
    s = torch.exp(-Cosine(sigma_min=0.02, sigma_max=100.0).gamma(5) / 2)
    torch.testing.assert_close(s.tolist(), [100.0, 2.397242, 1.010048, 0.428933, 0.02], rtol=2e-6, atol=0)


def test_the_scales_must_be_in_order():
    with pytest.raises(ValueError, match=r"Cosine\.sigma_min must be in \(0, sigma_max = 1\.0\), got 2\.0"):
        Cosine(sigma_min=2.0, sigma_max=1.0)
