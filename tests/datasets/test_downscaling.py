import json

import numpy as np
import pytest
import torch

import wxexp as wx
from wxexp.datasets import Cyclic, Downscaling, Forecasting, SyntheticFields
from wxexp.fields.grid import Grid

HALVES = Cyclic(period=4, train=(0, 2), valid=(2, 3), test=(3, 4))
SMALL = SyntheticFields(cells=(18, 21), times=60, factor=4)


def synthetic(**changes):
    given = {"source": SMALL, "targets": ("tas", "pr"), "factor": 4, "static": ("orog",), "bounds": {"pr": (0.0, None)}}
    return Downscaling(**{**given, **changes}).open()


def physical(opened, items):
    return torch.from_numpy(np.stack([np.stack([opened.truth(item)[name].values for name in opened.codec.targets]) for item in items]))


@pytest.fixture(scope="module")
def residual():
    return synthetic(transforms={"pr": "sqrt"}, patch=(8, 10))


@pytest.mark.parametrize("target", ["field", "residual", "residual_anomaly"])
@pytest.mark.parametrize("transform", ["none", "sqrt", "cbrt", "log1p"])
def test_decoding_what_was_encoded_gives_the_truth(target, transform):
    opened = synthetic(target=target, transforms={"pr": transform})
    items = [*opened.items("train")[:3], *opened.items("test")[:2]]
    batch = opened.read(items)
    truth = physical(opened, items)
    error = (opened.codec.decode(batch.target, batch) - truth).abs() / truth.abs().clamp(min=1.0)
    assert float(error[~truth.isnan()].max()) < 1e-5
    assert bool((truth.isnan() == ~batch.mask.expand_as(truth)).all())


def test_decoding_patches_gives_the_patches_of_the_truth(residual):
    items = residual.items("valid")[:3]
    origins = torch.tensor([[0, 0], [10, 11], [3, 7]])
    batch = residual.read(items, origins)
    decoded, truth = residual.codec.decode(batch.target, batch), physical(residual, items)
    for row, (top, left) in enumerate(origins.tolist()):
        cut = truth[row, :, top : top + 8, left : left + 10]
        assert torch.allclose(decoded[row][~cut.isnan()], cut[~cut.isnan()], rtol=1e-5, atol=1e-5)


def test_a_patch_is_a_cut_of_the_full_fields(residual):
    items = residual.items("train")[:2]
    full, batch = residual.read(items), residual.read(items, torch.tensor([[2, 5], [10, 11]]))
    for name in ("target", "condition", "static", "mask", "area"):
        whole, part = getattr(full, name), getattr(batch, name)
        assert torch.equal(part[1], whole[1 if len(whole) == 2 else 0][..., 10:18, 11:21]), name
    assert full.size == (18, 21) and batch.size == (8, 10) and full.origin.tolist() == [[0, 0], [0, 0]]
    assert batch.time.tolist() == [item.time for item in items] and batch.key.tolist() == [item.index for item in items]


def test_targets_are_standardised_over_training_times_and_valid_cells(residual):
    batch = residual.read(residual.items("train"))
    valid = batch.mask.expand_as(batch.target)
    for c in range(2):
        x = batch.target[:, c][valid[:, c]].double()
        assert float(x.mean()) == pytest.approx(0, abs=1e-4) and float(x.std()) == pytest.approx(1, abs=1e-3)
    # an anomaly has no mean over training times in any cell
    assert float(batch.target.mean(0).abs().max()) < 1e-4
    assert (batch.target[~valid] == 0).all()


def test_the_codec_sees_training_times_only(source_of):
    x = np.random.default_rng(0).normal(size=(40, 8, 8)).astype(np.float32)
    spoilt = x.copy()
    spoilt[np.arange(40) % 4 >= 2] += 1000.0
    a, b = (Downscaling(source=source_of({"t": v}), targets=("t",), factor=2, partition=HALVES).open() for v in (x, spoilt))
    for name, buffer in a.codec.state_dict().items():
        assert torch.equal(buffer, b.codec.state_dict()[name]), name
    train = a.items("train")
    assert torch.equal(a.read(train).target, b.read(train).target) and torch.equal(a.read(train).static, b.read(train).static)


