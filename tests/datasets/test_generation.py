import numpy as np
import pytest
import torch

from wxexp.datasets import Cyclic, Generation, Lorenz96
from wxexp.interfaces import Frame

SOURCE = Lorenz96(cells=8, trajectories=3, steps=50, spin_up=300)
THIRDS = Cyclic(period=6, train=(0, 3), valid=(3, 4), test=(4, 6))


def lorenz(**changes):
    return Generation(**{"source": SOURCE, "variables": ("state",), "partition": THIRDS, **changes}).open()


def test_items_are_the_times_of_a_split_that_are_present():
    opened, present = lorenz(stride=2), SOURCE.open().present
    place = np.arange(len(present)) % 6
    assert [item.index for item in opened.items("train")] == np.flatnonzero((place < 3) & present).tolist()
    assert [item.index for item in opened.items("test")] == np.flatnonzero((place > 3) & present)[::2].tolist()
    assert 50 not in [item.index for item in opened.items("train")] and not present[50] and place[50] < 3


def test_the_target_is_standardised_and_decodes_to_the_truth():
    opened = lorenz()
    target = opened.read(opened.items("train")).target.double()
    assert target.mean().item() == pytest.approx(0, abs=1e-6) and target.std(correction=0).item() == pytest.approx(1, abs=1e-6)
    items = opened.items("test")
    batch = opened.read(items)
    truth = np.stack([opened.truth(item)["state"].values for item in items])
    np.testing.assert_array_equal(truth, SOURCE.open().data["state"].values[[item.index for item in items]])
    np.testing.assert_allclose(opened.codec.decode(batch.target, batch)[:, 0], truth, atol=1e-5)


def test_there_is_a_condition_only_where_it_is_asked_for():
    assert lorenz().ports.condition == 0 and lorenz().read(lorenz().items("test")).condition.shape == (49, 0, 8)
    opened = lorenz(calendar=("hour_of_day",))
    batch = opened.read(opened.items("test"))
    assert opened.ports.condition == batch.condition.shape[1] == 2
    hours = np.array([int(time[11:13]) for time in batch.time])
    np.testing.assert_allclose(batch.condition[:, 0], np.repeat(np.sin(2 * np.pi * hours / 24)[:, None], 8, 1), atol=1e-6)


def test_masked_cells_are_nan_in_the_truth_and_zero_for_the_network():
    opened = lorenz(source=Lorenz96(cells=8, trajectories=3, steps=50, spin_up=300, masked=(2, 7)), geometry=("mask",))
    items = opened.items("valid")
    batch, known = opened.read(items), torch.tensor([c not in (2, 7) for c in range(8)])
    assert torch.equal(batch.mask, known[None, None]) and torch.equal(batch.static, known[None, None].float())
    assert (batch.target[..., ~known] == 0).all() and (batch.target[..., known] != 0).all()
    assert np.isnan(opened.truth(items[0])["state"].values[~known.numpy()]).all()
    normal = opened.read(opened.items("train")).target[..., known].double()
    assert normal.mean().item() == pytest.approx(0, abs=1e-6)  # of valid cells alone


def test_patches_are_cut_from_the_fields():
    opened = lorenz(patch=(3,))
    items = opened.items("train")[:4]
    whole, cut = opened.read(items), opened.read(items, torch.tensor([[0], [5], [2], [2]]))
    for row, start in enumerate((0, 5, 2, 2)):
        assert torch.equal(cut.target[row], whole.target[row, :, start : start + 3])


def test_it_has_no_next_step():
    opened = lorenz()
    items = opened.items("test")[:1]
    assert list(opened.frames(items, 1)) == []
    with pytest.raises(ValueError, match=r"Ensemble\.leads must be 1 for Generation, got 2"):
        opened.frames(items, 2)
    batch = opened.read(items)
    with pytest.raises(ValueError, match="no next step"):
        opened.codec.advance(batch, batch.target, Frame(None, batch.condition, batch.lead_hours))


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"stride": 0}, "Generation.stride must be at least 1, got 0"),
        ({"variables": ()}, "must name at least one variable"),
        ({"bounds": {"stat": (0.0, None)}}, "state"),
        ({"patch": (9,)}, r"Generation\.patch must be within the field, 8 cells"),
        ({"partition": Cyclic(period=200, train=(0, 1), valid=(1, 2), test=(2, 3))}, "at least 2 training times, got 1"),
    ],
)
def test_what_it_refuses(changes, message):
    with pytest.raises(ValueError, match=message):
        lorenz(**changes)
