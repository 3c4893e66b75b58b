import math

import numpy as np
import pytest
import torch
from scipy import stats

from wxexp.schedulers import Adaptive, Linear, LogNormal, Mixture


def test_half_log_normal_half_log_uniform():
    """ln s ~ N(-1.6, 0.8^2) or uniform on ln [0.02, 80]: draws with equidistant times against SciPy's law of ln s."""
    t = (torch.arange(2000, dtype=torch.float64) + 0.5) / 2000
    log_s = -Mixture().gamma(t) / 2
    uniform = stats.uniform(math.log(0.02), math.log(4000))
    cdf = lambda x: 0.5 * stats.norm(-1.6, 0.8).cdf(x) + 0.5 * uniform.cdf(x)  # noqa: E731
    assert stats.kstest(log_s.numpy(), cdf).statistic == pytest.approx(0.5 / 2000, abs=1e-9)  # as even as can be
    one = Mixture().gamma(torch.tensor([0.3], dtype=torch.float64))
    assert cdf(-one.item() / 2) == pytest.approx(0.3, abs=1e-12)  # a batch of one


def test_weights_are_relative_and_the_density_is_their_sum():
    parts = {"low": LogNormal(mean=1.0, std=0.5), "high": LogNormal(mean=-2.0, std=1.0), "flat": Linear()}
    gamma = torch.linspace(-15, 15, 31, dtype=torch.float64)
    found = Mixture(schedulers=parts, weights={"low": 3.0, "flat": 4.0}).log_density(gamma).exp()
    flat = stats.uniform(-10, 20).pdf(gamma)
    np.testing.assert_allclose(found, (3 * stats.norm(-2, 1).pdf(gamma) + stats.norm(4, 2).pdf(gamma) + 4 * flat) / 8, rtol=1e-12)


def test_a_gap_between_parts_is_jumped():
    apart = Mixture(schedulers={"a": Linear(gamma_min=5.0, gamma_max=6.0), "b": Linear(gamma_min=-6.0, gamma_max=-5.0)})
    gamma = apart.gamma(torch.tensor([0.25, 0.75], dtype=torch.float64))
    torch.testing.assert_close(gamma.tolist(), [5.5, -5.5], rtol=0, atol=1e-14)
    assert apart.range == (-6.0, 6.0)


def test_the_end_of_unbounded_parts_is_infinite():
    parts = {"a": LogNormal(), "b": LogNormal(mean=1.0)}
    assert Mixture(schedulers=parts).gamma(torch.tensor([0.0], dtype=torch.float64)).item() == math.inf


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"schedulers": {}}, r"Mixture\.schedulers must name at least one scheduler, got none"),
        ({"weights": {"log_norml": 1.0}}, r"Mixture\.weights has no scheduler 'log_norml'.*log_normal"),
        ({"weights": {"log_normal": 0.0}}, r"Mixture\.weights\.log_normal must be positive, got 0\.0"),
        ({"schedulers": {"a": Adaptive()}}, r"Mixture\.schedulers\.a must be a scheduler without state, got Adaptive"),
    ],
)
def test_wrong_values(wrong, message):
    with pytest.raises(ValueError, match=message):
        Mixture(**wrong)
