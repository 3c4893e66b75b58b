import numpy as np
import pytest
import torch

from wxexp.datasets import Cyclic, Dates, Forecasting, Fractions, Lorenz96
from wxexp.interfaces import Evolving

SOURCE = Lorenz96(cells=8, trajectories=3, steps=50, spin_up=300)
ALL = Fractions(train=(0.0, 0.6), valid=(0.6, 0.8), test=(0.8, 1.0))


def lorenz(**changes):
    given = {"source": SOURCE, "variables": ("state",), "lead_hours": 6.0, "partition": ALL}
    return Forecasting(**{**given, **changes}).open()


@pytest.fixture(scope="module")
def raw():
    return SOURCE.open()


@pytest.mark.parametrize("history, leads, future", [(1, 1, 0), (3, 1, 0), (2, 5, 2)])
def test_windows_touch_neither_a_missing_time_nor_another_split(raw, history, leads, future):
    opened = lorenz(history=history, leads=leads, future=future)
    chosen = ALL.select(np.zeros(len(raw.present)))
    for split, after in (("train", 1 + future), ("valid", max(1 + future, leads)), ("test", max(1 + future, leads))):
        good = chosen[split] & raw.present
        expected = [i for i in range(len(good)) if all(0 <= j < len(good) and good[j] for j in range(i - history + 1, i + after + 1))]
        assert [item.index for item in opened.items(split)] == expected and expected


def test_a_batch_holds_past_states_oldest_first_and_the_next_one(raw):
    opened = lorenz(history=3, target="state", future=1)
    items = opened.items("train")[5:8]
    batch, x = opened.read(items), raw.data["state"].values
    codec = opened.codec
    z = codec.encode("state", torch.from_numpy(x))
    for row, item in enumerate(items):
        i = item.index
        assert torch.equal(batch.condition[row], z[i - 2 : i + 1])
        assert torch.equal(batch.target[row, 0], z[i + 1]) and torch.equal(batch.future[0].state[row, 0], z[i + 2])
    assert batch.lead_hours.tolist() == [6.0] * 3 and opened.ports.leads == (6.0,)
    assert opened.ports.condition == 3 and opened.ports.static == 0


def test_a_step_of_several_source_steps(raw):
    opened = lorenz(lead_hours=18.0, history=2, target="state")
    item = opened.items("test")[0]
    x = raw.data["state"].values
    assert opened.truth(item)["state"].values[0] == pytest.approx(x[item.index + 3])
    assert opened.codec.decode(opened.read([item]).target, opened.read([item])).numpy()[0, 0] == pytest.approx(x[item.index + 3], abs=1e-5)
    assert torch.equal(opened.read([item]).condition[0, 0], opened.codec.encode("state", torch.from_numpy(x[item.index - 3])))


@pytest.mark.parametrize("target", ["state", "tendency"])
def test_decoding_what_was_encoded_gives_the_truth(target):
    opened = lorenz(target=target, history=2)
    items = opened.items("test")
    batch = opened.read(items)
    truth = np.stack([opened.truth(item)["state"].values[0] for item in items])
    assert opened.codec.decode(batch.target, batch)[:, 0].numpy() == pytest.approx(truth, abs=1e-5)
    if target == "tendency":
        learnt = opened.read(opened.items("train")).target.double()
        assert float(learnt.mean()) == pytest.approx(0, abs=1e-5) and float(learnt.std()) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("target", ["state", "tendency"])
def test_a_perfect_forecast_stays_perfect_from_step_to_step(target):
    # rolling out with the true target of every step gives the true states
    opened = lorenz(target=target, history=2, leads=4, future=3)
    items = opened.items("test")[:3]
    batch = start = opened.read(items)
    states = [opened.codec.decode(batch.target, batch)]
    for frame in start.future:
        batch = opened.codec.advance(batch, batch.target, frame)
        states.append(opened.codec.decode(batch.target, batch))
    truth = np.stack([opened.truth(item)["state"].values for item in items])
    assert torch.stack(states, 1)[:, :, 0].numpy() == pytest.approx(truth, abs=2e-5)
    expected = opened.read([opened.items("test")[3]]).condition  # three steps after the first item: its own window
    assert torch.allclose(batch.condition[:1], expected, atol=1e-5)


def test_a_tendency_is_re_expressed_from_the_state_that_was_predicted():
    opened = lorenz(target="tendency", future=1)
    batch = opened.read(opened.items("train")[:2])
    wrong = batch.target + 0.5
    next_batch = opened.codec.advance(batch, wrong, batch.future[0])
    # the target says how to reach the true second state from the wrong first one
    reached = opened.codec.state(next_batch.target, next_batch)
    assert torch.allclose(reached, batch.future[0].state, atol=1e-5)


def test_a_rollout_is_differentiable():
    opened = lorenz(target="tendency", future=1)
    batch = opened.read(opened.items("train")[:2])
    y = batch.target.clone().requires_grad_()
    after = opened.codec.advance(batch, y, batch.future[0])
    after.condition.sum().backward()
    assert y.grad is not None and torch.allclose(y.grad, opened.codec.tendency_std.expand_as(y.grad))


