import numpy as np
import pytest
import torch
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from wxexp.interfaces import Inputs, Network
from wxexp.members.tiles import Tiles


class Pointwise(Network):
    """Uses everything, cell by cell."""

    def noise_shapes(self, size):
        return {"pixel": (1, *size)}

    def forward(self, x, inputs):
        assert inputs.level.shape[1:] == (1,) and inputs.extra["label"].ndim == 2, "a row vector is no field"
        level = inputs.level.reshape(-1, *[1] * (x.ndim - 1))
        return torch.tanh(x) * level + inputs.condition * inputs.static + inputs.noise["pixel"] + inputs.extra["mean"]


class Place(Network):
    """The place of each cell in the full field, from `origin`; tiles are all of one size."""

    sizes: set[tuple[int, ...]] = set()

    def forward(self, x, inputs):
        size = tuple(inputs.condition.shape[2:])
        Place.sizes.add(size)
        at = torch.meshgrid(*[torch.arange(n) for n in size], indexing="ij")
        return torch.stack([a + o.reshape(-1, *[1] * len(size)) for a, o in zip(at, inputs.origin.T, strict=True)], 1).double()


def inputs(size: tuple[int, ...], n: int = 2) -> Inputs:
    g = torch.Generator().manual_seed(1)

    def field(rows: int) -> torch.Tensor:
        return torch.randn(rows, 1, *size, generator=g, dtype=torch.float64)

    return Inputs(
        condition=field(n),
        static=field(1),
        lead_hours=torch.zeros(n),
        origin=torch.tensor([[10, 100][-len(size) :]] * n),
        level=torch.rand(n, 1, generator=g, dtype=torch.float64),
        noise={"pixel": field(n)},
        extra={"mean": field(1), "label": torch.zeros(n, 4)},
    )


CASES = [((7,), (3,), (20,)), ((8, 6), (4, 1), (19, 23)), ((8, 6), (0, 5), (8, 40)), ((8, 9), (4, 4), (30, 7))]


@pytest.mark.parametrize("periodic_x", [False, True])
@pytest.mark.parametrize(("size", "overlap", "field"), CASES)
def test_tiles_of_a_pointwise_network_change_nothing(size, overlap, field, periodic_x):
    given = inputs(field)
    x = torch.randn(2, 1, *field, dtype=torch.float64)
    tiled = Tiles(Pointwise(), size=size, overlap=overlap, periodic_x=periodic_x)
    assert torch.allclose(tiled(x, given), Pointwise()(x, given), rtol=0, atol=1e-14)
    assert tiled.noise_shapes(field) == {"pixel": (1, *field)}


@pytest.mark.parametrize(("size", "overlap", "field"), CASES)
def test_origin_moves_with_the_tile(size, overlap, field):
    Place.sizes = set()
    out = Tiles(Place(), size=size, overlap=overlap)(None, inputs(field))
    first = [10, 100][-len(field) :]
    want = np.stack(np.meshgrid(*[o + np.arange(n) for o, n in zip(first, field, strict=True)], indexing="ij"))
    np.testing.assert_allclose(out[0].numpy(), want, rtol=0, atol=1e-11)
    assert Place.sizes == {tuple(min(s, n) for s, n in zip(size, field, strict=True))}


def test_a_periodic_field_has_no_seam():
    """The output of a circular convolution is reached on the ring by tiles that overlap enough, at the first and last column too."""

    class Blur(Network):
        def forward(self, x, inputs):
            y = x.clone()
            y[..., 1:-1] = (x[..., :-2] + x[..., 1:-1] + x[..., 2:]) / 3
            y[..., 0] = y[..., -1] = torch.nan  # a tile's own edge, which no cell may take much from
            return torch.nan_to_num(y)

    x = torch.ones(1, 1, 24, dtype=torch.float64)
    ring = Tiles(Blur(), size=(12,), overlap=(4,), periodic_x=True)(x, inputs((24,), 1))[0, 0]
    # the edge cell of a ramp of 4 has weight sin^2(pi/16)
    edge = np.sin(np.pi / 16) ** 2
    assert ring.min() == pytest.approx(1 - edge, abs=1e-14)
    assert (ring.roll(8) - ring).abs().max() < 1e-14, "three tiles of equal standing"


def test_the_windows_are_smooth():
    """Where two tiles disagree by 1, neighbouring cells differ by at most the steepest step of the ramp, pi / (2 overlap)."""

    class Which(Network):
        def forward(self, x, inputs):
            return torch.full_like(inputs.condition, float(inputs.origin[0, 0] > 100))

    for overlap in (4, 8, 16):
        out = Tiles(Which(), size=(32,), overlap=(overlap,))(None, inputs((64 - overlap,), 1))[0, 0]
        assert out[0] == 0 and out[-1] == 1
        assert out.diff().abs().max() <= np.pi / 2 / overlap


@settings(max_examples=60, deadline=None)
@for_all(st.data())
def test_every_cell_is_covered_by_weights_of_one(data):
    class One(Network):
        def forward(self, x, inputs):
            return torch.ones_like(inputs.condition)

    size = data.draw(st.integers(1, 12))
    overlap = data.draw(st.integers(0, size - 1))
    cells = data.draw(st.integers(1, 40))
    tiles = Tiles(One(), size=(size,), overlap=(overlap,), periodic_x=data.draw(st.booleans()))
    assert (tiles(None, inputs((cells,), 1)) - 1).abs().max() < 1e-14


@pytest.mark.parametrize(
    ("size", "overlap", "message"),
    [((8,), (8,), "overlap must be at least 0 and less than size"), ((8,), (1, 1), "one number for each"), ((8, 8), (-1, 0), "at least 0")],
)
def test_what_cannot_be(size, overlap, message):
    with pytest.raises(ValueError, match=message):
        Tiles(Pointwise(), size=size, overlap=overlap)


def test_dimensions_must_fit():
    with pytest.raises(ValueError, match="each of 2 dimensions"):
        Tiles(Pointwise(), size=(8,), overlap=(1,))(None, inputs((9, 9)))
