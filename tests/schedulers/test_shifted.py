import math

import numpy as np
import pytest
import torch
from scipy import stats

from wxexp.schedulers import Adaptive, FlowUniform, Linear, LogNormal, Shifted

GAMMA = torch.linspace(-12, 12, 25, dtype=torch.float64)


def test_a_normal_moves():
    np.testing.assert_allclose(Shifted(by=-3.0).log_density(GAMMA), stats.norm(2.4 - 3, 2.4).logpdf(GAMMA), rtol=1e-12)


def test_flow_matching_with_a_shift_is_flow_matching_moved():
    shifted = Shifted(scheduler=FlowUniform(), by=-2 * math.log(3))
    torch.testing.assert_close(shifted.time(GAMMA), FlowUniform(shift=3.0).time(GAMMA), rtol=1e-13, atol=0)


def test_the_range_moves_with_it_and_rounding_leaves_nobody_outside():
    shifted = Shifted(scheduler=Linear(gamma_min=-0.1, gamma_max=0.2), by=0.7)
    assert shifted.range == (-0.1 + 0.7, 0.2 + 0.7)
    gamma = shifted.gamma(torch.tensor([0.0, 0.5, 1.0], dtype=torch.float64))
    np.testing.assert_allclose(shifted.log_density(gamma).exp(), 1 / 0.3, rtol=1e-12)
    assert shifted.log_density(torch.tensor([0.59, 0.91])).isneginf().all()


def test_an_adaptive_scheduler_is_refused():
    with pytest.raises(ValueError, match=r"Shifted\.scheduler must be a scheduler without state, got Adaptive"):
        Shifted(scheduler=Adaptive())


def test_zero_changes_nothing():
    t = torch.linspace(0.01, 0.99, 9, dtype=torch.float64)
    assert torch.equal(Shifted().gamma(t), LogNormal().gamma(t))
