"""Facts of the table of parameterizations; those that hold for every export are in tests/test_conformance.py."""

import pytest
import torch

from wxexp.diffusion import noise_level, parameterizations, scalings, weightings
from wxexp.diffusion.denoisers import ExactGaussian

GAMMA = torch.linspace(-12, 12, 25, dtype=torch.float64)
S = torch.exp(-GAMMA / 2)[:, None]


def draws(n: int, std: float = 1.0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    x, eps = torch.randn(2, len(GAMMA), n, generator=generator, dtype=torch.float64)
    return std * x, eps


def test_targets_are_those_of_the_papers():
    x, eps = draws(7)
    alpha, sigma = torch.sigmoid(GAMMA).sqrt()[:, None], torch.sigmoid(-GAMMA).sqrt()[:, None]
    expected = {"X0": x, "Epsilon": eps, "Score": -eps / S, "V": alpha * eps - sigma * x, "Flow": eps - x}
    for name, target in expected.items():
        found = getattr(parameterizations, name)().target(x, eps, GAMMA)
        torch.testing.assert_close(found, target, rtol=1e-9, atol=1e-9, msg=name)


def test_edm_with_unit_data_is_minus_v_in_the_variance_preserving_gauge():
    x, eps = draws(7)
    edm, v = parameterizations.EDM(sigma_data=1.0), parameterizations.V()
    torch.testing.assert_close(edm.target(x, eps, GAMMA), -v.target(x, eps, GAMMA), rtol=0, atol=1e-10)
    torch.testing.assert_close(edm.scaling().c_in(GAMMA), scalings.VP().c_in(GAMMA), rtol=1e-13, atol=0)


@pytest.mark.parametrize("sigma_data", [0.5, 1.0, 3.0])
def test_edm_target_and_input_have_unit_variance_at_every_level(sigma_data):
    edm = parameterizations.EDM(sigma_data=sigma_data)
    x, eps = draws(40_000, std=sigma_data)
    target = edm.target(x, eps, GAMMA)
    scaled = noise_level.broadcast(edm.scaling().c_in(GAMMA), x) * (x + S * eps)
    for field in (target, scaled):
        torch.testing.assert_close(field.var(dim=1), torch.ones_like(GAMMA), rtol=0, atol=0.03)  # four standard errors


def test_edm_of_an_ignorant_network_is_exact_for_gaussian_data():
    y = draws(7)[0] * 3
    edm = parameterizations.EDM(sigma_data=0.5)
    torch.testing.assert_close(edm.denoised(torch.zeros_like(y), y, GAMMA), ExactGaussian(0.0, 0.25)(y, GAMMA), rtol=1e-14, atol=1e-16)


def test_the_loss_of_edm_is_that_of_its_paper():
    """The factor times the eps-loss is lambda(s) |D - x|^2 with lambda = (s^2 + sd^2) / (s sd)^2, and weights |F - F*|^2 by one."""
    sd, (x, eps) = 0.5, draws(7)
    edm, f = parameterizations.EDM(sigma_data=sd), torch.full((len(GAMMA), 7), 0.3, dtype=torch.float64)
    factor = edm.weighting().log_factor(GAMMA, torch.zeros_like(GAMMA)).exp() * edm.eps_factor(GAMMA)
    torch.testing.assert_close(factor, torch.ones_like(GAMMA), rtol=1e-12, atol=0)
    d = edm.denoised(f, x + S * eps, GAMMA)
    expected = (S**2 + sd**2) / (S * sd) ** 2 * (d - x).square()
    torch.testing.assert_close((f - edm.target(x, eps, GAMMA)).square(), expected, rtol=1e-7, atol=1e-7)


def test_each_default_weighting_of_a_target_regresses_it_evenly():
    for name in ("X0", "Epsilon", "V", "Flow"):
        p = getattr(parameterizations, name)()
        factor = p.weighting().log_factor(GAMMA, torch.zeros_like(GAMMA)).exp() * p.eps_factor(GAMMA)
        torch.testing.assert_close(factor, torch.ones_like(GAMMA), rtol=1e-12, atol=0, msg=name)


def test_weights_with_respect_to_gamma_are_divided_by_the_density_and_weights_of_samples_are_not():
    log_density = torch.linspace(-3, 0, len(GAMMA), dtype=torch.float64)
    torch.testing.assert_close(weightings.Uniform().log_factor(GAMMA, log_density), -log_density)
    torch.testing.assert_close(weightings.Simple().log_factor(GAMMA, log_density), torch.zeros_like(GAMMA))


def test_float32_targets_do_not_cancel_where_there_is_little_noise():
    x, eps = draws(50)
    for name in parameterizations.__all__:
        p = getattr(parameterizations, name)()
        exact = p.target(x, eps, GAMMA)
        found = p.target(x.float(), eps.float(), GAMMA).double()
        scale = exact.abs().amax(dim=1, keepdim=True)
        assert ((found - exact).abs() / scale).max() < 1e-6, name


@pytest.mark.parametrize("cls", [parameterizations.EDM, scalings.EDM, weightings.EDM])
def test_sigma_data_must_be_positive(cls):
    with pytest.raises(ValueError, match=r"EDM\.sigma_data must be positive, got 0\.0"):
        cls(sigma_data=0.0)
