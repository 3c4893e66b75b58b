import pytest
import torch

from wxexp.levels import Karras


def test_digits_of_the_paper():
    """Karras et al. (2022), table 1, N = 18: 80, 57.586, 40.786, ..., 0.0075, 0.002."""
    s = torch.exp(-Karras().gamma(18) / 2)
    torch.testing.assert_close(s[:3], torch.tensor([80.0, 57.5860, 40.7856], dtype=torch.float64), rtol=0, atol=5e-5)
    torch.testing.assert_close(s[-2:], torch.tensor([0.0075, 0.0020], dtype=torch.float64), rtol=0, atol=5e-5)


def test_the_ends_are_those_given():
    s = torch.exp(-Karras(sigma_min=0.05, sigma_max=5.0, rho=3.0).gamma(7) / 2)
    torch.testing.assert_close(s[[0, -1]].tolist(), [5.0, 0.05], rtol=1e-13, atol=0)


def test_rho_of_one_is_equidistant_in_s():
    s = torch.exp(-Karras(sigma_min=1.0, sigma_max=5.0, rho=1.0).gamma(5) / 2)
    torch.testing.assert_close(s.tolist(), [5.0, 4.0, 3.0, 2.0, 1.0], rtol=1e-13, atol=0)


def test_a_single_step_starts_from_pure_noise():
    torch.testing.assert_close(torch.exp(-Karras().gamma(1) / 2).tolist(), [80.0], rtol=1e-13, atol=0)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"sigma_min": 90.0}, r"Karras\.sigma_min must be in \(0, sigma_max = 80\.0\), got 90\.0"),
        ({"sigma_min": 0.0}, r"sigma_min must be in"),
        ({"rho": -1.0}, r"Karras\.rho must be positive, got -1\.0"),
    ],
)
def test_wrong_values(wrong, message):
    with pytest.raises(ValueError, match=message):
        Karras(**wrong)
