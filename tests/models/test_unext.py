"""UNeXt, and what UViT has of it."""

import dataclasses

import numpy as np
import pytest
import torch

from wxexp.fields.grid import Grid
from wxexp.interfaces import Inputs, Network, Ports
from wxexp.models import UNeXt, UViT

PLANE = Grid("latlon", np.linspace(40, 50, 16), np.linspace(0, 10, 24))
GLOBE = Grid("latlon", np.linspace(-80, 80, 16), np.arange(24) * 15.0, periodic_x=True)
RING = Grid("ring", None, np.arange(40.0))
BOTH = pytest.mark.parametrize("cls", [UNeXt, UViT])


def ports(grid: Grid, **kwargs) -> Ports:
    return dataclasses.replace(Ports(target=2, condition=3, static=1, out=2, level=1, grid=grid), **kwargs)


def build(cls: type[UNeXt], grid: Grid, of: Ports | None = None, **kwargs) -> Network:
    """With every parameter drawn, as many start at zero."""
    small = {"channels": 16, "multipliers": (1, 2), "blocks": 1, "embedding": 16} | ({"transformers": 1} if cls is UViT else {})
    network = cls(**{**small, **kwargs}).build(of or ports(grid), None)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(0.3 * torch.randn(parameter.shape, generator=generator))
    return network.eval()


def inputs(*size: int, rows: int = 2, **kwargs) -> tuple[torch.Tensor, Inputs]:
    generator = torch.Generator().manual_seed(1)
    x, condition = (torch.randn(rows, c, *size, generator=generator) for c in (2, 3))
    static = torch.randn(1, 1, *size, generator=generator)
    origin = torch.zeros(rows, len(size), dtype=torch.int64)
    return x, Inputs(condition, static, torch.zeros(rows), origin, level=torch.tensor([[0.1], [-1.0]])[:rows], **kwargs)


def rolled(x: torch.Tensor, given: Inputs, by: int) -> tuple[torch.Tensor, Inputs]:
    return x.roll(by, -1), dataclasses.replace(given, condition=given.condition.roll(by, -1), static=given.static.roll(by, -1))


@BOTH
def test_it_starts_at_zero(cls):
    """So that with EDM the first estimate is exact for Gaussian data."""
    x, given = inputs(16, 24)
    assert (cls(channels=32).build(ports(PLANE), None)(x, given) == 0).all()


@BOTH
@pytest.mark.parametrize("grid", [RING, GLOBE], ids=["ring", "globe"])
@torch.no_grad()
def test_what_is_periodic_has_no_seam(cls, grid):
    """Turning the input by a whole coarse cell turns the output; attention knows where a cell is, but only from the others."""
    network, (x, given) = build(cls, grid), inputs(*grid.shape)
    turned = network(*rolled(x, given, 2))
    torch.testing.assert_close(turned, network(x, given).roll(2, -1), rtol=1e-4, atol=1e-4)


@BOTH
@pytest.mark.parametrize(("grid", "size"), [(PLANE, (16, 24)), (GLOBE, (16, 8))], ids=["plane", "patch of a globe"])
@torch.no_grad()
def test_what_is_not_periodic_has_edges(cls, grid, size):
    network, (x, given) = build(cls, grid), inputs(*size)
    difference = (network(*rolled(x, given, 2)) - network(x, given).roll(2, -1)).abs().amax((0, 1, 2))
    assert difference[[0, 1, 2, -1]].min() > 1e-3


@BOTH
@torch.no_grad()
def test_padding_is_cropped_and_repeats_the_edge(cls):
    """An odd field gives what the field with its last row and column repeated gives, cropped."""
    network, (x, given) = build(cls, PLANE), inputs(7, 9)
    more = lambda f: torch.nn.functional.pad(f, (0, 1, 0, 1), mode="replicate")  # noqa: E731
    whole = network(more(x), dataclasses.replace(given, condition=more(given.condition), static=more(given.static)))
    torch.testing.assert_close(network(x, given), whole[..., :7, :9], rtol=1e-5, atol=1e-5)


@BOTH
@torch.no_grad()
def test_latent_lead_time_and_level_matter(cls):
    of = ports(PLANE, latent=5, leads=(6.0, 12.0, 24.0))
    network, (x, given) = build(cls, PLANE, of), inputs(16, 24, latent=torch.ones(2, 5))
    out = network(x, given)
    for change in ({"latent": torch.zeros(2, 5)}, {"lead_hours": torch.full((2,), 12.0)}, {"level": torch.zeros(2, 1)}):
        assert (network(x, dataclasses.replace(given, **change)) - out).abs().max() > 1e-3


@BOTH
@torch.no_grad()
def test_bfloat16_keeps_two_digits_and_returns_float32(cls):
    x, given = inputs(16, 24)
    exact, fast = (build(cls, PLANE, precision=p)(x, given) for p in ("float32", "bfloat16"))
    assert fast.dtype == torch.float32
    assert 0 < (fast - exact).square().mean().sqrt() < 0.03 * exact.square().mean().sqrt()


@pytest.mark.parametrize(("kernel", "reach"), [(3, 2), (5, 4), (7, 6)])
@torch.no_grad()
def test_space_is_mixed_by_the_kernel_alone(kernel, reach):
    """Of one level and one block: the stem and the block reach half a kernel each, everything else stays within the cell."""
    network, (x, given) = build(UNeXt, RING, multipliers=(1,), kernel=kernel), inputs(40)
    for norm in network.modules():
        if isinstance(norm, torch.nn.GroupNorm):
            norm.forward = lambda h: h  # the statistics of GroupNorm see every cell
    near = x.clone()
    near[..., 20] += 1
    (touched,) = (network(near, given) - network(x, given)).abs().amax((0, 1)).nonzero(as_tuple=True)
    assert (touched.min(), touched.max()) == (20 - reach, 20 + reach)


def test_the_number_of_parameters_by_hand():
    """Of one block with 8 channels, kernel 5 on a plane, expansion 4, and no embedding.

    Block: 8 * 25 + 8 (space), 16 (norm), 8 * 32 + 32 and 32 * 8 + 8 (perceptron), 8 (scale) = 784; stem: 4 * 8 * 25 + 8 = 808;
    norm: 16; out: 8 * 2 + 2 = 18.
    """
    of = Ports(target=0, condition=3, static=1, out=2, grid=PLANE)
    network = UNeXt(channels=8, multipliers=(1,)).build(of, None)
    assert sum(p.numel() for p in network.parameters()) == 784 + 808 + 16 + 18


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"channels": 0}, r"UNeXt\.channels must be at least 1, got 0"),
        ({"multipliers": ()}, r"UNeXt\.multipliers must be positive, at least one, got \(\)"),
        ({"kernel": 4}, r"UNeXt\.kernel must be odd and positive, got 4"),
        ({"layer_scale": 0.0}, r"UNeXt\.layer_scale must be positive, got 0\.0"),
    ],
)
def test_wrong_values(wrong, message):
    with pytest.raises(ValueError, match=message):
        UNeXt(**wrong)
