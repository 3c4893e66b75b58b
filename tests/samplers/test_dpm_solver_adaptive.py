import math

import pytest
import torch
from scipy import optimize, stats
from torch.utils._python_dispatch import TorchDispatchMode

from wxexp.diffusion.denoisers import ExactGaussian, Mixture
from wxexp.samplers import DPMSolver3, DPMSolverAdaptive
from wxexp.samplers.dpm_solver_adaptive import _embedded

GAMMA = torch.linspace(-2 * math.log(5), -2 * math.log(0.05), 12, dtype=torch.float64)
MIXTURE = Mixture(
    torch.tensor([0.4, 0.6], dtype=torch.float64),
    torch.tensor([-1.0, 1.5], dtype=torch.float64)[:, None, None],
    torch.tensor([0.09, 0.04], dtype=torch.float64),
)


def counted(denoise):
    calls = []

    def call(y, gamma):
        calls.append(gamma)
        return denoise(y, gamma)

    return call, calls


def test_the_embedded_steps_are_those_of_the_paper():
    """Lu et al. 2022a, algorithms 1 (r1 = 1/3) and 2 in the variance-preserving state, rows at levels and with steps of their own."""
    y = torch.linspace(-9, 9, 4, dtype=torch.float64)[:, None, None]
    here, h = torch.tensor([-3.0, -2.0, 0.0, 1.0], dtype=torch.float64), torch.tensor([0.5, 0.1, 0.8, 0.3], dtype=torch.float64)
    third, difference = _embedded(MIXTURE, y, here, h)

    def of(g):
        return g[:, None, None]

    def alpha(g):
        return of(torch.sigmoid(g).sqrt())

    def sigma(g):
        return of(torch.sigmoid(-g).sqrt())

    def eps(z, g):
        return (z - alpha(g) * MIXTURE(z / alpha(g), g)) / sigma(g)

    there, middle, z = here + 2 * h, here + 2 * h / 3, alpha(here) * y
    e = eps(z, here)
    u = alpha(middle) / alpha(here) * z - sigma(middle) * of(torch.expm1(h / 3)) * e
    second = alpha(there) / alpha(here) * z - sigma(there) * of(torch.expm1(h)) * (e + 1.5 * (eps(u, middle) - e))
    torch.testing.assert_close(alpha(there) * (third + difference), second, rtol=1e-12, atol=1e-12)
    for row in range(4):
        one = DPMSolver3(terminal="keep").sample(MIXTURE, y[row : row + 1], torch.stack([here[row], there[row]]), None)
        torch.testing.assert_close(third[row : row + 1], one, rtol=1e-12, atol=1e-12)


def quantile(p: float, s: float) -> float:
    """Of the mixture noised to s, which the flow keeps."""
    width = [math.hypot(0.3, s), math.hypot(0.2, s)]
    return optimize.brentq(
        lambda y: 0.4 * stats.norm.cdf(y, -1.0, width[0]) + 0.6 * stats.norm.cdf(y, 1.5, width[1]) - p, -30, 30, xtol=1e-14
    )


def test_the_error_falls_with_the_third_power_of_the_evaluations():
    """As tolerances fall, for members of the mixture."""
    y, exact = (
        torch.tensor([quantile(p, s) for p in (0.1, 0.3, 0.35, 0.5, 0.7, 0.9)], dtype=torch.float64)[:, None, None] for s in (5.0, 0.05)
    )
    found = []
    for tolerance in (1e-7, 1e-8):
        denoise, calls = counted(MIXTURE)
        x = DPMSolverAdaptive(terminal="keep", rtol=tolerance, atol=tolerance).sample(denoise, y, GAMMA, None)
        found.append((len(calls), (x - exact).square().mean().sqrt().item()))
    (few, large), (many, small) = found
    assert small < 1e-8 and math.log(large / small) / math.log(many / few) == pytest.approx(3, abs=0.15)


