import copy
import math

import doubles
import numpy as np
import pytest
import small
import torch

from wxexp import training
from wxexp.config import edit, from_tree, to_tree
from wxexp.fields.grid import Grid
from wxexp.interfaces import Inputs, Learner, Model, Ports
from wxexp.models import SongUNet, UNeXt, UViT
from wxexp.models.embeddings import Fourier, LevelEmbedding, Positional, Sinusoidal, Waves


def test_digits_of_position_encodings():
    """sin and cos of 1 and of 1000^(-1/2), as Anemoi's embedding of 4 channels and period 1000 gives them; then of DDPM's step 1000."""
    waves = Positional(size=4, scale=1.0, longest=math.sqrt(1000)).build()
    expected = torch.tensor([[0.84147098, 0.03161751, 0.54030231, 0.99950004]])
    torch.testing.assert_close(waves(torch.ones(1, 1)), expected, rtol=0, atol=1e-7)
    ddpm = Positional(size=4).build()(torch.ones(1, 1))  # sin(1000), sin(0.1), cos(1000), cos(0.1)
    torch.testing.assert_close(ddpm, torch.tensor([[0.82687954, 0.09983342, 0.56237908, 0.99500417]]), rtol=0, atol=2e-4)


def test_the_embedding_of_edm():
    """Of ln(80) / 4 = 1.09550666 with 6 channels: frequencies 1, 1/100 and 1/10^4 radians, written out (Karras et al. 2022, DDPM++)."""
    found = Positional(size=6, scale=1.0).build()(torch.tensor([[1.09550666]]))[0].tolist()
    assert found == pytest.approx([0.88916021, 0.01095485, 0.00010955, 0.45759603, 0.99993999, 0.99999999], abs=2e-7)


def test_digits_of_fourier_features():
    """Of 1/3 at 1/4 and 1 cycle a unit: the angles are 30 and 120 degrees."""
    waves = Waves(torch.tensor([0.25, 1.0]))
    half_root = math.sqrt(3) / 2
    found = waves(torch.tensor([[1 / 3]]))
    torch.testing.assert_close(found, torch.tensor([[0.5, half_root, half_root, -0.5]]), rtol=0, atol=1e-6)


def test_digits_of_the_default():
    """u, then sin and cos of 2 pi f u: at u = 1 f = 1/8, 2^(-5/2), 1/4, ... 2^(5/2) give an eighth of a turn, a quarter and so on."""
    found = Sinusoidal().build()(torch.ones(1, 1))[0]
    assert found.shape == (25,) and found[0] == 1
    assert found[[1, 13]].tolist() == pytest.approx([math.sqrt(0.5)] * 2, abs=1e-6)
    assert found[[3, 15]].tolist() == pytest.approx([1.0, 0.0], abs=1e-6)
    assert found[[7, 19]].tolist() == pytest.approx([0.0, 1.0], abs=1e-6)  # a whole turn
    assert found[[12, 24]].tolist() == pytest.approx([math.sin(2 * math.pi * 5.656854249), math.cos(2 * math.pi * 5.656854249)], abs=1e-5)


def test_frequencies_of_fourier_features_are_normal():
    torch.manual_seed(0)
    frequencies = Fourier(size=20_000, scale=16.0).build().frequencies.double()
    assert len(frequencies) == 10_000
    assert frequencies.std().item() == pytest.approx(16, rel=0.02) and abs(frequencies.mean().item()) < 4 * 16 / 100


def grid() -> Grid:
    return Grid("ring", None, np.arange(9.0))


def built(cls: type[Model], embedding: LevelEmbedding, seed: int = 0, **kwargs) -> torch.nn.Module:
    """Small, with every parameter drawn, as many start at zero."""
    small = {"channels": 32, "multipliers": (1, 1), "embedding": 16}
    torch.manual_seed(seed)
    network = cls(**small, level_embedding=embedding).build(Ports(1, 1, 0, 1, level=1, grid=grid(), **kwargs), None)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(0.1 * torch.randn(parameter.shape))
    return network.eval()