def test_what_the_network_sees_is_made_of_the_coarse_field_alone(source_of):
    # two fields with the same block means: the same condition, different targets
    x = np.random.default_rng(1).normal(size=(40, 8, 12)).astype(np.float32)
    y = x.copy()
    y[..., 0::2], y[..., 1::2] = x[..., 1::2], x[..., 0::2]  # neighbours in a row, which have the same area
    a, b = (Downscaling(source=source_of({"t": v}), targets=("t",), factor=2, partition=HALVES).open() for v in (x, y))
    assert torch.allclose(a.read(a.items("test")).condition, b.read(b.items("test")).condition, atol=1e-5)
    assert (a.read(a.items("test")).target - b.read(b.items("test")).target).abs().max() > 1


def test_coarse_fields_are_area_weighted_means_of_valid_cells(source_of):
    x = np.random.default_rng(2).normal(size=(12, 5, 6)).astype(np.float32) + 10
    x[:, 0, 0] = np.nan  # in block 0
    x[:, 3:, 4:] = np.nan  # all of the last block but its first row (row 2 is in block row 1)
    x[:, 2, 4:] = np.nan
    opened = Downscaling(source=source_of({"t": x}), targets=("t",), factor=2, partition=HALVES).open()
    coarse = opened.coarse([wx.interfaces.Item(3, "")])[0, 0]
    area = Grid("latlon", 40.0 + np.arange(5), np.arange(6.0)).area()
    cells = [(0, 1), (1, 0), (1, 1)]
    by_hand = sum(area[c] * x[3][c] for c in cells) / sum(area[c] for c in cells)
    assert coarse.shape == (3, 3) and float(coarse[0, 0]) == pytest.approx(by_hand, rel=1e-6)
    assert float(coarse[2, 0]) == pytest.approx(x[3, 4, :2].mean(), rel=1e-6)  # a partial block
    assert float(coarse[1, 2]) in (float(coarse[1, 1]), float(coarse[0, 2]))  # an empty one: the nearest that is not
    assert bool(torch.isfinite(opened.read(opened.items("test")).condition).all())


def test_static_channels_in_order():
    opened = synthetic(geometry=("mask", "coordinates", "subgrid"))
    static = opened.read(opened.items("test")[:1]).static[0]
    assert opened.ports.static == len(static) == 1 + 1 + 2 + 2
    orog = opened.truth(opened.items("test")[0])["tas"].notnull().values
    assert torch.equal(static[1].bool(), torch.from_numpy(orog))
    assert float(static[0][orog].mean()) == pytest.approx(0, abs=1e-5) and float(static[0][orog].std()) == pytest.approx(1, abs=0.01)
    assert static[2, :, 0].tolist() == pytest.approx([(2 * i + 1) / 18 - 1 for i in range(18)])
    assert static[5, 0].tolist() == pytest.approx(([-0.75, -0.25, 0.25, 0.75] * 6)[:21])


def test_the_season_is_a_condition():
    opened = synthetic(targets=("tas",), bounds={})
    condition = opened.read(opened.items("train")[:1]).condition
    assert condition.shape[1] == opened.ports.condition == 4
    assert float(condition[0, 2].max()) == pytest.approx(0, abs=1e-6) and float(condition[0, 3].min()) == 1  # sine and cosine on 1 January
    assert synthetic(targets=("tas",), bounds={}, predictors=("pr",), calendar=()).ports.condition == 3


