import math

import pytest
import torch
from scipy import integrate

from wxexp.samplers.arithmetic import moments, steps, total


@pytest.mark.parametrize("h", [1e-6, 1e-3, 0.0999, 0.1001, 1.0, 12.0])
def test_moments_are_the_integrals(h):
    """By quadrature in units of h, where nothing cancels."""
    for k, found in enumerate(moments(h)):
        value, _ = integrate.quad(lambda u: math.exp(h * (u - 1)) * u**k, 0, 1, epsabs=0, epsrel=1e-13)  # noqa: B023 - called at once
        assert found == pytest.approx(h ** (k + 1) * value, rel=1e-11)


def test_a_sum_leaves_its_fields_as_they_are():
    x, y = torch.tensor([1.0, 2.0]), torch.tensor([10.0, 20.0])
    assert total((2.0, x), (0.5, y), (1.0, x)).tolist() == [8.0, 16.0]
    assert total((1.0, x), (0.5, y)).tolist() == [6.0, 12.0]
    assert total((1.0, x)) is not x
    assert x.tolist() == [1.0, 2.0] and y.tolist() == [10.0, 20.0]


def test_steps_know_their_lengths():
    (here, there, h), second = steps(torch.tensor([-2.0, 1.0, 1.5], dtype=torch.float64))
    assert (here.item(), there.item(), h) == (-2.0, 1.0, 1.5) and second[2] == 0.25
