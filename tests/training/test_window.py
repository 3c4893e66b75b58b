import json

import torch

from wxexp.interfaces import Group, Loss
from wxexp.training.window import Window

CPU = torch.device("cpu")


def loss(values):
    x = torch.tensor(values)
    return Loss(x, terms={"penalty": 2 * x})


def test_means_are_per_sample_and_norms_per_step():
    window = Window(CPU)
    window.add("network", loss([1.0, 2.0]), torch.tensor(3.0))
    window.add("network", loss([6.0]), torch.tensor(5.0))
    window.add("critic", loss([10.0]), torch.tensor(0.0))
    assert window.means() == {
        "network": {"loss": 3.0, "penalty": 6.0, "grad_norm": 4.0},
        "critic": {"loss": 10.0, "penalty": 20.0, "grad_norm": 0.0},
    }


def test_a_window_goes_through_a_checkpoint_bit_for_bit():
    whole, first, second = Window(CPU), Window(CPU), Window(CPU)
    values = [[0.1, 0.7], [1e-9], [123456.789], [1 / 3]]
    for k, v in enumerate(values):
        whole.add("network", loss(v), torch.tensor(0.1 * k))
        if k < 2:
            first.add("network", loss(v), torch.tensor(0.1 * k))
    second.load(json.loads(json.dumps(first.state())), Group())
    for k, v in list(enumerate(values))[2:]:
        second.add("network", loss(v), torch.tensor(0.1 * k))
    assert second.means() == whole.means()


def test_a_rank_without_samples_adds_none():
    window = Window(CPU)
    window.add("network", loss([2.0]), torch.tensor(1.0))
    window.add("network", Loss(torch.zeros(0), terms={"penalty": torch.zeros(0)}), torch.tensor(1.0))
    assert window.means()["network"] == {"loss": 2.0, "penalty": 4.0, "grad_norm": 1.0}
