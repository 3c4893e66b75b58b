"""Facts of the table of weightings; those that hold for every export are in tests/test_conformance.py."""

import math

import numpy as np
import pytest
import torch

from wxexp.diffusion import parameterizations, weightings
from wxexp.interfaces.learning import Group
from wxexp.schedulers import Adaptive, Cosine, FlowUniform, Linear, LogUniform, Truncated

GAMMA = torch.linspace(-12, 12, 49, dtype=torch.float64)


def with_respect_to_gamma(weighting, scheduler) -> torch.Tensor:
    """What a factor per sample and a density of levels make: w = omega p."""
    return (weighting.log_omega(GAMMA) + scheduler.log_density(GAMMA)).exp()


@pytest.mark.parametrize(
    ("parameterization", "scheduler", "constant"),
    [(parameterizations.V(), Cosine(), 1 / math.pi), (parameterizations.Flow(), FlowUniform(), 1 / 2)],
    ids=["v and cosine", "flow matching"],
)
def test_v_with_cosine_times_and_flow_matching_are_one_objective(parameterization, scheduler, constant):
    """Both plain squared errors weight the eps-loss by exp(-gamma / 2) dgamma (Kingma and Gao 2023), which is Exponential at rate 1/2."""
    expected = constant * np.exp(-GAMMA.numpy() / 2)
    np.testing.assert_allclose(with_respect_to_gamma(parameterization.weighting(), scheduler), expected, rtol=1e-12)
    np.testing.assert_allclose(constant * weightings.Exponential().log_weight(GAMMA).exp(), expected, rtol=1e-12)


def test_the_plain_eps_loss_with_log_uniform_noise_is_the_variational_bound():
    """Constant in gamma: 1 / (2 ln(s_max / s_min)), from 1e-3 to 1e3 1 / (12 ln 10)."""
    w = with_respect_to_gamma(weightings.Simple(), LogUniform(sigma_min=1e-3, sigma_max=1e3))
    np.testing.assert_allclose(w, 1 / (12 * math.log(10)), rtol=1e-12)
    np.testing.assert_array_equal(weightings.Uniform().log_weight(GAMMA), 0)


@pytest.mark.parametrize("sigma_data", [0.5, 1.0, 2.0])
def test_soft_min_snr_weights_the_error_of_an_edm_network(sigma_data):
    """By s^2 sd^2 / (s^2 + sd^2)^2 on |F - F*|^2."""
    edm = parameterizations.EDM(sigma_data=sigma_data)
    on_network = weightings.SoftMinSNR(sigma_data=sigma_data).log_omega(GAMMA).exp() * edm.eps_factor(GAMMA)
    s2 = np.exp(-GAMMA.numpy())
    np.testing.assert_allclose(on_network, s2 * sigma_data**2 / (s2 + sigma_data**2) ** 2, rtol=1e-12)


@pytest.mark.parametrize("sigma_data", [0.5, 1.0, 2.0])
def test_the_snr_weight_of_an_edm_network_is_the_plain_eps_loss(sigma_data):
    """sd^2 / (s^2 + sd^2) on |F - F*|^2 is the signal-to-noise ratio on the error of x, up to a constant, and Simple."""
    edm, s2 = parameterizations.EDM(sigma_data=sigma_data), np.exp(-GAMMA.numpy())
    on_network = weightings.Simple().log_omega(GAMMA).exp() * edm.eps_factor(GAMMA)
    np.testing.assert_allclose(on_network, sigma_data**2 / (s2 + sigma_data**2), rtol=1e-12)
    on_x = weightings.Simple().log_omega(GAMMA).exp().numpy() / s2
    np.testing.assert_allclose(on_x, np.exp(GAMMA.numpy()), rtol=1e-12)


@pytest.mark.parametrize("sigma_data", [0.5, 1.0, 2.0])
def test_edm_weights_the_error_of_x_by_lambda(sigma_data):
    """(s^2 + sd^2) / (s sd)^2 (Karras et al. 2022, table 1); the eps-loss is the error of x divided by s^2."""
    s2 = np.exp(-GAMMA.numpy())
    on_x = weightings.EDM(sigma_data=sigma_data).log_omega(GAMMA).exp().numpy() / s2
    np.testing.assert_allclose(on_x, (s2 + sigma_data**2) / (s2 * sigma_data**2), rtol=1e-12)


def test_min_snr_limits_what_the_error_of_x_counts():
    """At snr 1/4, 4, 5 and 100 the error of x counts 1/4, 4, 5 and 5 (Hang et al. 2023, gamma = 5 there)."""
    snr = torch.tensor([0.25, 4.0, 5.0, 100.0], dtype=torch.float64)
    on_x = weightings.MinSNR().log_omega(snr.log()).exp() * snr
    np.testing.assert_allclose(on_x, [0.25, 4, 5, 5], rtol=1e-13)


def test_sigmoid_is_half_at_its_bias_and_falls_like_the_noise():
    w = weightings.Sigmoid(bias=2.0).log_weight(torch.tensor([-60.0, 2.0, 62.0], dtype=torch.float64)).exp()
    np.testing.assert_allclose(w, [1, 0.5, math.exp(-60)], rtol=1e-13)


def uneven() -> torch.nn.Module:
    """An adaptive schedule that has seen errors."""
    schedule = Adaptive(gamma_min=-10.0, gamma_max=10.0).build()
    seen = torch.linspace(10, -10, 5000, dtype=torch.float64)
    schedule.update(seen, 20 * torch.exp(-seen / 4), Group())
    return schedule


@pytest.mark.parametrize("schedule", [Linear(), Truncated(scheduler=Cosine()), uneven()], ids=["linear", "cosine", "adaptive"])
def test_the_loss_of_a_weight_with_respect_to_gamma_is_the_same_for_any_density(schedule):
    """Eps-loss sigmoid(gamma), w = exp(-gamma / 2): the integral over [-10, 10] is 2 (arctan e^5 - arctan e^-5) = 3.1146413."""
    t = (torch.arange(200_000, dtype=torch.float64) + 0.5) / 200_000
    gamma = schedule.gamma(t)
    factor = weightings.Exponential(rate=0.5).log_factor(gamma, schedule.log_density(gamma)).exp()
    assert (factor * torch.sigmoid(gamma)).mean().item() == pytest.approx(3.1146413, rel=1e-5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: weightings.MinSNR(limit=0.0), r"MinSNR\.limit must be positive, got 0\.0"),
        (lambda: weightings.SoftMinSNR(sigma_data=-1.0), r"SoftMinSNR\.sigma_data must be positive, got -1\.0"),
    ],
)
def test_wrong_values(make, message):
    with pytest.raises(ValueError, match=message):
        make()