def test_a_step_that_is_too_long_is_tried_again_shorter():
    """From the first level to the last at once: the error stays of the size of the tolerance, and levels are tried more than once."""
    denoise, calls = counted(ExactGaussian(1.0, 0.25))
    y = torch.full((1, 1, 1), 6.0, dtype=torch.float64)
    x = DPMSolverAdaptive(terminal="keep", rtol=1e-3, atol=1e-3).sample(denoise, y, GAMMA[[0, -1]], None)
    assert x.item() == pytest.approx(1 + 5 * math.sqrt((0.25 + 0.05**2) / (0.25 + 25)), abs=5e-3)
    starts = [gamma.item() for gamma in calls[::3]]
    assert starts[0] == starts[1] and len(set(starts)) > 3


def test_tolerances_are_those_of_the_variance_preserving_state():
    """From s = 80 to 0.002 at once: relative to the state at s = 80 any end is near, relative to what it becomes the step is too long."""
    ends = torch.tensor([-2 * math.log(80.0), -2 * math.log(0.002)], dtype=torch.float64)
    denoise, calls = counted(ExactGaussian(1.0, 0.25))
    x = DPMSolverAdaptive().sample(denoise, torch.full((1, 1, 1), 81.0, dtype=torch.float64), ends, None)
    assert x.item() == pytest.approx(1.5, abs=0.05) and 20 < len(calls) < 100


def test_cells_without_data_do_not_count():
    """Masked cells are 0 in state and estimate; a member takes the same steps with and without them."""
    gaussian, y = ExactGaussian(1.0, 0.25), torch.linspace(-8, 8, 6, dtype=torch.float64).reshape(2, 1, 3)
    denoise, calls = counted(gaussian)
    alone = DPMSolverAdaptive().sample(denoise, y, GAMMA, None)
    masked, more = counted(lambda y, gamma: torch.where(torch.arange(90) < 3, gaussian(y, gamma), 0.0))
    x = DPMSolverAdaptive().sample(masked, torch.nn.functional.pad(y, (0, 87)), GAMMA, None)
    torch.testing.assert_close(x[..., :3], alone, rtol=1e-12, atol=1e-12)
    assert (x[..., 3:] == 0).all() and len(calls) == len(more)


def test_members_that_have_arrived_stay():
    """A member on which the tolerance is never felt arrives early and waits for the other at the last level."""
    denoise, calls = counted(lambda y, gamma: torch.where(torch.tensor([True, False])[:, None, None], MIXTURE(y, gamma), 0.5 * y))
    y = torch.tensor([4.0, 1e-6], dtype=torch.float64)[:, None, None]
    x = DPMSolverAdaptive(rtol=1e-4, atol=1e-5).sample(denoise, y, GAMMA, None)
    assert x.isfinite().all()
    here = torch.stack([gamma.expand(2) for gamma in calls[::3]])
    waits = (here[:-1, 1] == GAMMA[-1]).sum()
    assert waits > 2 and (here.diff(dim=0) >= 0).all()


def test_the_device_is_waited_for_once_an_attempt():
    class Reads(TorchDispatchMode):
        reads = 0

        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            self.reads += func is torch.ops.aten._local_scalar_dense.default
            return func(*args, **(kwargs or {}))

    denoise, calls = counted(MIXTURE)
    with Reads() as mode:
        DPMSolverAdaptive().sample(denoise, torch.full((3, 1, 1), 4.0, dtype=torch.float64), GAMMA, None)
        assert mode.reads <= len(calls) // 3
        torch.ones(()).item()
        assert mode.reads > 0


def test_it_gives_up():
    y = torch.full((1, 1, 1), 4.0, dtype=torch.float64)
    message = r"at noise level s = \d\S* after 3 attempted steps; allow more attempts, or larger errors than rtol = 1e-06 and atol = 1e-06"
    with pytest.raises(FloatingPointError, match=message):
        DPMSolverAdaptive(rtol=1e-6, atol=1e-6, attempts=3).sample(MIXTURE, y, GAMMA, None)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"rtol": 0.0}, r"DPMSolverAdaptive\.rtol must be positive and finite, got 0\.0"),
        ({"atol": math.inf}, r"DPMSolverAdaptive\.atol must be positive and finite, got inf"),
        ({"attempts": 0}, r"DPMSolverAdaptive\.attempts must be at least 1, got 0"),
    ],
)
def test_wrong_values(wrong, message):
    with pytest.raises(ValueError, match=message):
        DPMSolverAdaptive(**wrong)
