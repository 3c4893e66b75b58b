import numpy as np
import pytest
import torch
from torch import Tensor

from wxexp.fields.grid import Grid
from wxexp.interfaces import Inputs, Network, Ports
from wxexp.members.rows import Rows
from wxexp.models import SongUNet


class Recorder(Network):
    """Keeps what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[Tensor | None, Inputs]] = []

    def noise_shapes(self, size):
        return {"pixel": (1, *size)}

    def forward(self, x, inputs):
        self.seen.append((x, inputs))
        return inputs.condition * 2


def inputs(n: int, *, size: tuple[int, ...] = (6, 5)) -> Inputs:
    g = torch.Generator().manual_seed(3)

    def field(rows: int, channels: int) -> Tensor:
        return torch.randn(rows, channels, *size, generator=g)

    return Inputs(
        condition=field(n, 2),
        static=field(1, 1),
        lead_hours=torch.arange(n) * 6.0,
        origin=torch.zeros(n, len(size), dtype=torch.int64),
        level=torch.randn(n, 1, generator=g),
        latent=torch.randn(n, 3, generator=g),
        noise={"pixel": field(n, 1)},
        extra={"mean": field(n, 2), "shared": field(1, 2)},
    )


def tensors(i: Inputs) -> list[Tensor]:
    out: list[Tensor] = []
    i.map(lambda t: (out.append(t), t)[1])
    return out


@pytest.mark.parametrize("n", [1, 3, 4, 7])
def test_the_network_sees_whole_fresh_rows(n):
    network = Recorder()
    rows, given = Rows(network, 4), inputs(n)
    given.condition = given.condition.to(memory_format=torch.channels_last)
    out = rows(torch.arange(n * 30.0).reshape(n, 1, 6, 5), given)
    assert torch.equal(out, given.condition * 2)
    assert rows.passes == len(network.seen) == -(-n // 4)
    own = {t.data_ptr() for t in tensors(given)}
    for x, seen in network.seen:
        assert [len(t) for t in (x, *tensors(seen))] == [4] * (1 + len(tensors(given)))
        assert all(t.is_contiguous() and t.data_ptr() not in own for t in tensors(seen))
    x, last = network.seen[-1]
    here = n - 4 * (len(network.seen) - 1)
    assert torch.equal(x[here - 1 :], x[here - 1 :][:1].expand(5 - here, 1, 6, 5)), "what is missing repeats the last row"
    assert torch.equal(last.static, given.static.expand(4, 1, 6, 5))


def test_without_a_state():
    network = Recorder()
    assert len(Rows(network, 4)(None, inputs(5))) == 5
    assert network.seen[0][0] is None


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("size", [(20, 23), (17,)])
def test_a_row_has_the_same_bits_in_any_company(precision, size):
    torch.manual_seed(0)
    plane = Grid("latlon", lat=np.arange(20.0), lon=np.arange(23.0))
    grid = plane if len(size) == 2 else Grid("ring", lat=None, lon=np.arange(17.0), periodic_x=True)
    network = SongUNet(channels=32, multipliers=(1, 2), blocks=1, attention=(1,), precision=precision).build(
        Ports(target=2, condition=2, static=1, out=2, level=1, latent=3, grid=grid), lambda e: pytest.fail("no parent")
    )
    for p in network.parameters():
        torch.nn.init.normal_(p, std=0.2)
    given, x = inputs(7, size=size), torch.randn(7, 2, *size)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.no_grad():
            rows = Rows(network.eval(), 4)
            whole = rows(x, given)
            assert whole.std() > 0.1, "a network of zeros shows nothing"
            for chunk in (1, 2, 5):
                for k in torch.arange(7).split(chunk):
                    part = given.map(lambda t, k=k: t if len(t) == 1 else t[k])
                    assert torch.equal(rows(x[k], part), whole[k])
    finally:
        torch.set_num_threads(threads)


def test_gradients_pass():
    network = torch.nn.Conv2d(2, 2, 3, padding=1).double()

    class Net(Network):
        def forward(self, x, inputs):
            return network(x)

    given, x = inputs(5), torch.randn(5, 2, 6, 5, dtype=torch.float64, requires_grad=True)
    (rows,) = torch.autograd.grad(Rows(Net(), 4)(x, given).square().sum(), x)
    (bare,) = torch.autograd.grad(network(x).square().sum(), x)
    assert torch.allclose(rows, bare, rtol=1e-12)


def test_it_is_still_the_network():
    rows = Rows(Recorder(), 8)
    assert rows.same_size and rows.noise_shapes((6, 5)) == {"pixel": (1, 6, 5)}
    with pytest.raises(ValueError, match="Rows.rows must be at least 1, got 0"):
        Rows(Recorder(), 0)
