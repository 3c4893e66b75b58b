import numpy as np
import pytest
import torch

from wxexp.fields.folding import coarse_grid, fold, unfold
from wxexp.fields.grid import Grid


def test_a_block_becomes_channels():
    """Rows and columns of blocks of 4 x 6 numbered cells."""
    x = torch.arange(24.0).reshape(1, 1, 4, 6)
    folded = fold(x, 2)
    assert folded.shape == (1, 4, 2, 3)
    assert folded[0, :, 1, 2].tolist() == [16.0, 17.0, 22.0, 23.0]
    assert torch.equal(folded, torch.nn.functional.pixel_unshuffle(x, 2))


@pytest.mark.parametrize("size", [(40,), (7,), (1,), (8, 12), (9, 13), (3, 1)], ids=str)
@pytest.mark.parametrize("factor", [1, 2, 3])
def test_unfolding_gives_back_every_cell(size, factor):
    x = torch.randn(2, 3, *size)
    folded = fold(x, factor)
    assert folded.shape == (2, 3 * factor ** len(size), *(-(-s // factor) for s in size))
    assert torch.equal(unfold(folded, factor, size), x)


def test_what_is_beyond_the_edge_is_the_nearest_cell_and_not_valid():
    x = torch.tensor([[[1.0, 2.0, 3.0]]])
    assert fold(x, 2).tolist() == [[[1.0, 3.0], [2.0, 3.0]]]
    assert fold(x > 0, 2).tolist() == [[[True, True], [True, False]]]
    assert fold(torch.zeros(1, 0, 3), 2).shape == (1, 0, 2)


def test_the_grid_of_blocks():
    grid = coarse_grid(Grid("latlon", np.array([40.0, 41.0, 42.0]), np.array([0.0, 1.0, 2.0, 3.0]), dx_km=5.0), 2)
    assert grid.lat.tolist() == [40.5, 42.0] and grid.lon.tolist() == [0.5, 2.5] and grid.dx_km == 10.0 and grid.shape == (2, 2)
    with pytest.raises(ValueError, match="factor must divide the 7 cells of a periodic grid along x, got 2"):
        coarse_grid(Grid("ring", None, np.arange(7.0), periodic_x=True), 2)
