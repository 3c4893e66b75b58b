import math

import pytest
import torch

from wxexp.models import UViT
from wxexp.models.uvit import TransformerBlock, rotate, rotation


@pytest.mark.parametrize(("periodic", "shift"), [(False, 3), (True, 3), (True, 8)])
def test_scores_depend_on_the_difference_of_positions(periodic, shift):
    """The product of a query at i and a key at j is that at i + shift and j + shift; on a ring, around it too."""
    cells = 10
    q, k = torch.randn(2, 16, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    angle = rotation(cells, periodic=periodic, device=torch.device("cpu")).double()
    scores = rotate(q.expand(cells, 16), angle) @ rotate(k.expand(cells, 16), angle).T
    if periodic:
        torch.testing.assert_close(scores.roll((shift, shift), (0, 1)), scores, rtol=0, atol=1e-4)
    else:
        torch.testing.assert_close(scores[shift:, shift:], scores[:-shift, :-shift], rtol=0, atol=1e-5)
    assert scores[0].std() > 0.1  # and it does depend on it


def test_rotations_keep_length_and_turn_by_the_angle():
    x = torch.tensor([[3.0, 0.0], [0.0, 2.0]])
    turned = rotate(x, torch.tensor([[math.pi / 2], [math.pi / 2]]))
    torch.testing.assert_close(turned, torch.tensor([[0.0, 3.0], [-2.0, 0.0]]), rtol=0, atol=1e-6)


def test_frequencies_run_from_one_radian_a_cell_to_a_hundredth():
    angle = rotation(2, periodic=False, device=torch.device("cpu"))
    assert angle[0].tolist() == [0] * 8
    assert angle[1, 0].item() == 1 and angle[1, -1].item() == pytest.approx(0.01, rel=1e-5)


def test_frequencies_on_a_ring_are_whole_turns():
    turns = rotation(12, periodic=True, device=torch.device("cpu"))[1] * 12 / (2 * math.pi)
    torch.testing.assert_close(turns, turns.round(), rtol=0, atol=1e-5)
    assert turns.min() > 0.5


@torch.no_grad()
def test_a_modulation_of_nothing_is_plain_layer_normalisation():
    """Conditional layer normalisation with a factor of 1 and no shift; another factor and shift are those of the normalised cells."""
    block = TransformerBlock(32, 2, 1.0)
    x = torch.randn(2, 32, 3, 4, generator=torch.Generator().manual_seed(0))
    one, zero = torch.ones(2, 32, 1, 1), torch.zeros(2, 32, 1, 1)
    assert torch.equal(block(x, (one, zero), False), block(x, None, False))
    torch.nn.init.uniform_(block.norm1.weight, 0.5, 2.0)
    affine = block(x, (one, zero), False)
    block.norm1.weight.mul_(2), block.norm1.bias.add_(1)
    torch.testing.assert_close(block(x, (0.5 * one, -0.5 * one), False), affine, rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_attention_sees_every_cell_and_where_it_is():
    """Two cells that swap their places change what a third one sees."""
    block = TransformerBlock(32, 2, 1.0)
    x = torch.randn(1, 32, 4, 5, generator=torch.Generator().manual_seed(0))
    out = block(x, None, False)
    for row, column in ((0, 1), (3, 4)):
        near = x.clone()
        near[:, 0, row, column] += 1
        assert (block(near, None, False) - out)[0, :, 0, 0].abs().max() > 1e-4
    swapped = x.clone()
    swapped[..., 3, 4], swapped[..., 1, 2] = x[..., 1, 2], x[..., 3, 4]
    assert (block(swapped, None, False) - out)[0, :, 0, 0].abs().max() > 1e-4


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"transformers": 0}, r"UViT\.transformers must be at least 1, got 0"),
        ({"channels": 20}, r"UViT\.channels times the last multiplier must be a multiple of 32, got 20"),
        ({"kernel": 4}, r"UViT\.kernel must be odd and positive, got 4"),
    ],
)
def test_wrong_values(wrong, message):
    with pytest.raises(ValueError, match=message):
        UViT(**wrong)
