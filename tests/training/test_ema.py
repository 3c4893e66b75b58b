import pytest
import torch
from torch import nn

from wxexp.training import EMA, decay


def test_half_of_the_past_is_left_after_a_half_life():
    kept = 1.0
    for number in range(50):
        kept *= decay(number * 10, batch_size=10, half_life=500, rampup=None)
    assert kept == pytest.approx(0.5, rel=1e-12)


def test_rampup_limits_the_half_life_to_a_part_of_the_samples_seen():
    # 0.05 * 2000 = 100 samples: a batch of 100 halves the past
    assert decay(2000, batch_size=100, half_life=500, rampup=0.05) == 0.5
    assert decay(10_000, batch_size=500, half_life=500, rampup=0.05) == 0.5  # 500 samples from here on
    assert decay(20_000, batch_size=500, half_life=500, rampup=0.05) == 0.5
    assert decay(0, batch_size=100, half_life=500, rampup=0.05) == 0.0


def module():
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    net[1].requires_grad_(False)
    net.register_buffer("seen", torch.zeros(1))
    return net


def test_a_step_response_is_an_exponential():
    """Weights that jump from 0 to 1 and stay: after n steps the average is 1 - beta^n."""
    net = module()
    nn.init.zeros_(net[0].weight)
    ema = EMA(net, batch_size=10, half_life=40, rampup=None)
    nn.init.ones_(net[0].weight)
    for number in range(8):
        ema.update(number)
    torch.testing.assert_close(ema.weights["0.weight"], torch.full((2, 2), 0.75))  # two half-lives


def test_only_trainable_parameters_are_averaged():
    assert EMA(module(), batch_size=1, half_life=1, rampup=None).weights.keys() == {"0.weight", "0.bias"}


def test_a_ramp_starts_with_the_weights():
    net = module()
    ema = EMA(net, batch_size=10, half_life=40, rampup=0.05)
    nn.init.constant_(net[0].weight, 7.0)
    ema.update(0)
    assert torch.equal(ema.weights["0.weight"], net[0].weight)


def test_applied_exchanges_the_weights_and_gives_them_back():
    net = module()
    ema = EMA(net, batch_size=1, half_life=1, rampup=None)
    average = ema.weights["0.weight"].clone()
    nn.init.ones_(net[0].weight)
    parameter = net[0].weight
    with pytest.raises(RuntimeError, match="inside"), ema.applied():
        assert net[0].weight is parameter and torch.equal(parameter, average)
        assert torch.equal(ema.weights["0.weight"], torch.ones(2, 2))
        raise RuntimeError("inside")
    assert torch.equal(parameter, torch.ones(2, 2)) and torch.equal(ema.weights["0.weight"], average)


def test_channels_last_stays():
    net = nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last)
    weights = EMA(net, batch_size=1, half_life=1, rampup=None).weights
    assert weights["weight"].is_contiguous(memory_format=torch.channels_last)


def test_load_copies_into_place():
    net = module()
    ema = EMA(net, batch_size=1, half_life=1, rampup=None)
    saved = {name: torch.full_like(x, 3.0) for name, x in ema.weights.items()}
    ema.load(saved)
    saved["0.bias"].zero_()
    assert all(bool((x == 3).all()) for x in ema.weights.values())