@pytest.mark.parametrize("target", ["residual", "residual_anomaly"])
def test_the_network_sees_the_block_means_of_what_it_learns(target):
    """Without a transform the mean of the target over a block is known: it is the second channel, but for one factor."""
    opened = synthetic(targets=("tas",), bounds={}, target=target)
    batch = opened.read(opened.items("test"))
    area = torch.from_numpy(opened.grid.area()) * batch.mask[0, 0]
    block = slice(4, 8), slice(8, 12)
    known = batch.condition[:, 1, *block]
    assert torch.equal(known.amin((1, 2)), known.amax((1, 2)))  # one value a block
    mean = (batch.target[:, 0, *block] * area[block]).sum((1, 2)) / area[block].sum()
    ratio = mean / known[:, 0, 0]
    assert float(ratio.std()) < 1e-3 * abs(float(ratio.mean()))


def test_bounds_hold_after_decoding(residual):
    items = residual.items("test")[:4]
    batch = residual.read(items)
    wild = residual.codec.decode(torch.full_like(batch.target, -30.0), batch)
    assert float(wild[:, 1].max()) == 0.0 and float(wild[:, 0].max()) < 250
    capped = synthetic(transforms={}, bounds={"pr": (0.0, 5.0)}).codec
    assert float(capped.decode(batch.target * 100, batch)[:, 1].max()) == 5.0


def test_a_codec_is_rebuilt_without_data():
    spec = Downscaling(source=SMALL, targets=("tas", "pr"), factor=4, bounds={"pr": (0.0, None)}, transforms={"pr": "cbrt"})
    opened = spec.open()
    again = spec.codec(json.loads(json.dumps(opened.codec.recipe())))
    again.load_state_dict(opened.codec.state_dict())
    batch = opened.read(opened.items("test")[:2])
    assert torch.equal(again.decode(batch.target, batch), opened.codec.decode(batch.target, batch))
    assert again.units == ("K", "mm day-1")
    x = torch.tensor([280.0, 290.0])
    assert torch.equal(again.encode("tas", x), (x - again.mean[0]) / again.std[0])


def test_a_ring_can_be_downscaled():
    opened = Downscaling(
        source=wx.datasets.Lorenz96(trajectories=2, steps=40, spin_up=200), targets=("state",), factor=4, calendar=()
    ).open()
    items = opened.items("test")
    batch = opened.read(items)
    assert batch.condition.shape[1:] == (2, 40) and batch.target.shape[1:] == (1, 40)
    assert torch.allclose(opened.codec.decode(batch.target, batch), physical(opened, items), atol=1e-4)
    assert opened.coarse(items)[0, 0] == pytest.approx(physical(opened, items)[0, 0].view(10, 4).mean(1), abs=1e-5)


def test_missing_times_are_in_no_split(source_of):
    x = np.random.default_rng(3).normal(size=(16, 4, 4)).astype(np.float32)
    present = np.ones(16, bool)
    present[[0, 7]], x[[0, 7]] = False, np.nan
    opened = Downscaling(source=source_of({"t": x}, present=present), targets=("t",), factor=2, partition=HALVES).open()
    assert [item.index for item in opened.items("train")] == [1, 4, 5, 8, 9, 12, 13]
    assert [item.index for item in opened.items("test")] == [3, 11, 15]
    assert bool(torch.isfinite(opened.read(opened.items("train")).target).all())


def test_a_region_is_a_cut_of_the_source():
    opened = synthetic(region=(2, 14, 5, 21))
    whole = synthetic()
    item = opened.items("test")[0]
    assert opened.grid.shape == (12, 16)
    assert opened.truth(item).equals(whole.truth(item).isel(lat=slice(2, 14), lon=slice(5, 21)))


def test_there_is_no_next_step(residual):
    batch = residual.read(residual.items("test")[:1])
    assert list(residual.frames(residual.items("test")[:1], 1)) == []
    with pytest.raises(ValueError, match="Ensemble.leads must be 1"):
        residual.frames(residual.items("test")[:1], 2)
    with pytest.raises(ValueError, match="Ensemble.leads must be 1"):
        residual.codec.advance(batch, batch.target, None)


