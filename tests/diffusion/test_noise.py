import math
from itertools import pairwise

import pytest
import torch

from wxexp.diffusion.noise import DEPTH, DrawnNoise
from wxexp.fields.seeds import Draws

DRAWS = Draws.drawing(7, ["2020-01-01", "2020-01-02"]).members(range(3))


def noise(draws: Draws = DRAWS, shape: tuple[int, ...] = (2, 500), **kwargs) -> DrawnNoise:
    return DrawnNoise(draws, shape, **kwargs)


@pytest.mark.parametrize("field", [lambda n: n.prior(), lambda n: n.at(4), lambda n: n.brownian(1.3, 0.02)])
def test_a_member_is_the_same_whatever_else_is_drawn(field):
    whole = field(noise())
    assert whole.shape == (6, 2, 500) and whole.dtype == torch.float64
    for i in range(6):
        alone = field(noise(Draws(DRAWS.rows[i : i + 1])))
        assert torch.equal(alone[0], whole[i])


def test_purposes_keys_and_rows_differ():
    n = noise()
    fields = [*n.prior(), *n.at(0), *n.at(1), *n.at(0, 1), *n.brownian(2.0, 1.0), *n.brownian(1.0, 0.5)]
    flat = torch.stack(fields).flatten(1)
    correlation = torch.corrcoef(flat) - torch.eye(len(flat), dtype=torch.float64)
    assert correlation.abs().max() < 5 / math.sqrt(1000)


@pytest.mark.parametrize("field", [lambda n: n.prior(), lambda n: n.at(0)])
def test_masked_cells_are_zero(field):
    mask = torch.ones(1, 1, 500, dtype=torch.bool)
    mask[..., 100:200] = False
    masked, full = field(noise(mask=mask)), field(noise())
    assert (masked[..., 100:200] == 0).all()
    assert torch.equal(masked[..., 200:], full[..., 200:])


def test_brownian_increments_are_standard_normal():
    for s0, s1 in [(80.0, 57.586), (0.0075, 0.002), (1.0, 1.0 + 1e-5), (1.0, 0.5), (3.0, 0.1)]:
        increment = noise().brownian(s0, s1)
        assert abs(increment.mean()) < 5 / math.sqrt(6000)
        assert abs(increment.var() - 1) < 5 * math.sqrt(2 / 6000)
        torch.testing.assert_close(noise().brownian(s1, s0), -increment, rtol=0, atol=0)


def test_the_brownian_path_is_one_for_every_number_of_steps():
    n, coarse = noise(), [80.0, 3.0, 0.5]
    fine = [80.0, 41.0, 3.0, 1.7, 0.9, 0.5]

    def path(levels):  # W(s) - W(80), at every level
        steps = [n.brownian(a, b) * math.sqrt(a - b) for a, b in zip(levels, levels[1:], strict=False)]
        return torch.stack(steps).cumsum(0)

    torch.testing.assert_close(path(coarse)[0], path(fine)[1], rtol=0, atol=1e-4)  # levels are rounded to one part in a million
    torch.testing.assert_close(path(coarse)[1], path(fine)[4], rtol=0, atol=1e-4)


def test_brownian_increments_over_disjoint_intervals_are_independent():
    n = noise(shape=(1, 4000))
    levels = [8.0, 5.3, 4.0, 3.1, 2.9, 0.7]
    increments = torch.stack([n.brownian(a, b).flatten() for a, b in zip(levels, levels[1:], strict=False)])
    correlation = torch.corrcoef(increments) - torch.eye(5, dtype=torch.float64)
    assert correlation.abs().max() < 5 / math.sqrt(24_000)


def test_the_next_increment_starts_where_the_last_one_ended(monkeypatch):
    """With the same bits as an increment of its own, and half the draws: a descent of an octave is 20 bisections and the octave itself."""
    levels = [79.9, 41.3, 20.3, 3.3, 1.7, 0.9, 0.51]
    alone = [noise().brownian(a, b) for a, b in pairwise(levels)]
    drawn, draw = [], DrawnNoise._normal
    monkeypatch.setattr(DrawnNoise, "_normal", lambda self, *name: drawn.append(name) or draw(self, *name))
    n = noise()
    n.brownian(levels[0], levels[1])
    first = len(drawn)
    for (a, b), expected in zip(pairwise(levels[1:]), alone[1:], strict=True):
        drawn.clear()
        assert torch.equal(n.brownian(a, b), expected)
        assert len(drawn) <= 1 + DEPTH + 3 < first - 15  # and one for each octave between
    assert torch.equal(n.brownian(0.51, 0.9), -alone[-1])
    assert torch.equal(n.brownian(79.9, 41.3), alone[0])  # from anywhere else as well


@pytest.mark.parametrize("shape", [(1, 500), (6, 2, 400), (1, 3, 500)], ids=str)
def test_a_mask_of_the_wrong_shape_is_refused(shape):
    with pytest.raises(ValueError, match=r"DrawnNoise\.mask must have the shape \(6, 2, 500\)"):
        noise(mask=torch.ones(shape, dtype=torch.bool))
    with pytest.raises(ValueError, match=r"DrawnNoise\.mask must be bool, True where valid, got torch\.float32"):
        noise(mask=torch.ones(1, 1, 500))


@pytest.mark.parametrize(("s0", "s1", "message"), [(1.0, 0.0, "must be positive"), (1.0, 1.0 + 1e-9, "too close")])
def test_levels_a_brownian_path_cannot_tell(s0, s1, message):
    with pytest.raises(ValueError, match=message):
        noise().brownian(s0, s1)
