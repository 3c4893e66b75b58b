import itertools
import math

import numpy as np
import pytest
import torch
from scipy import optimize, special

from wxexp.diffusion.denoisers import ExactGaussian, Mixture
from wxexp.diffusion.flow import log_likelihood, rademacher, transport
from wxexp.fields.seeds import Draws


def levels(steps: int, s_from: float, s_to: float) -> torch.Tensor:
    """Equidistant in ln s."""
    return torch.linspace(-2 * math.log(s_from), -2 * math.log(s_to), steps + 1, dtype=torch.float64)


def tensor(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


WEIGHTS, MEANS, STDS = tensor(0.4, 0.6), tensor(-1.0, 1.5), tensor(0.3, 0.2)
MIXTURE = Mixture(WEIGHTS, MEANS[:, None, None], STDS**2)


def test_a_gaussian_is_transported_with_order_two():
    """y(s') = mu + (y - mu) sqrt((S^2 + s'^2) / (S^2 + s^2)), in both directions."""
    exact, y = ExactGaussian(1.0, 0.25), tensor(4.0)[:, None, None]
    for s, s_next in ((0.05, 5.0), (5.0, 0.05)):
        expected = 1 + 3 * math.sqrt((0.25 + s_next**2) / (0.25 + s**2))
        errors = [transport(exact, y, levels(n, s, s_next)).item() / expected - 1 for n in (80, 160)]
        assert abs(errors[1]) < 1e-3 and math.log2(errors[0] / errors[1]) == pytest.approx(2, abs=0.1)


def quantiles(s: float) -> torch.Tensor:
    """Of the mixture noised to s, 2 to 98 %; the flow keeps quantiles, which makes them its exact solution in one dimension."""
    width = np.sqrt(STDS.numpy() ** 2 + s**2)

    def solve(p: float) -> float:
        return optimize.brentq(lambda y: (WEIGHTS.numpy() * special.ndtr((y - MEANS.numpy()) / width)).sum() - p, -20, 20, xtol=1e-14)

    return tensor(*[solve(p) for p in np.linspace(0.02, 0.98, 25)])[:, None, None]


def test_quantiles_of_a_mixture_are_encoded_and_decoded():
    """RMS error of the decoded ones at 320 steps: another implementation had 1.4e-5 on its choice of quantiles."""
    clean, noisy = quantiles(0.05), quantiles(5.0)
    decoded = transport(MIXTURE, noisy, levels(320, 5.0, 0.05))
    assert (decoded - clean).square().mean().sqrt().item() < 1.5e-5
    encoded = transport(MIXTURE, clean, levels(320, 0.05, 5.0))
    torch.testing.assert_close(encoded, noisy, rtol=0, atol=3e-3)
    torch.testing.assert_close(transport(MIXTURE, encoded, levels(320, 5.0, 0.05)), clean, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("order", "steps", "bound"), [(2, 400, 5e-4), (4, 200, 1e-6)])
def test_encoding_and_decoding_are_exact_and_inverse(order, steps, bound):
    """On s in [0.05, 5]: another implementation was off by 2.4e-4 with Heun at 400 steps, and by 2.6e-7 with RK4 in gamma at 200."""
    clean, noisy, seen = quantiles(0.05), quantiles(5.0), []

    def counted(y: torch.Tensor, gamma: torch.Tensor) -> torch.Tensor:
        seen.append(gamma)
        return MIXTURE(y, gamma)

    encoded = transport(counted, clean, levels(steps, 0.05, 5.0), order=order)
    assert len(seen) == order * steps
    torch.testing.assert_close(encoded, noisy, rtol=0, atol=bound)
    torch.testing.assert_close(transport(MIXTURE, noisy, levels(steps, 5.0, 0.05), order=order), clean, rtol=0, atol=bound)
    torch.testing.assert_close(transport(MIXTURE, encoded, levels(steps, 5.0, 0.05), order=order), clean, rtol=0, atol=bound)


def test_the_method_of_runge_and_kutta_has_order_four():
    """RMS error of decoded quantiles: another implementation had 2.8e-9 at 320 steps and an observed order of 3.96 from 160."""
    errors = [
        (transport(MIXTURE, quantiles(5.0), levels(n, 5.0, 0.05), order=4) - quantiles(0.05)).square().mean().sqrt() for n in (80, 160)
    ]
    assert errors[1] < 16 * 2.8e-9 * 1.5 and math.log2(errors[0] / errors[1]) == pytest.approx(4, abs=0.15)


def test_the_log_likelihood_of_a_gaussian_with_order_two():
    """Against ln N(y; 1, 0.25 + s^2) on s in [0.002, 80], RMS over the law; another implementation had 1.7e-4 at 400 levels."""
    y = 1 + 0.5 * torch.special.ndtri((torch.arange(500, dtype=torch.float64) + 0.5) / 500)[:, None, None]
    closed = torch.distributions.Normal(1.0, math.sqrt(0.25 + 0.002**2)).log_prob(y.flatten())
    errors = []
    for n in (200, 400):
        found = log_likelihood(ExactGaussian(1.0, 0.25), y, levels(n, 0.002, 80.0), mean=1.0, variance=0.25)
        assert found.dtype == torch.float64 and found.shape == (500,)
        errors.append((found - closed).square().mean().sqrt().item())
    assert errors[1] < 1.7e-4 and math.log2(errors[0] / errors[1]) == pytest.approx(2, abs=0.1)


def test_the_log_likelihood_of_a_mixture():
    y = tensor(-1.2, -0.2, 0.6, 1.5, 2.0)
    parts = torch.distributions.Normal(MEANS, (STDS**2 + 0.02**2).sqrt())
    law = torch.distributions.MixtureSameFamily(torch.distributions.Categorical(WEIGHTS), parts)
    found = log_likelihood(MIXTURE, y[:, None, None], levels(200, 0.02, 80.0), mean=0.5, variance=1.56)
    torch.testing.assert_close(found, law.log_prob(y), rtol=0, atol=5e-3)


def many() -> tuple[Mixture, torch.Tensor]:
    generator = torch.Generator().manual_seed(2)
    means = torch.randn(2, 2, 2, generator=generator, dtype=torch.float64)
    return Mixture(tensor(0.3, 0.7), means, tensor(0.5, 0.2)), torch.randn(3, 2, 2, generator=generator, dtype=torch.float64)


def test_the_trace_over_all_signs_is_exact():
    mixture, y = many()
    gamma = levels(20, 0.1, 20.0)
    signs = [tensor(*s).reshape(1, 2, 2).expand(3, 2, 2) for s in itertools.product((-1.0, 1.0), repeat=4)]
    exact = log_likelihood(mixture, y, gamma)
    torch.testing.assert_close(log_likelihood(mixture, y, gamma, probes=signs), exact, rtol=1e-12, atol=1e-12)
    one = log_likelihood(mixture, y, gamma, probes=signs[3:4])
    assert (one - exact).abs().max() > 1e-3


def test_any_signs_are_exact_for_independent_cells():
    y = torch.randn(3, 2, 5, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    exact, gamma = ExactGaussian(0.3, torch.linspace(0.1, 2, 5, dtype=torch.float64)), levels(20, 0.1, 20.0)
    probes = rademacher(Draws.drawing(0, ["a", "b", "c"]), (2, 5), 2)
    assert all(p.shape == (3, 2, 5) and (p.abs() == 1).all() for p in probes) and not torch.equal(*probes)
    found = log_likelihood(exact, y, gamma, probes=probes)
    torch.testing.assert_close(found, log_likelihood(exact, y, gamma), rtol=1e-12, atol=1e-12)


def test_masked_cells_do_not_count():
    exact, gamma = ExactGaussian(0.3, 0.5), levels(20, 0.1, 20.0)
    y = torch.randn(3, 1, 4, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    mask = torch.tensor([True, False, True, True]).expand(1, 1, 4)
    found = log_likelihood(lambda y, g: torch.where(mask, exact(y, g), 0.0), torch.where(mask, y, 0.0), gamma, mask=mask)
    torch.testing.assert_close(found, log_likelihood(exact, y[..., [0, 2, 3]], gamma), rtol=1e-12, atol=1e-12)


def test_wrong_levels_and_probes():
    y = torch.zeros(1, 1, 1, dtype=torch.float64)
    with pytest.raises(ValueError, match=r"gamma must be strictly monotone, got \[0\.0, 1\.0, 1\.0\]"):
        transport(MIXTURE, y, tensor(0.0, 1.0, 1.0))
    with pytest.raises(ValueError, match=r"order must be one of 2, 4, got 3"):
        transport(MIXTURE, y, tensor(0.0, 1.0), order=3)
    with pytest.raises(ValueError, match="gamma must decrease, clean to noisy, to encode; got increasing levels"):
        log_likelihood(MIXTURE, y, tensor(0.0, 1.0))
    with pytest.raises(ValueError, match="probes must be at least one field, or None for the exact trace; got none"):
        log_likelihood(MIXTURE, y, tensor(1.0, 0.0), probes=[])
    with pytest.raises(ValueError, match=r"mask must have the shape \(1, 1, 1\), or 1 row, or 1 channel, got \(1, 1, 2\)"):
        log_likelihood(MIXTURE, y, tensor(1.0, 0.0), mask=torch.ones(1, 1, 2, dtype=torch.bool))


def test_a_likelihood_keeps_no_graph():
    """Its trace is of detached states, so a gradient through it would be wrong; and a network's graph of every level would be kept."""
    weight = torch.nn.Parameter(torch.tensor(0.5, dtype=torch.float64))
    graphs = []

    def denoise(y: torch.Tensor, gamma: torch.Tensor) -> torch.Tensor:
        graphs.append(y.requires_grad)
        return weight * y

    gamma = torch.linspace(4, -4, 5, dtype=torch.float64)
    y = torch.ones(2, 1, 3, dtype=torch.float64, requires_grad=True)
    for probes in (None, [torch.ones(2, 1, 3)]):
        assert not log_likelihood(denoise, y, gamma, probes=probes).requires_grad
    one_level = [True, False]  # for the trace, and for the second half of Heun's step
    assert graphs == 2 * (4 * one_level + [True])
