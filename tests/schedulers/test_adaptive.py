import math

import numpy as np
import pytest
import torch
from scipy import integrate

from wxexp.interfaces.learning import Group
from wxexp.schedulers import Adaptive

ALONE = Group()


def adapted(shape, updates: int = 500, **changes):
    """Updated on Gaussian data of unit variance, of which an exact network has eps-loss sigmoid(gamma), with noisy errors weighted by w."""
    schedule = Adaptive(gamma_min=-10.0, gamma_max=10.0, decay=0.99, **changes).build()
    random = np.random.default_rng(0)
    for _ in range(updates):
        gamma = schedule.gamma(torch.from_numpy((np.arange(1024) / 1024 + random.random()) % 1))
        schedule.update(gamma, shape(gamma) * torch.from_numpy(random.chisquare(40, 1024) / 40), ALONE)
    return schedule


def distance(schedule, integral) -> float:
    """Total variation distance between the bins and those of the density with this integral."""
    exact = -np.diff(integral(np.linspace(10, -10, len(schedule.mean) + 1)))
    return 0.5 * np.abs(schedule.probability().numpy() - exact / exact.sum()).sum()


def test_the_density_becomes_that_of_the_weighted_error():
    """With w = exp(-gamma / 2) it is sech(gamma / 2) / 2, whose integral is 2 arctan(tanh(gamma / 4)), to 0.02 in total variation."""
    schedule = adapted(lambda gamma: torch.exp(-gamma / 2) * torch.sigmoid(gamma))
    assert distance(schedule, lambda g: 2 * np.arctan(np.tanh(g / 4))) <= 0.02


def test_the_density_becomes_that_of_the_unweighted_error():
    """With w = 1 it is sigmoid(gamma), whose integral is softplus(gamma)."""
    assert distance(adapted(torch.sigmoid), lambda g: np.logaddexp(0, g)) <= 0.02


def test_a_bin_without_error_keeps_its_floor():
    schedule = adapted(lambda gamma: (gamma > 0).double(), floor=0.5)
    np.testing.assert_allclose(schedule.probability()[50:], 0.5 / 100, rtol=1e-6)
    assert schedule.probability().sum().item() == pytest.approx(1, abs=1e-13)


def uneven():
    schedule = Adaptive(gamma_min=-4.0, gamma_max=4.0, bins=8).build()
    schedule.mean.copy_(torch.tensor([0.0, 1.0, 5.0, 0.2, 0.2, 3.0, 1.0, 0.5]))
    return schedule


def test_it_starts_uniform_as_its_spec_says():
    t, gamma = torch.linspace(0, 1, 21, dtype=torch.float64), torch.linspace(-20, 20, 21, dtype=torch.float64)
    schedule = Adaptive().build()
    torch.testing.assert_close(schedule.gamma(t), 20 - 40 * t, rtol=0, atol=1e-12)
    torch.testing.assert_close(schedule.log_density(gamma).exp(), torch.full_like(gamma, 1 / 40), rtol=1e-13, atol=0)
    torch.testing.assert_close(Adaptive().gamma(t), schedule.gamma(t), rtol=0, atol=1e-12)


def test_an_adapted_density_integrates_to_one_and_is_the_derivative_of_its_time():
    schedule = uneven()
    edges = np.linspace(-4, 4, 9)
    density = lambda g: schedule.log_density(torch.tensor(g, dtype=torch.float64)).exp().item()  # noqa: E731
    assert integrate.quad(density, -4, 4, points=edges[1:-1])[0] == pytest.approx(1, abs=1e-10)
    gamma = torch.linspace(-3.9, 3.9, 79, dtype=torch.float64).requires_grad_()
    (slope,) = torch.autograd.grad(schedule.time(gamma).sum(), gamma)
    np.testing.assert_allclose(-slope, schedule.log_density(gamma).exp().detach(), rtol=1e-10)
    assert schedule.log_density(torch.tensor([-4.1, 4.1])).isneginf().all()


