import numpy as np
import torch

from wxexp.datasets.patches import crop, origins
from wxexp.fields.seeds import Draws


def test_every_start_is_reached_equally_often():
    # 3 x 4 starts, 6000 draws: chi-square with 11 degrees of freedom is below 31.3 with probability 0.999
    draws = Draws.training(0, 0, range(6000), 6000).of("patch")
    start = origins(draws, (10, 8), (8, 5))
    count = np.zeros((3, 4))
    np.add.at(count, tuple(start.numpy().T), 1)
    assert count.sum() == 6000 and (count > 0).all()
    assert ((count - 500) ** 2 / 500).sum() < 31.3


def test_a_start_belongs_to_its_row():
    both = origins(Draws.training(3, 7, [14, 15], 2), (30, 30), (4, 4))
    assert torch.equal(both[1:], origins(Draws.training(3, 7, [15], 2), (30, 30), (4, 4)))


def test_a_patch_as_large_as_the_field_starts_at_its_first_cell():
    assert (origins(Draws.training(0, 0, range(9), 9), (6, 5), (6, 5)) == 0).all()


def test_crop_cuts_where_the_origin_says():
    field = torch.arange(2 * 3 * 5 * 6).view(2, 3, 5, 6)
    origin = torch.tensor([[1, 2], [3, 0], [0, 4]])
    cut = crop(field, origin, (2, 2), rows=torch.tensor([1, 0, 1]))
    assert torch.equal(cut[0], field[1, :, 1:3, 2:4]) and torch.equal(cut[1], field[0, :, 3:5, 0:2])
    shared = crop(field[:1, 0], origin, (2, 2))  # an area: no channels, one for all
    assert torch.equal(shared[2], field[0, 0, 0:2, 4:6])
