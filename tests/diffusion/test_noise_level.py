import numpy as np
import pytest
import torch

from wxexp.diffusion import noise_level

GAMMA = torch.linspace(-20, 20, 401)


@pytest.mark.parametrize(
    ("function", "exact"),
    [
        (noise_level.scale, lambda g: np.exp(-g / 2)),
        (noise_level.alpha2, lambda g: 1 / (1 + np.exp(-g))),
        (noise_level.sigma2, lambda g: 1 / (1 + np.exp(g))),
        (noise_level.flow_time, lambda g: np.exp(-g / 2) / (1 + np.exp(-g / 2))),
    ],
)
def test_float32_keeps_six_digits_from_pure_noise_to_almost_clean(function, exact):
    found = function(GAMMA).double().numpy()
    np.testing.assert_allclose(found, exact(GAMMA.double().numpy().astype(np.longdouble)).astype(np.float64), rtol=1e-6)


def test_one_minus_alpha2_would_not():
    assert 1 - noise_level.alpha2(torch.tensor(18.0)) == 0.0 < noise_level.sigma2(torch.tensor(18.0))


def test_the_level_of_a_scale():
    torch.testing.assert_close(noise_level.of_scale(torch.tensor([1.0, 80.0], dtype=torch.float64)).tolist(), [0.0, -8.764053269347762])
    g = GAMMA.double()
    torch.testing.assert_close(noise_level.of_scale(noise_level.scale(g)), g, rtol=0, atol=1e-13)


def test_coefficients_take_the_type_and_axes_of_the_field():
    x = torch.zeros(2, 3, 4)
    rows = noise_level.broadcast(torch.tensor([1.0, 2.0], dtype=torch.float64), x)
    assert rows.shape == (2, 1, 1) and rows.dtype == torch.float32
    assert noise_level.broadcast(torch.tensor(1.0, dtype=torch.float64), x).shape == (1, 1, 1)
