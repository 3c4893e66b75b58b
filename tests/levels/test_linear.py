import pytest
import torch

from wxexp.levels import Linear


def test_five_levels_from_100_to_002():
    s = torch.exp(-Linear(sigma_min=0.02, sigma_max=100.0).gamma(5) / 2)
    torch.testing.assert_close(s.tolist(), [100.0, 75.005, 50.01, 25.015, 0.02], rtol=1e-12, atol=0)


def test_the_scales_must_be_in_order():
    with pytest.raises(ValueError, match=r"Linear\.sigma_min must be in \(0, sigma_max = 80\.0\), got 0\.0"):
        Linear(sigma_min=0.0)
