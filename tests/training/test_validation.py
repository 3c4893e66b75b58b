import doubles
import numpy as np
import pytest
import scoringrules
import torch

from wxexp.experiment import Validation
from wxexp.interfaces import Learner, Loss
from wxexp.schedulers import Adaptive
from wxexp.training import validate
from wxexp.training.validation import densities

CPU = torch.device("cpu")
VALID = slice(2, None)  # cells of the toy's mask


class Given(Learner):
    """Members are the truth plus given differences; the loss is its draw."""

    def __init__(self, differences):
        super().__init__()
        self.codec, self.differences, self.seen = doubles.ToyCodec(10.0), differences, []

    def forward(self, batch, step):
        self.seen.append((step.phase, batch.key.tolist()))
        t = step.of("level").stratified()
        return Loss(t, gamma=16 * t - 8, error=2 * t)

    def members(self, batch, draws, sampler):
        assert len(draws.rows) == len(batch) * self.differences.shape[1]
        return batch.target[:, None] + self.differences[batch.key - 10]


def differences(m, *, seed=0, scale=1.0):
    return scale * torch.randn(2, m, 1, doubles.CELLS, generator=torch.Generator().manual_seed(seed))


def scores(learner, **fields):
    opened = doubles.Toy().open()
    return validate(learner, opened, Validation(**{"members": 3, "batch_size": 1, **fields}), seed=0, number=7, device=CPU)


def row(found, **context):
    return next(values for values, c in found.rows if c == {"subset": "valid", **context})


def test_scores_are_those_of_the_physical_fields():
    """Against scoringrules' fair CRPS and numpy, with the toy's physical = 2 * normalised + 10 and its area weights."""
    d = differences(3)
    got = row(scores(Given(d)), variable="y")
    opened = doubles.Toy().open()
    batch = opened.read(opened.items("valid"))
    truth = (2 * batch.target + 10).double().numpy()[..., VALID]
    members = (2 * (batch.target[:, None] + d) + 10).double().numpy()[..., VALID]
    weights = np.broadcast_to(opened.area.numpy()[:, VALID], truth[:, 0].shape)[:, None]

    def mean(x):
        return np.average(x, weights=weights)

    crps = mean(scoringrules.crps_ensemble(truth, members, m_axis=1, estimator="fair"))
    rmse = np.sqrt(mean((members.mean(1) - truth) ** 2))
    spread = np.sqrt(mean(members.var(1, ddof=1)))
    assert got["crps"] == pytest.approx(crps, rel=1e-6)
    assert got["rmse"] == pytest.approx(rmse, rel=1e-6)
    assert got["spread_skill"] == pytest.approx(np.sqrt(4 / 3) * spread / rmse, rel=1e-6)
    std = np.sqrt(mean(truth**2) - mean(truth) ** 2)
    found = scores(Given(d))
    assert found.metrics["crps"] == found.metrics["criterion"] == pytest.approx(crps / std, rel=1e-6)


def test_an_exchangeable_ensemble_has_spread_skill_one():
    """Truth is one more draw of the distribution of the members; on average over draws the ratio is 1 for any number of members."""
    many = [row(scores(Given(given)), variable="y")["spread_skill"] for given in exchangeable(60)]
    assert np.mean(np.square(many)) == pytest.approx(1.0, abs=0.2)


def exchangeable(n):
    for seed in range(n):
        draws = differences(4, seed=seed)
        yield draws[:, :3] - draws[:, 3:]  # truth + (member - truth's own draw)


def test_scores_do_not_depend_on_batches():
    d = differences(5)
    one, two = (row(scores(Given(d), members=5, batch_size=b), variable="y") for b in (1, 2))
    assert one == pytest.approx(two, rel=1e-12)


def test_loss_by_noise_level():
    """Stratified levels: t evenly on [0, 1], so gamma = 16 t - 8 fills eight bins of width 2 evenly, with mean t the middle of each."""
    learner = Given(differences(3))
    found = scores(learner, members=0)
    bins = {c["gamma"]: values for values, c in found.rows if "gamma" in c}
    assert sorted(bins) == [-7, -5, -3, -1, 1, 3, 5, 7]
    for center, values in bins.items():
        assert values["loss"] == pytest.approx((center + 8) / 16, abs=1 / 64)
        assert values["error"] == pytest.approx(2 * values["loss"])
    assert found.metrics.keys() == {"loss", "criterion"}
    assert found.metrics["criterion"] == found.metrics["loss"] == pytest.approx(0.5, abs=1 / 64)
    assert len(learner.seen) == 64 and {phase for phase, _ in learner.seen} == {"network"}


def test_two_validations_have_the_same_draws():
    experiment = doubles.experiment("adaptive")
    learner = doubles.build(experiment).eval()
    opened = experiment.dataset.open()
    validation = experiment.training.validation
    a, b = (validate(learner, opened, validation, seed=3, number=n, device=CPU) for n in (4, 8))
    assert a == b
    other = validate(learner, opened, validation, seed=4, number=4, device=CPU)
    assert other.metrics["loss"] != a.metrics["loss"] and other.metrics["crps"] != a.metrics["crps"]


def test_items_are_spread_evenly(monkeypatch):
    learner = Given(differences(3))
    items = doubles.Toy().open().items("train")
    monkeypatch.setattr(doubles.ToyOpened, "items", lambda self, split: items)
    scores(learner, members=0, items=3)
    assert list(dict.fromkeys(key for _, keys in learner.seen for key in keys)) == [0, 3, 6]


def test_members_that_are_not_finite_stop_training_unless_masked():
    d = differences(3)
    d[..., 0] = torch.nan  # a masked cell
    assert np.isfinite(row(scores(Given(d)), variable="y")["crps"])
    d[1, 2, 0, 5] = torch.inf
    with pytest.raises(FloatingPointError, match="members drawn in the validation at step 7 are not finite"):
        scores(Given(d))


def test_no_validation_times(monkeypatch):
    monkeypatch.setattr(doubles.ToyOpened, "items", lambda self, split: [])
    with pytest.raises(ValueError, match="no validation times"):
        scores(Given(differences(3)))


def test_the_density_of_a_schedule_that_adapts_is_told_by_bins():
    """Bins of 1 in log-SNR, of a range that ends in the middle of one: its density is that of the part inside, and all add up to 1."""
    schedule = Adaptive(gamma_min=-2.5, gamma_max=3.0, bins=11).build()
    schedule.mean[:] = torch.arange(1.0, 12.0)
    rows = densities(torch.nn.Sequential(schedule))
    gammas, found = zip(*((context["gamma"], values["density"]) for values, context in rows), strict=True)
    assert gammas == (-2.25, -1.5, -0.5, 0.5, 1.5, 2.5) and all(context["subset"] == "train" for _, context in rows)
    assert found[0] / 2 + sum(found[1:]) == pytest.approx(1.0)
    # cells of width 1/2, the noisiest with 11 of 66 parts, the next two with 10 and 9
    assert found[0] == pytest.approx(2 * (0.99 * 11 / 66 + 0.01 / 11)) and found[1] == pytest.approx(0.99 * 19 / 66 + 0.02 / 11)
    assert densities(torch.nn.Linear(1, 1)) == []
