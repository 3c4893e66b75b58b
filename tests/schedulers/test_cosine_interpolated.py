import math

import pytest
import torch

from wxexp.schedulers import Cosine, CosineInterpolated, Truncated

T = torch.linspace(0, 1, 41, dtype=torch.float64)
ENDS = {"gamma_min": -2 * math.log(80.0), "gamma_max": -2 * math.log(0.01)}


def between(noisy: float, clean: float) -> CosineInterpolated:
    return CosineInterpolated(shift_noisy=noisy, shift_clean=clean, sigma_min=0.01, sigma_max=80.0)


@pytest.mark.parametrize("shift", [0.0, -math.log(4)])
def test_of_two_equal_shifts_it_is_the_truncated_cosine(shift):
    cosine = Truncated(scheduler=Cosine(shift=shift), **ENDS)
    torch.testing.assert_close(between(shift, shift).gamma(T), cosine.gamma(T), rtol=0, atol=1e-9)
    gamma = torch.linspace(-8, 9, 35, dtype=torch.float64)
    torch.testing.assert_close(between(shift, shift).log_density(gamma), cosine.log_density(gamma), rtol=1e-9, atol=1e-9)


def test_the_noisy_end_is_that_of_one_and_the_clean_end_that_of_the_other():
    """Shares t and 1 - t: half of each at t = 1/2, a tenth at t = 1/10."""
    noisy, clean = (Truncated(scheduler=Cosine(shift=shift), **ENDS).gamma(T) for shift in (-math.log(8), 0.0))
    found = between(-math.log(8), 0.0).gamma(T)
    torch.testing.assert_close(found[20], (noisy[20] + clean[20]) / 2, rtol=0, atol=1e-9)
    torch.testing.assert_close(found[4], 0.1 * noisy[4] + 0.9 * clean[4], rtol=0, atol=1e-9)
    assert (noisy < found)[1:-1].all() and (found < clean)[1:-1].all()


def test_wrong_values():
    with pytest.raises(ValueError, match=r"CosineInterpolated\.shift_clean must be at least shift_noisy = 1\.0.*got 0\.0"):
        CosineInterpolated(shift_noisy=1.0)
    with pytest.raises(ValueError, match=r"CosineInterpolated\.sigma_min must be in \(0, sigma_max = 1000\.0\), got -1\.0"):
        CosineInterpolated(sigma_min=-1.0)
