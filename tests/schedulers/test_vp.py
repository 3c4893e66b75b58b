import numpy as np
import pytest
import torch

from wxexp.schedulers import VP


def test_noise_at_the_ends():
    """s(1e-3) = 0.010486 and s(1) = 152.167 for beta_d = 19.9, beta_min = 0.1 (Karras et al. 2022, table 1)."""
    s = torch.exp(-VP(epsilon=1e-3).gamma(torch.tensor([0.0, 1.0], dtype=torch.float64)) / 2)
    np.testing.assert_allclose(s, [0.010486, 152.167], rtol=5e-5)


def test_without_beta_d_the_rate_is_constant():
    """Then ln(1 + s^2) = beta_min u: at beta_min = ln 2, u = 1 it is s = 1, and u is recovered."""
    vp = VP(beta_d=0.0, beta_min=float(np.log(2)), epsilon=1e-6)
    assert vp.range[0] == pytest.approx(0, abs=1e-14)
    gamma = torch.tensor(np.log(1 / (2**0.25 - 1)))
    assert vp.time(gamma).item() == pytest.approx(0.25, abs=1e-6)


def test_little_noise_keeps_its_digits():
    """Where beta_d u^2 / 2 is negligible s^2 = beta_min u: at s = 1e-6, u = 1e-11."""
    vp = VP(epsilon=1e-12)
    assert vp.time(torch.tensor(-2 * np.log(1e-6))).item() == pytest.approx(1e-11 - 1e-12, rel=1e-6)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"beta_d": -1.0}, r"VP\.beta_d must be at least 0, got -1\.0"),
        ({"beta_min": 0.0}, r"VP\.beta_min must be positive, got 0\.0"),
        ({"epsilon": 1.0}, r"VP\.epsilon must be in \(0, 1\), got 1\.0"),
    ],
)
def test_wrong_values(wrong, message):
    with pytest.raises(ValueError, match=message):
        VP(**wrong)