def test_what_a_plot_draws_is_the_density():
    edges, density = uneven().density()
    assert edges.tolist() == [-4, -3, -2, -1, 0, 1, 2, 3, 4] and density.sum().item() == pytest.approx(1, abs=1e-14)
    torch.testing.assert_close(density, uneven().log_density(edges[:-1] + 0.5).exp(), rtol=1e-14, atol=0)
    # the cleanest bin has seen no errors, the third cleanest the largest
    assert density.argmin() == 7 and density.argmax() == 5


def test_an_adapted_time_is_the_inverse_of_gamma():
    schedule, t = uneven(), torch.linspace(0, 1, 1001, dtype=torch.float64)
    gamma = schedule.gamma(t)
    assert (gamma.diff() < 0).all() and gamma[0] == 4 and gamma[-1] == -4
    torch.testing.assert_close(schedule.time(gamma), t, rtol=0, atol=1e-10)
    assert schedule.log_density(gamma).isfinite().all()


def test_one_update_is_the_running_mean_of_each_bin():
    """Bins of width 2, the cleanest first: three errors in the first, one in the last, two that are no numbers; decay 0.9."""
    schedule = Adaptive(gamma_min=-4.0, gamma_max=4.0, bins=4, decay=0.9).build()
    gamma = torch.tensor([3.0, 2.5, 3.9, -3.0, -3.0, 1.0], dtype=torch.float64)
    schedule.update(gamma, torch.tensor([1.0, 2.0, 6.0, 0.5, math.nan, math.inf]), ALONE)
    np.testing.assert_allclose(schedule.mean, [0.729 * 1 + 0.271 * 3, 1, 1, 0.9 * 1 + 0.1 * 0.5], rtol=1e-14)
    assert schedule.dropped.item() == 2
    schedule.update(gamma[:1], torch.tensor([5.0]), ALONE)  # a batch of one
    assert schedule.mean[0].item() == pytest.approx(0.9 * 1.542 + 0.1 * 5, rel=1e-14)
    schedule.update(gamma[:0], torch.tensor([]), ALONE)  # and a rank without samples
    assert schedule.dropped.item() == 2


class Other(Group):
    """A group of two whose other rank has told its sums; tells its own."""

    def __init__(self, theirs=0.0) -> None:
        super().__init__(rank=0, size=2)
        self.theirs, self.told = theirs, None

    def all_reduce(self, x):
        self.told = x.clone()
        return x + self.theirs


def test_two_ranks_are_one():
    random = np.random.default_rng(1)
    gamma, error = torch.from_numpy(random.uniform(-20, 20, 64)), torch.from_numpy(random.exponential(size=64))
    error[[5, 40, 41]] = math.nan
    one, told = Adaptive().build(), []
    one.update(gamma, error, ALONE)
    halves = [slice(0, 23), slice(23, None)]
    for half in halves:
        group = Other()
        Adaptive().build().update(gamma[half], error[half], group)
        told.append(group.told)
    for half, theirs in zip(halves, reversed(told), strict=True):
        rank = Adaptive().build()
        rank.update(gamma[half], error[half], Other(theirs))
        torch.testing.assert_close(rank.mean, one.mean, rtol=1e-14, atol=0)
        assert rank.dropped == one.dropped == 3


def test_the_state_is_in_checkpoints():
    schedule = uneven()
    schedule.dropped += 3
    again = Adaptive(gamma_min=-4.0, gamma_max=4.0, bins=8).build()
    again.load_state_dict(schedule.state_dict())
    t = torch.linspace(0, 1, 11, dtype=torch.float64)
    assert torch.equal(again.gamma(t), schedule.gamma(t)) and again.dropped == 3


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"gamma_min": 20.0}, r"Adaptive\.gamma_min must be below gamma_max = 20\.0, got 20\.0"),
        ({"bins": 0}, r"Adaptive\.bins must be at least 1, got 0"),
        ({"decay": 1.0}, r"Adaptive\.decay must be in \[0, 1\), got 1\.0"),
        ({"floor": 0.0}, r"Adaptive\.floor must be in \(0, 1\], got 0\.0"),
    ],
)
def test_wrong_values(wrong, message):
    with pytest.raises(ValueError, match=message):
        Adaptive(**wrong)
