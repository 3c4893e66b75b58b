import math

import pytest
import torch

from wxexp.levels import VP


def test_the_ends_are_those_of_the_paper():
    """s(1) = 152.167 and s(1e-3) = 0.010486 for beta_d = 19.9, beta_min = 0.1 (Karras et al. 2022, table 1)."""
    s = torch.exp(-VP().gamma(18) / 2)
    torch.testing.assert_close(s[[0, -1]].tolist(), [152.167, 0.010486], rtol=5e-5, atol=0)


def test_without_beta_d_the_log_of_one_plus_noise_is_equidistant():
    """ln(1 + s^2) = ln 16 u: at u = 1, 3/4, 1/2 s^2 is 15, 7 and 3."""
    s = torch.exp(-VP(beta_d=0.0, beta_min=math.log(16), epsilon=0.5).gamma(3) / 2)
    torch.testing.assert_close(s.square().tolist(), [15.0, 7.0, 3.0], rtol=1e-13, atol=0)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"beta_d": -1.0}, r"VP\.beta_d must be at least 0, got -1\.0"),
        ({"beta_min": 0.0}, r"VP\.beta_min must be positive, got 0\.0"),
        ({"epsilon": 0.0}, r"VP\.epsilon must be in \(0, 1\), got 0\.0"),
    ],
)
def test_wrong_values(wrong, message):
    with pytest.raises(ValueError, match=message):
        VP(**wrong)