def outputs(network: torch.nn.Module, *levels: float, lead_hours: float = 0.0) -> list[torch.Tensor]:
    field = torch.linspace(-1, 1, 9)[None, None]
    given = Inputs(field.flip(-1), torch.zeros(1, 0, 9), torch.tensor([lead_hours]), torch.zeros(1, 1, dtype=torch.int64))
    found = []
    for level in levels:
        given.level = torch.tensor([[level]])
        with torch.no_grad():
            found.append(network(field, given))
    return found


@pytest.mark.parametrize("embedding", [Sinusoidal(octaves=4), Positional(size=16), Fourier(size=16)], ids=lambda e: type(e).__name__)
@pytest.mark.parametrize("cls", [SongUNet, UNeXt, UViT])
def test_every_network_embeds_by_any(cls: type[Model], embedding: LevelEmbedding):
    network = built(cls, embedding)
    near, far = outputs(network, 0.4, 0.5)
    assert near.shape == (1, 1, 9) and (far - near).abs().max() > 1e-3 * near.std()
    assert not any("frequencies" in name for name, _ in network.named_parameters())
    assert any("frequencies" in name for name in network.state_dict()) == isinstance(embedding, Fourier)


def test_frequencies_come_with_the_weights():
    """Restored into a network built from another seed they give the same fields, bit for bit; without them they would not."""
    first, second = (built(SongUNet, Fourier(size=16), seed) for seed in (0, 1))
    state = copy.deepcopy(first.state_dict())
    weights = {name: x for name, x in state.items() if "frequencies" not in name}
    second.load_state_dict(weights, strict=False)
    assert not torch.equal(outputs(second, 0.4)[0], outputs(first, 0.4)[0])
    second.load_state_dict(state)
    assert torch.equal(outputs(second, 0.4)[0], outputs(first, 0.4)[0])


def test_a_checkpoint_restores_frequencies_which_the_seed_decides(tmp_path):
    experiment = edit(small.downscaling(), {"model.level_embedding": "Fourier", "training.samples": 8})
    opened = experiment.dataset.open()

    def learner(seed: int) -> Learner:
        return training.build(edit(experiment, {"seed": seed}), opened, parent=None)

    def frequencies(learner: Learner) -> torch.Tensor:
        (found,) = [x for name, x in learner.state_dict().items() if "frequencies" in name]
        return found

    first, again, other = learner(0), learner(0), learner(1)
    assert torch.equal(frequencies(first), frequencies(again)) and not torch.equal(frequencies(first), frequencies(other))
    before = frequencies(first).clone()
    training.train(experiment, opened=opened, learner=first, session=training.LocalSession(tmp_path), tracker=doubles.Recorder())
    for weights in ("ema", "last"):
        restored = training.load(training.last_checkpoint(tmp_path), weights=weights)[1]
        assert torch.equal(frequencies(restored), before)


def test_lead_times_are_embedded_as_ever():
    """Whatever embeds the level, a lead time of 12 h among 6 and 12 differs from one of 6 h."""
    network = built(SongUNet, Fourier(size=16), leads=(6, 12))
    early, late = outputs(network, 0.4, lead_hours=6.0), outputs(network, 0.4, lead_hours=12.0)
    assert (early[0] - late[0]).abs().max() > 1e-4


def test_an_override_swaps_the_embedding():
    model = from_tree(to_tree(SongUNet()), Model)
    assert model.level_embedding == Sinusoidal()
    assert edit(model, {"level_embedding": "Fourier", "level_embedding.scale": 4.0}).level_embedding == Fourier(scale=4.0)


@pytest.mark.parametrize(
    ("cls", "wrong", "message"),
    [
        (Sinusoidal, {"octaves": 0}, r"Sinusoidal\.octaves must be at least 1, got 0"),
        (Positional, {"size": 2}, r"Positional\.size must be an even number of at least 4, got 2"),
        (Positional, {"size": 33}, r"Positional\.size must be an even number of at least 4, got 33"),
        (Positional, {"scale": 0.0}, r"Positional\.scale must be positive, got 0\.0"),
        (Positional, {"longest": 1.0}, r"Positional\.longest must be above 1, got 1\.0"),
        (Fourier, {"size": 7}, r"Fourier\.size must be an even number of at least 2, got 7"),
        (Fourier, {"scale": -1.0}, r"Fourier\.scale must be positive, got -1\.0"),
    ],
)
def test_wrong_values(cls, wrong, message):
    with pytest.raises(ValueError, match=message):
        cls(**wrong)