def test_frames_are_the_steps_after_the_first_without_states():
    opened = lorenz(leads=4, calendar=("hour_of_day",))
    items = opened.items("test")[:2]
    frames = list(opened.frames(items, 4))
    assert len(frames) == 3 and all(frame.state is None for frame in frames)
    # the calendar at the target time: a step of 6 hours is a quarter of a turn
    first, second = opened.read(items).condition[0, 1:, 0], frames[0].forcing[0, :, 0]
    assert first[0] * second[0] + first[1] * second[1] == pytest.approx(0, abs=1e-6)
    assert [len(list(opened.frames(items, leads))) for leads in (1, 2)] == [0, 1]
    with pytest.raises(ValueError, match="there are no forcings .* hours after .*; see Forecasting.leads"):
        list(opened.frames(opened.items("test")[-1:], 6))


def test_forcings_are_given_at_the_target_time(source_of):
    x = np.random.default_rng(0).normal(size=(30, 6)).astype(np.float32)
    f = np.arange(30, dtype=np.float32)[:, None].repeat(6, 1)
    spec = Forecasting(source=source_of({"x": x, "f": f}), variables=("x",), forcings=("f",), lead_hours=24.0, leads=2, target="state")
    opened = spec.open()
    item = opened.items("test")[0]
    assert torch.allclose(
        opened.read([item]).condition[0, 1], opened.codec.encode("f", torch.tensor(item.index + 1.0)).expand(6), atol=1e-6
    )
    (frame,) = opened.frames([item], 2)
    assert torch.allclose(frame.forcing[0, 0], opened.codec.encode("f", torch.tensor(item.index + 2.0)).expand(6), atol=1e-6)


def test_truth_has_as_many_leads_as_there_are(raw):
    opened = lorenz(leads=3)
    assert all(opened.truth(item).sizes["lead_time"] == 3 for item in opened.items("test"))
    truth = opened.truth(opened.items("test")[0])
    assert truth["lead_time"].values.tolist() == [6.0, 12.0, 18.0] and truth["lead_time"].attrs["units"] == "hours"
    last = opened.items("train")[-1]  # the end of the split, not of the trajectory
    assert opened.truth(last).sizes["lead_time"] == 3
    final = [item for item in opened.items("train") if not raw.present[item.index + 2]][0]
    assert opened.truth(final).sizes["lead_time"] == 1


def test_the_initial_state_and_stride(raw):
    opened = lorenz(stride=4)
    items = opened.items("test")
    assert isinstance(opened, Evolving) and set(np.diff([item.index for item in items[:5]])) == {4}
    assert opened.state(items)[:, 0].numpy() == pytest.approx(raw.data["state"].values[[item.index for item in items]])
    assert set(np.diff([item.index for item in opened.items("train")])) <= {1, 2, 3}


def test_two_dimensions_with_a_mask_and_patches(source_of):
    x = np.random.default_rng(1).normal(size=(30, 5, 6)).astype(np.float32)
    x[:, 0, 0] = np.nan
    z = np.arange(30.0).reshape(5, 6)
    spec = Forecasting(
        source=source_of({"x": x}, static={"z": z}),
        variables=("x",),
        lead_hours=24.0,
        static=("z",),
        geometry=("mask", "coordinates"),
        patch=(3, 3),
    )
    opened = spec.open()
    items = opened.items("train")[:2]
    full, part = opened.read(items), opened.read(items, torch.tensor([[0, 0], [2, 3]]))
    assert full.static.shape == (1, 4, 5, 6) and not full.mask[0, 0, 0, 0] and full.target[0, 0, 0, 0] == 0
    for name in ("target", "condition", "static", "mask"):
        whole = getattr(full, name)
        assert torch.equal(getattr(part, name)[1], whole[1 if len(whole) == 2 else 0][..., 2:5, 3:6])
    decoded = opened.codec.decode(part.target, part)
    assert decoded[1, 0].numpy() == pytest.approx(x[items[1].index + 1, 2:5, 3:6], abs=1e-5)
    assert np.isnan(opened.truth(items[0])["x"].values[0, 0, 0])


def test_a_hole_in_the_time_axis_is_like_a_missing_time(source_of):
    times = np.datetime64("2001-01-01", "s") + np.delete(np.arange(31), 10) * np.timedelta64(1, "D")
    x = np.random.default_rng(2).normal(size=(30, 6)).astype(np.float32)
    partition = Dates(train=("2001-01-01", "2001-01-25"), valid=("2001-01-25", "2001-01-26"), test=("2001-01-26", "2001-02-28"))
    opened = Forecasting(source=source_of({"x": x}, times=times), variables=("x",), lead_hours=24.0, history=2, partition=partition).open()
    assert [item.index for item in opened.items("train")] == [*range(1, 9), *range(11, 22)]
    assert [item.time[:10] for item in opened.items("test")] == [f"2001-01-{day}" for day in range(27, 31)]


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"history": 0}, "Forecasting.history must be at least 1, got 0"),
        ({"lead_hours": 0.0}, "Forecasting.lead_hours must be positive, got 0.0"),
        ({"lead_hours": 7.0}, "Forecasting.lead_hours must be a multiple of the 6 hours between times of Lorenz96, got 7.0"),
        ({"variables": ("stat",)}, "Lorenz96 has no variable 'stat'; did you mean 'state'?"),
        ({"forcings": ("state",)}, "must name a variable once, got 'state' 2 times"),
        ({"patch": (9,)}, r"Forecasting.patch must be within the field, 8 cells, got \(9,\)"),
        ({"transforms": {"state": "log1p"}}, "log1p needs values of at least 0, but state of Lorenz96 has -"),
        ({"partition": Cyclic(period=200, train=(0, 2), valid=(2, 4), test=(4, 6))}, "needs at least 2 training times, got 1"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(changes, words):
    with pytest.raises(ValueError, match=words):
        lorenz(**changes)
