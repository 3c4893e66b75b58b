import pytest
import torch

from wxexp.diffusion import noise_level
from wxexp.samplers import LMS
from wxexp.samplers.lms import adams


def test_coefficients_at_equal_steps_are_those_of_adams_and_bashforth():
    """Hairer, Norsett and Wanner (1993), table III.1.1: 55/24, -59/24, 37/24, -9/24, newest first, and of fewer steps."""
    assert adams([3.0, 2.0, 1.0, 0.0], -1.0) == pytest.approx([9 / 24, -37 / 24, 59 / 24, -55 / 24], rel=1e-13)
    assert adams([0.0, 1.0, 2.0], 3.0) == pytest.approx([5 / 12, -16 / 12, 23 / 12], rel=1e-13)
    assert adams([5.0], 3.5) == pytest.approx([-1.5], rel=1e-13)


def test_a_slope_cubic_in_s_is_integrated_exactly():
    """dy/ds = (y - D) / s = s^3 has y = s^4 / 4 + c; exact from the fourth step on, on uneven levels."""
    s = torch.tensor([5.0, 4.1, 3.7, 3.0, 2.2, 1.9, 1.0, 0.3], dtype=torch.float64)
    gamma, y = noise_level.of_scale(s), torch.full((1, 1, 1), 2.0, dtype=torch.float64)

    def run(gamma: torch.Tensor) -> float:
        return LMS(terminal="keep").sample(lambda y, g: y - torch.exp(-2 * g), y, gamma, None).item()

    assert run(gamma) - run(gamma[:4]) == pytest.approx((0.3**4 - 3.0**4) / 4, rel=1e-12)
