import dataclasses

import numpy as np
import pytest
import torch

from wxexp.fields.grid import Grid
from wxexp.interfaces import Inputs, Network, Ports
from wxexp.models import SongUNet

PLANE = Grid("latlon", np.linspace(40, 50, 16), np.linspace(0, 10, 24))
GLOBE = Grid("latlon", np.linspace(-80, 80, 16), np.arange(24) * 15.0, periodic_x=True)
RING = Grid("ring", None, np.arange(40.0))


def ports(grid: Grid, **kwargs) -> Ports:
    return dataclasses.replace(Ports(target=2, condition=3, static=1, out=2, level=1, grid=grid), **kwargs)


def build(grid: Grid, of: Ports | None = None, **kwargs) -> Network:
    """With every parameter drawn, as many start at zero."""
    network = SongUNet(**{"channels": 16, "multipliers": (1, 2), "blocks": 1, "embedding": 16, **kwargs}).build(of or ports(grid), None)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(0.1 * torch.randn(parameter.shape, generator=generator))
    return network.eval()


def inputs(*size: int, rows: int = 2, **kwargs) -> tuple[torch.Tensor, Inputs]:
    generator = torch.Generator().manual_seed(1)
    x, condition = (torch.randn(rows, c, *size, generator=generator) for c in (2, 3))
    static = torch.randn(1, 1, *size, generator=generator)
    origin = torch.zeros(rows, len(size), dtype=torch.int64)
    return x, Inputs(condition, static, torch.zeros(rows), origin, level=torch.tensor([[0.1], [-1.0]])[:rows], **kwargs)


def rolled(x: torch.Tensor, given: Inputs, by: int) -> tuple[torch.Tensor, Inputs]:
    roll = lambda f: f.roll(by, -1)  # noqa: E731
    return roll(x), dataclasses.replace(given, condition=roll(given.condition), static=roll(given.static))


@torch.no_grad()
def test_it_starts_at_zero():
    """So that with EDM the first estimate is exact for Gaussian data."""
    x, given = inputs(16, 24)
    assert (SongUNet(channels=16).build(ports(PLANE), None)(x, given) == 0).all()


@pytest.mark.parametrize("grid", [RING, GLOBE], ids=["ring", "globe"])
@torch.no_grad()
def test_what_is_periodic_has_no_seam(grid):
    """Turning the input by a whole coarse cell turns the output."""
    network, (x, given) = build(grid), inputs(*grid.shape)
    turned = network(*rolled(x, given, 2))
    torch.testing.assert_close(turned, network(x, given).roll(2, -1), rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_what_is_not_periodic_has_edges():
    network, (x, given) = build(PLANE), inputs(16, 24)
    difference = (network(*rolled(x, given, 2)) - network(x, given).roll(2, -1)).abs().amax((0, 1, 2))
    assert difference[[0, 1, 2, -1]].min() > 1e-3


@torch.no_grad()
def test_a_patch_of_a_globe_is_not_periodic():
    network, (x, given) = build(GLOBE), inputs(16, 8)
    difference = (network(*rolled(x, given, 2)) - network(x, given).roll(2, -1)).abs().amax((0, 1, 2))
    assert difference[[0, 1, 2, -1]].min() > 1e-3


@torch.no_grad()
def test_padding_is_cropped_and_repeats_the_edge():
    """An odd field gives what the field with its last row and column repeated gives, cropped."""
    network, (x, given) = build(PLANE), inputs(7, 9)

    def more(f: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.pad(f, (0, 1, 0, 1), mode="replicate")

    whole = network(more(x), dataclasses.replace(given, condition=more(given.condition), static=more(given.static)))
    torch.testing.assert_close(network(x, given), whole[..., :7, :9], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("grid", [RING, PLANE], ids=["ring", "plane"])
@torch.no_grad()
def test_cells_of_a_patch_return_to_their_places(grid):
    """With all convolutions inside a cell of the network off but the last bias, each of the patch's cells has its own constant."""
    network = SongUNet(channels=16, multipliers=(1,), blocks=1, patch=2).build(ports(grid), None)
    cells = 2 if grid is RING else 4
    network.out.bias.copy_(torch.arange(2.0 * cells))
    x, given = inputs(*grid.shape)
    out = network(x, given)[0]
    if grid is RING:
        assert out[0, :4].tolist() == [0, 1, 0, 1] and out[1, :4].tolist() == [2, 3, 2, 3]
    else:
        assert out[0, :2, :4].tolist() == [[0, 1, 0, 1], [2, 3, 2, 3]] and out[1, 2:4, 0].tolist() == [4, 6]


@torch.no_grad()
def test_shared_static_fields_are_those_of_every_row():
    network, (x, given) = build(PLANE), inputs(16, 24)
    repeated = dataclasses.replace(given, static=given.static.expand(2, -1, -1, -1))
    assert torch.equal(network(x, given), network(x, repeated))


@torch.no_grad()
def test_latent_and_lead_time_matter():
    of = ports(PLANE, latent=5, leads=(6.0, 12.0, 24.0))
    network, (x, given) = build(PLANE, of), inputs(16, 24, latent=torch.ones(2, 5))
    out = network(x, given)
    for change in ({"latent": torch.zeros(2, 5)}, {"lead_hours": torch.full((2,), 12.0)}, {"level": torch.zeros(2, 1)}):
        assert (network(x, dataclasses.replace(given, **change)) - out).abs().max() > 1e-3


@torch.no_grad()
def test_bfloat16_keeps_two_digits_and_returns_float32():
    x, given = inputs(16, 24)
    exact, fast = (build(PLANE, precision=p)(x, given) for p in ("float32", "bfloat16"))
    assert fast.dtype == torch.float32
    assert 0 < (fast - exact).square().mean().sqrt() < 0.02 * exact.square().mean().sqrt()


@torch.no_grad()
def test_attention_sees_every_cell():
    """Without it the reach of one block on one level is 6 cells (stem, two convolutions down, two up, out); with it, all."""
    for attention, reaches in (((), False), ((0,), True)):
        network, (x, given) = build(RING, multipliers=(1,), attention=attention), inputs(40)
        for norm in network.modules():
            if isinstance(norm, torch.nn.GroupNorm):
                norm.forward = lambda h: h  # the statistics of GroupNorm see every cell too
        near = x.clone()
        near[..., 0] += 1
        far = (network(near, given) - network(x, given))[..., 7:34].abs().max()
        assert (far > 0) == reaches


def test_dropout_acts_in_training_only():
    network, (x, given) = build(PLANE, dropout=0.5), inputs(16, 24)
    assert torch.equal(network(x, given), network(x, given))
    network.train()
    assert not torch.equal(network(x, given), network(x, given))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"channels": 24}, r"SongUNet\.channels must be a multiple of 16, got 24"),
        ({"blocks": 0}, r"SongUNet\.blocks must be at least 1, got 0"),
        ({"multipliers": ()}, r"SongUNet\.multipliers must be positive, at least one, got \(\)"),
        ({"attention": (3,)}, r"SongUNet\.attention must be levels from 0 to 2, got \(3,\)"),
        ({"dropout": 1.0}, r"SongUNet\.dropout must be at least 0 and less than 1, got 1\.0"),
    ],
)
def test_wrong_values(wrong, message):
    with pytest.raises(ValueError, match=message):
        SongUNet(**wrong)