# What is wrong with the data, or with what is asked of them


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"factor": 1}, "Downscaling.factor must be at least 2, got 1"),
        ({"targets": ()}, "Downscaling.targets must name at least one variable"),
        ({"targets": ("tas",), "predictors": ("tas",), "bounds": {}}, "must name a variable once, got 'tas' 2 times"),
        ({"targets": ("tas", "prr"), "bounds": {}}, "SyntheticFields has no variable 'prr'; did you mean 'pr'?"),
        ({"targets": ("tas", "orog"), "bounds": {}}, "SyntheticFields has no variable 'orog'; choose from pr, tas"),
        ({"static": ("orography",)}, "SyntheticFields has no static field 'orography'; did you mean 'orog'?"),
        ({"transforms": {"tass": "sqrt"}}, "Downscaling.transforms has 'tass', which is none of its variables; did you mean 'tas'"),
        ({"bounds": {"pr": (1.0, 0.0)}}, r"Downscaling.bounds of 'pr' must be \(least, greatest\), got \(1.0, 0.0\)"),
        ({"patch": (8, 22)}, r"Downscaling.patch must be within the field, 18 x 21 cells, got \(8, 22\)"),
        ({"patch": (8,)}, r"Downscaling.patch must be within the field, 18 x 21 cells, got \(8,\)"),
        ({"region": (0, 19, 0, 5)}, r"region must be .* within 18 x 21, got \(0, 19, 0, 5\)"),
        ({"partition": Cyclic(period=60, train=(0, 1), valid=(2, 3), test=(4, 5))}, "needs at least 2 training times, got 1"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(changes, words):
    with pytest.raises(ValueError, match=words):
        synthetic(**changes)


@pytest.mark.parametrize("dataset", ["downscaling", "forecasting"])
def test_wrong_data_are_refused_by_name(source_of, dataset):
    x = np.random.default_rng(4).normal(size=(20, 4, 4)).astype(np.float32)
    days = np.datetime64("2001-01-01", "s") + np.arange(20) * np.timedelta64(1, "D")

    def opened(variables, **rest):
        source = source_of(variables, **rest)
        if dataset == "forecasting":
            return Forecasting(source=source, variables=("t", "u"), lead_hours=24.0).open()
        return Downscaling(source=source, targets=("t", "u"), factor=2, partition=HALVES).open()

    assert opened({"t": x, "u": x}).ports.target == 2
    with pytest.raises(ValueError, match="u of Arrays has no valid value"):
        opened({"t": x, "u": np.full_like(x, np.nan)})
    one = x.copy()
    one[3] = np.nan
    with pytest.raises(ValueError, match="u of Arrays has no valid value at 2001-01-04T00:00:00; a missing time must be marked"):
        opened({"t": x, "u": one})
    scattered = x.copy()
    scattered.reshape(20, 16)[np.arange(20), np.arange(20) % 16] = np.nan
    with pytest.raises(ValueError, match="u of Arrays has no cell that is valid at all times"):
        opened({"t": x, "u": scattered})
    with pytest.raises(ValueError, match="u does not vary over training times"):
        opened({"t": x, "u": np.ones_like(x)})
    with pytest.raises(ValueError, match="times of Arrays are not sorted: 2001-01-03T00:00:00 follows 2001-01-04T00:00:00"):
        opened({"t": x, "u": x}, times=days[[0, 1, 3, 2, *range(4, 20)]])
    with pytest.raises(ValueError, match="times of Arrays are duplicated: 2001-01-02T00:00:00 follows 2001-01-02T00:00:00"):
        opened({"t": x, "u": x}, times=days[[0, 1, 1, *range(3, 20)]])


def test_a_transform_outside_its_domain_is_refused(source_of):
    x = np.random.default_rng(5).normal(size=(20, 4, 4)).astype(np.float32)
    with pytest.raises(ValueError, match="sqrt needs values of at least 0, but t of Arrays has -"):
        Downscaling(source=source_of({"t": x}), targets=("t",), factor=2, partition=HALVES, transforms={"t": "sqrt"}).open()
