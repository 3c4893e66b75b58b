import json
import shutil

import doubles
import pytest
import torch
from torch import nn

from wxexp.training import EMA, LocalSession, State, last_checkpoint, load, read, read_state, train, write


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A short training of a double with a parent, buffers and an average."""
    directory = tmp_path_factory.mktemp("run")
    experiment = doubles.experiment("residual", training__samples=10, training__validation=None)
    learner = doubles.build(experiment)
    opened = experiment.dataset.open()
    train(experiment, opened=opened, learner=learner, session=LocalSession(directory), tracker=doubles.Recorder())
    return learner, last_checkpoint(directory)


@pytest.fixture
def copy(trained, tmp_path):
    return shutil.copytree(trained[1], tmp_path / trained[1].name)


def test_last_weights_and_averages(trained):
    learner, path = trained
    last, averaged = (load(path, weights=which)[1].state_dict() for which in ("last", "ema"))
    saved = read(path)
    for name, x in learner.state_dict().items():
        assert torch.equal(last[name], x)
        assert torch.equal(averaged[name], saved.ema.get(name, x))  # buffers and parents are live
    assert saved.ema.keys() == {name for name, p in learner.named_parameters() if p.requires_grad}
    assert any(not torch.equal(averaged[name], last[name]) for name in saved.ema)
    assert not load(path)[1].training


def test_what_is_readable(trained):
    record = json.loads((trained[1] / "state.json").read_text())
    assert (record["format"], record["step"], record["samples"], record["finished"]) == (1, 2, 10, True)
    assert record["made_from"]["units"] == {"y": "K"}
    assert record["made_from"]["experiment"]["name"] == "residual"
    assert record["files"].keys() == {"learner.safetensors", "ema.safetensors", "optimizers.pt"}


@pytest.mark.parametrize("name", ["learner.safetensors", "ema.safetensors", "optimizers.pt", "state.json"])
@pytest.mark.parametrize("part", [0.0, 0.3, 0.6, 0.999])
def test_a_flipped_bit_is_noticed(copy, name, part):
    file = copy / name
    content = bytearray(file.read_bytes())
    content[int(part * len(content))] ^= 1
    file.write_bytes(content)
    for way in (read, load):
        with pytest.raises(ValueError, match=rf"{name} is corrupted") as error:
            way(copy)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["learner.safetensors", "optimizers.pt", "state.json"])
def test_a_missing_file_is_named(copy, name):
    (copy / name).unlink()
    with pytest.raises(ValueError, match=rf"{name} is missing"):
        load(copy)


def test_a_truncated_file_is_named(copy):
    (copy / "learner.safetensors").write_bytes((copy / "learner.safetensors").read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"learner.safetensors is corrupted"):
        load(copy)


def test_no_checkpoint_at_all(tmp_path):
    with pytest.raises(ValueError, match="there is no such checkpoint"):
        load(tmp_path / "step-000000001")


def test_a_later_format_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("wxexp.training.checkpoint.FORMAT", 2)
    save(tmp_path / "a", nn.Linear(1, 1))
    monkeypatch.undo()
    with pytest.raises(ValueError, match="a newer one wrote it"):
        read_state(tmp_path / "a")


def test_a_checkpoint_of_another_network_is_refused_in_one_line(trained):
    other = doubles.build(doubles.experiment("rollout"))
    with pytest.raises(ValueError, match=r"learner.safetensors does not fit this experiment") as error:
        read(trained[1]).restore(other)
    assert "\n" not in str(error.value)


def save(folder, module, *, ema=None, optimizers=None):
    state = State(step=1, samples=1, finished=False, metrics={}, best=None, stale=0, window={}, made_from={})
    write(folder, learner=module, ema=ema, optimizers=optimizers or {}, state=state)


def test_tied_weights_and_memory_formats(tmp_path):
    """safetensors refuses shared memory and gaps; a checkpoint must not."""
    net = nn.Module()
    net.a, net.conv = nn.Linear(3, 3), nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last)
    net.b = net.a
    net.register_buffer("view", torch.arange(12.0).reshape(3, 4).t())
    ema = EMA(net, batch_size=1, half_life=1, rampup=None)
    save(tmp_path / "x", net, ema=ema.weights)
    before = {name: x.clone() for name, x in net.state_dict().items()}
    for p in net.parameters():
        nn.init.zeros_(p)
    read(tmp_path / "x").restore(net)
    assert all(torch.equal(x, before[name]) for name, x in net.state_dict().items())
    assert net.b is net.a and net.conv.weight.is_contiguous(memory_format=torch.channels_last)


def test_optimizers_are_read_without_unpickling_code(tmp_path):
    net = nn.Linear(2, 2)
    optimizer = torch.optim.AdamW(net.parameters())
    net(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    save(tmp_path / "x", net, optimizers={"network": optimizer})
    again = torch.optim.AdamW(net.parameters())
    again.load_state_dict(read(tmp_path / "x").optimizers["network"])
    assert torch.equal(again.state[net.weight]["exp_avg"], optimizer.state[net.weight]["exp_avg"])
    assert float(again.state[net.weight]["step"]) == 1.0


def test_nothing_is_left_where_writing_failed(tmp_path):
    class Unwritable(nn.Module):
        def state_dict(self, *args, **kwargs):
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match=r"cannot write the checkpoint step-000000001 in .*: No space left on device"):
        save(tmp_path / "step-000000001.part", Unwritable())
    assert list(tmp_path.iterdir()) == []
