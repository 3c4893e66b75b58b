import re

import pytest
import torch

from wxexp.diffusion import parameterizations
from wxexp.diffusion.denoisers import CorrelatedGaussian, ExactGaussian, Mixture, NetworkDenoiser

GAMMA = torch.tensor([-3.0, 0.0, 4.0], dtype=torch.float64)
Y = torch.linspace(-2, 3, 3 * 4, dtype=torch.float64).reshape(3, 1, 4)


def around(network, **kwargs) -> NetworkDenoiser:
    p = parameterizations.EDM()
    return NetworkDenoiser(network, parameterization=p, scaling=p.scaling(), conditioning=p.conditioning(), **kwargs)


def test_a_mixture_of_one_is_the_gaussian():
    mixture = Mixture(torch.ones(1), torch.full((1, 1, 4), 0.7, dtype=torch.float64), torch.tensor([0.09], dtype=torch.float64))
    torch.testing.assert_close(mixture(Y, GAMMA), ExactGaussian(0.7, 0.09)(Y, GAMMA), rtol=1e-14, atol=0)


def test_two_diracs_are_a_hyperbolic_tangent():
    """D = a tanh(a y / s^2) for half the mass at each of -a and a, in one dimension."""
    a, y = 0.5, Y.reshape(3, 4)[:, :1, None]
    means = torch.tensor([-a, a], dtype=torch.float64)[:, None, None]
    mixture = Mixture(torch.full((2,), 0.5, dtype=torch.float64), means, torch.zeros(2, dtype=torch.float64))
    expected = a * torch.tanh(a * y / torch.exp(-GAMMA)[:, None, None])
    torch.testing.assert_close(mixture(y, GAMMA), expected, rtol=1e-13, atol=0)


