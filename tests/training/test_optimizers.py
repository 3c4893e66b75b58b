import math

import pytest
import torch
from torch import nn

from wxexp.experiment import AdamW, Training
from wxexp.interfaces import Phase
from wxexp.training.optimizers import PhaseOptimizer, schedule


def test_warmup_reaches_the_rate_exactly_and_the_end_is_final_exactly():
    rate = schedule(AdamW(rate=0.3, warmup=1000, final=0.07), samples=10_000, batch_size=32)
    # ceil(1000 / 32) = 32 steps of warm-up, ceil(10000 / 32) = 313 steps
    assert rate(31) == 0.3
    assert rate(312) == 0.07
    assert rate(15) == 0.15  # half-way up
    assert rate(0) == pytest.approx(0.3 / 32)
    half = 31 + (313 - 32) / 2
    assert (rate(math.floor(half)) + rate(math.ceil(half))) / 2 == pytest.approx((0.3 + 0.07) / 2)  # the middle of half a cosine
    falling = [rate(n) for n in range(31, 313)]
    assert falling == sorted(falling, reverse=True)


def test_no_warmup_starts_at_the_rate():
    rate = schedule(AdamW(rate=1e-3, warmup=0), samples=100, batch_size=10)
    assert rate(0) == 1e-3
    assert rate(9) == 0.0


def test_the_rate_is_a_function_of_samples():
    """Twice the batch, half the steps: the same rate after the same samples."""
    spec = AdamW(rate=1e-3, warmup=640, final=1e-5)
    one, two = (schedule(spec, samples=6400, batch_size=b) for b in (32, 64))
    for number in range(100):
        assert two(number) == pytest.approx(one(2 * number + 1), rel=1e-12)


def test_training_shorter_than_the_warmup_stays_on_the_ramp():
    rate = schedule(AdamW(rate=1.0, warmup=1000), samples=100, batch_size=10)
    assert [rate(n) for n in range(10)] == pytest.approx([0.01 * (n + 1) for n in range(10)])


def test_clipping_and_the_norm_before_it():
    weights = nn.Parameter(torch.zeros(2, dtype=torch.float64))
    weights.grad = torch.tensor([3.0, 4.0], dtype=torch.float64)
    optimizer = PhaseOptimizer(Phase("network", ()), [weights], Training(samples=1, batch_size=1, clip=1.0))
    assert float(optimizer.step(0)) == 5.0
    torch.testing.assert_close(weights.grad, torch.tensor([0.6, 0.8], dtype=torch.float64), rtol=1e-5, atol=0)


def test_phases_may_have_their_own_optimizer():
    weights = nn.Parameter(torch.zeros(1))
    phase = Phase("critic", (), AdamW(rate=0.5, warmup=0))
    optimizer = PhaseOptimizer(phase, [weights], Training(samples=4, batch_size=2, clip=None))
    weights.grad = torch.ones(1)
    optimizer.step(0)
    assert float(weights.detach()) == pytest.approx(-0.5, rel=1e-6)  # the first step of Adam is the rate, whatever the gradient
