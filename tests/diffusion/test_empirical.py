import math

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from scipy.special import softmax

from wxexp.diffusion.denoisers import Mixture
from wxexp.diffusion.empirical import Empirical

GAMMA = torch.tensor([-6.0, 0.0, 3.0, 6.0, 1.5], dtype=torch.float64)


def fields(rows: int, seed: int) -> torch.Tensor:
    return torch.randn(rows, 2, 3, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


SAMPLES, Y = fields(53, 1), fields(5, 2)


def test_it_is_the_mean_of_the_samples_by_their_likelihood():
    """By SciPy's distances and softmax, a noise level for each row."""
    exponent = -cdist(Y.flatten(1), SAMPLES.flatten(1), "sqeuclidean") * np.exp(GAMMA.numpy())[:, None] / 2
    expected = softmax(exponent, axis=1) @ SAMPLES.flatten(1).numpy()
    np.testing.assert_allclose(Empirical(SAMPLES)(Y, GAMMA).flatten(1), expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("chunk", [1, 7, 52, 53, 1000])
def test_chunks_change_nothing(chunk):
    for gamma in (GAMMA, torch.tensor(14.0, dtype=torch.float64)):  # the latter a level of s = 1e-3
        whole = Empirical(SAMPLES, chunk=53)(Y, gamma)
        torch.testing.assert_close(Empirical(SAMPLES, chunk=chunk)(Y, gamma), whole, rtol=1e-12, atol=1e-12)


def test_it_is_a_mixture_of_diracs():
    diracs = Mixture(torch.full((53,), 1 / 53, dtype=torch.float64), SAMPLES, torch.zeros(53, dtype=torch.float64))
    torch.testing.assert_close(Empirical(SAMPLES, chunk=10)(Y, GAMMA), diracs(Y, GAMMA), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("chunk", [10, 1000])
def test_samples_may_have_weights_of_their_own_in_each_row(chunk):
    """A mixture of Diracs of those weights, which need be known up to a factor only."""
    log_weights = 3 * torch.randn(5, 53, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    found = Empirical(SAMPLES, chunk=chunk)(Y, GAMMA, log_weights=log_weights + 7)
    for row in range(5):
        diracs = Mixture(log_weights[row].softmax(0), SAMPLES, torch.zeros(53, dtype=torch.float64))
        torch.testing.assert_close(found[row : row + 1], diracs(Y[row : row + 1], GAMMA[row]), rtol=1e-11, atol=1e-12)


def test_its_derivative_is_that_of_a_mixture_of_diracs():
    """What guidance by observations and likelihoods need."""
    diracs = Mixture(torch.full((53,), 1 / 53, dtype=torch.float64), SAMPLES, torch.zeros(53, dtype=torch.float64))
    pulled = []
    for denoise in (Empirical(SAMPLES, chunk=10), diracs):
        y = Y.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(denoise(y, GAMMA), y, fields(5, 3))
        pulled.append(gradient)
    torch.testing.assert_close(*pulled, rtol=1e-9, atol=1e-12)
    assert pulled[0][1].abs().max() > 1e-3


def test_much_noise_gives_the_mean_and_little_the_nearest_sample():
    far, near = (torch.tensor(-2 * math.log(s), dtype=torch.float64) for s in (1e6, 1e-3))
    mean = SAMPLES.mean(0).expand_as(Y)
    torch.testing.assert_close(Empirical(SAMPLES, chunk=8)(Y, far), mean, rtol=0, atol=1e-9)
    nearest = SAMPLES[torch.from_numpy(cdist(Y.flatten(1), SAMPLES.flatten(1)).argmin(1))]
    torch.testing.assert_close(Empirical(SAMPLES, chunk=8)(Y, near), nearest, rtol=0, atol=0)


def test_float32_is_finite_where_every_exponential_underflows():
    found = Empirical(SAMPLES.float(), chunk=8)(100 * Y.float(), torch.tensor(-2 * math.log(1e-3)))
    assert found.dtype == torch.float32 and found.isfinite().all()
    nearest = SAMPLES[torch.from_numpy(cdist(100 * Y.flatten(1), SAMPLES.flatten(1)).argmin(1))]
    torch.testing.assert_close(found, nearest.float(), rtol=0, atol=0)


def test_memory_is_that_of_a_chunk():
    """No tensor of N x K or more arises, at N = 5 and K = 20 000; fields of three cells."""
    largest = 0

    class Watch(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            nonlocal largest
            out = func(*args, **(kwargs or {}))
            if isinstance(out, torch.Tensor) and out.untyped_storage().data_ptr() != samples.untyped_storage().data_ptr():
                largest = max(largest, out.numel())
            return out

    samples = torch.linspace(-3, 3, 60_000, dtype=torch.float64).reshape(20_000, 1, 3)
    denoise, y = Empirical(samples, chunk=500), torch.zeros(5, 1, 3, dtype=torch.float64)
    with Watch():
        denoise(y, GAMMA)
    assert 2500 <= largest < 20_000


def test_masked_cells_do_not_count_and_nan_there_is_harmless():
    mask = torch.ones(1, 1, 3, 4, dtype=torch.bool)
    mask[..., 1, 2:] = False
    found = Empirical(torch.where(mask, SAMPLES, math.nan), mask=mask)(torch.where(mask, Y, math.inf), GAMMA)
    assert (found[..., 1, 2:] == 0).all()
    valid = mask[0, 0].flatten()
    alone = Empirical(SAMPLES.flatten(2)[..., valid])(Y.flatten(2)[..., valid], GAMMA)
    torch.testing.assert_close(found.flatten(2)[..., valid], alone, rtol=1e-12, atol=1e-13)


def test_it_moves_with_its_samples():
    assert Empirical(SAMPLES).to("meta").samples.device.type == "meta"
    assert Empirical(SAMPLES).state_dict() == {}  # training data are in no checkpoint


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Empirical(SAMPLES[:0]), r"Empirical\.samples must be at least one, got none"),
        (lambda: Empirical(SAMPLES, chunk=0), r"Empirical\.chunk must be at least 1, got 0"),
        (lambda: Empirical(SAMPLES / 0), r"Empirical\.samples must be finite in valid cells, got NaN or infinity"),
        (
            lambda: Empirical(SAMPLES, mask=torch.ones(1, 1, 4, 3, dtype=torch.bool)),
            r"Empirical\.mask must have the shape \(1, 2, 3, 4\), or 1 row, or 1 channel, got \(1, 1, 4, 3\)",
        ),
        (lambda: Empirical(SAMPLES)(Y[..., :2], GAMMA), r"Empirical\.samples are fields \(2, 3, 4\), and the state is \(2, 3, 2\)"),
    ],
)
def test_wrong_values(make, message):
    with pytest.raises(ValueError, match=message):
        make()