def test_exact_denoisers_have_the_score_of_their_density():
    """Tweedie's formula: D = y + s^2 d/dy log p(y; s), with log p by autograd, in 4 dimensions."""
    weights, variances = torch.tensor([0.3, 0.7], dtype=torch.float64), torch.tensor([0.5, 0.1], dtype=torch.float64)
    means = torch.randn(2, 1, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    y, s2 = Y.clone().requires_grad_(), torch.exp(-GAMMA)[:, None, None]
    normal = torch.distributions.Normal(means[None], (variances[:, None, None] + s2[:, None]).sqrt())
    log_p = torch.logsumexp(weights.log() + normal.log_prob(y[:, None]).sum((2, 3)), dim=1)
    (score,) = torch.autograd.grad(log_p.sum(), y)
    torch.testing.assert_close(Mixture(weights, means, variances)(Y, GAMMA), Y + s2 * score, rtol=1e-12, atol=1e-12)


def test_one_level_for_all_rows_or_one_for_each():
    each = ExactGaussian(0.2, 0.3)(Y, GAMMA)
    for i, gamma in enumerate(GAMMA):
        torch.testing.assert_close(ExactGaussian(0.2, 0.3)(Y[i : i + 1], gamma), each[i : i + 1], rtol=0, atol=0)


def test_the_network_sees_a_scaled_float32_state_and_the_noise_level():
    seen = {}

    def network(x, level):
        seen.update(x=x, level=level)
        return torch.zeros_like(x)

    denoised = around(network)(Y, torch.tensor(2.0, dtype=torch.float64))
    assert denoised.dtype == torch.float64 and seen["x"].dtype == seen["level"].dtype == torch.float32
    s2 = torch.exp(torch.tensor(-2.0))
    torch.testing.assert_close(seen["x"], (Y / (1 + s2).sqrt()).float())
    torch.testing.assert_close(seen["level"], torch.full((3, 1), -0.25))


def test_masked_cells_are_zero_for_the_network_and_in_the_estimate_even_where_the_state_is_nan():
    mask = torch.tensor([True, True, False, True])[None, None]
    y = torch.where(mask, Y, torch.nan)
    seen = []
    denoised = around(lambda x, level: seen.append(x) or torch.ones_like(x), mask=mask)(y, GAMMA)
    assert (seen[0][..., 2] == 0).all() and (denoised[..., 2] == 0).all()
    full = around(lambda x, level: torch.ones_like(x))(Y, GAMMA)
    torch.testing.assert_close(denoised[..., [0, 1, 3]], full[..., [0, 1, 3]], rtol=0, atol=0)


def test_an_estimate_that_is_not_finite_is_named_by_evaluation_and_noise_level():
    denoise = around(lambda x, level: torch.where(level[:, :, None] > 0.1, x, torch.nan))  # level = ln(s) / 4
    for s in (80.0, 5.0, 0.5, 0.1):
        denoise(Y, -2 * torch.tensor(s, dtype=torch.float64).log())
    assert denoise.evaluations == 4
    with pytest.raises(FloatingPointError, match=r"not finite at evaluation 3 of 4 \(noise level s = 0\.5\)"):
        denoise.check()


def test_the_step_is_named_where_the_levels_are_known():
    """Of four levels: an estimate at the third, one at the middle between it and the fourth, and one before the first, as with churn."""
    levels = -2 * torch.tensor([80.0, 5.0, 0.5, 0.1], dtype=torch.float64).log()
    for s, step in ((0.5, 3), (0.2, 3), (0.1, 4), (100.0, 1)):
        denoise = around(lambda x, level: torch.full_like(x, torch.nan))
        denoise(Y, -2 * torch.tensor(s, dtype=torch.float64).log())
        with pytest.raises(FloatingPointError, match=rf"not finite at step {step} of 4, evaluation 1 of 1 \(noise level s = {s:g}\)"):
            denoise.check(levels)


def test_finite_estimates_pass_the_check():
    denoise = around(lambda x, level: x)
    denoise.check()
    denoise(Y, GAMMA)
    denoise.check()


def test_correlated_cells_by_hand():
    """C = [[1, 0.8], [0.8, 1]] at s = 1: C (C + I)^-1 = [[1.36, 0.8], [0.8, 1.36]] / 3.36."""
    mu = torch.tensor([[0.5, -1.0]], dtype=torch.float64)
    exact = CorrelatedGaussian(mu, torch.tensor([[1.0, 0.8], [0.8, 1.0]], dtype=torch.float64))
    found = exact(mu + torch.tensor([[[3.36, 0.0]]], dtype=torch.float64), torch.zeros(1, dtype=torch.float64))
    torch.testing.assert_close(found - mu, torch.tensor([[[1.36, 0.8]]], dtype=torch.float64), rtol=1e-13, atol=0)


def test_a_diagonal_covariance_is_that_of_independent_cells():
    mu, variance = torch.linspace(-1, 1, 4, dtype=torch.float64)[None], torch.tensor([0.0, 0.1, 2.0, 30.0], dtype=torch.float64)
    found = CorrelatedGaussian(mu, torch.diag(variance))(Y, GAMMA)
    torch.testing.assert_close(found, ExactGaussian(mu, variance)(Y, GAMMA), rtol=1e-12, atol=1e-12)


def test_correlated_gaussians_have_the_score_of_their_density():
    """Tweedie's formula with torch's multivariate normal, each row at its own level."""
    root = torch.randn(4, 4, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    mu, covariance = torch.randn(1, 4, generator=torch.Generator().manual_seed(5), dtype=torch.float64), root @ root.T
    y, s2 = Y.clone().requires_grad_(), torch.exp(-GAMMA)[:, None, None]
    law = torch.distributions.MultivariateNormal(mu[0], covariance + s2 * torch.eye(4, dtype=torch.float64))
    (score,) = torch.autograd.grad(law.log_prob(y[:, 0]).sum(), y)
    torch.testing.assert_close(CorrelatedGaussian(mu, covariance)(Y, GAMMA), Y + s2 * score, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize(
    ("covariance", "message"),
    [
        (torch.eye(3), r"CorrelatedGaussian\.covariance must be 2 x 2, got \(3, 3\)"),
        (torch.tensor([[1.0, 0.5], [0.4, 1.0]]), r"CorrelatedGaussian\.covariance must be symmetric"),
        (torch.tensor([[1.0, 2.0], [2.0, 1.0]]), r"CorrelatedGaussian\.covariance must have no eigenvalue below 0, got -1"),
    ],
)
def test_wrong_covariances(covariance, message):
    with pytest.raises(ValueError, match=message):
        CorrelatedGaussian(torch.zeros(1, 2), covariance)


@pytest.mark.parametrize("shape", [(1, 4), (1, 2, 4), (2, 1, 4), (1, 1, 1)], ids=str)
def test_a_mask_of_the_wrong_shape_is_refused(shape):
    """Any of them but the second would broadcast silently, or give another number of channels."""
    denoise = around(lambda x, level: x, mask=torch.ones(shape, dtype=torch.bool))
    with pytest.raises(ValueError, match=rf"NetworkDenoiser\.mask must have the shape \(3, 1, 4\).*got {re.escape(str(shape))}"):
        denoise(Y, GAMMA)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_one_level_for_all_rows_gives_what_the_same_level_for_each_gives_and_leaves_the_state_alone(dtype, masked):
    mask = torch.tensor([True, True, False, True])[None, None] if masked else None
    denoise = around(lambda x, level: torch.sin(3 * x) + level[:, :, None], mask=mask)
    y = Y.to(dtype)
    before = y.clone()
    for s in (80.0, 0.7, 0.002):
        gamma = -2 * torch.tensor(s, dtype=torch.float64).log()
        torch.testing.assert_close(denoise(y, gamma), denoise(y, gamma.expand(3)), rtol=1e-6, atol=1e-6)
    assert torch.equal(y, before)


ONE = torch.ones(1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ExactGaussian(0.0, -1.0), "ExactGaussian.variance must be at least 0, got -1.0"),
        (
            lambda: Mixture(ONE, torch.zeros(2, 1, 4), ONE),
            "Mixture needs weights [K], means [K, C, *S] and variances [K], got (1,), (2, 1, 4), (1,)",
        ),
        (lambda: Mixture(0.5 * ONE, torch.zeros(1, 1, 4), ONE), "Mixture.weights must be at least 0 and sum to one, got [0.5]"),
        (
            lambda: Mixture(torch.tensor([1.5, -0.5]), torch.zeros(2, 1, 4), torch.ones(2)),
            "Mixture.weights must be at least 0 and sum to one, got [1.5, -0.5]",
        ),
        (lambda: Mixture(ONE, torch.zeros(1, 1, 4), -ONE), "Mixture.variances must be at least 0, got [-1.0]"),
    ],
)
def test_laws_that_are_none(make, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        make()
