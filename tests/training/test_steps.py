import math

import doubles
import pytest
import torch

from wxexp.datasets.loader import Stream
from wxexp.interfaces import Inputs, Loss
from wxexp.training import LocalSession
from wxexp.training.steps import Stepper
from wxexp.training.window import Window


def one_step(tmp_path, name, *, number=0, learner=None, **changes):
    """The change of every parameter in one step of gradient descent at rate 1, in float64 and without dropout: minus the gradient."""
    changes = {"model__dropout": 0.0, "training__optimizer": doubles.Descent(), "training__clip": None, **changes}
    experiment = doubles.experiment(name, dataset__double=True, training__samples=50, **changes)
    learner = (learner or doubles.build(experiment)).double().train()
    before = {n: p.detach().clone() for n, p in learner.named_parameters()}
    stepper = Stepper(experiment, learner, LocalSession(tmp_path))
    batch = Stream(experiment.dataset.open(), seed=3, batch_size=5).batch(number, stepper.places)
    window = Window(torch.device("cpu"))
    stepper.step(number, batch, window)
    return {n: p.detach() - before[n] for n, p in learner.named_parameters()}, window, batch


def largest(x, y):
    return max(float((x[n] - y[n]).abs().max()) for n in x) / max(float(v.abs().max()) for v in y.values())


@pytest.mark.parametrize("name", ["residual", "crps", "latent", "rollout"])
def test_micro_batches_change_memory_only(tmp_path, name):
    whole, a, _ = one_step(tmp_path, name, training__micro_batch=None)
    parts, b, _ = one_step(tmp_path, name, training__micro_batch=2)
    assert largest(parts, whole) < 1e-12
    assert b.means()["network"] == pytest.approx(a.means()["network"], rel=1e-12)


def test_the_gradient_is_that_of_the_mean_loss(tmp_path):
    """Against autograd on the mean squared error written out."""
    change, _, batch = one_step(tmp_path, "crps", objective=doubles.Regression(), training__micro_batch=2)
    learner = doubles.build(doubles.experiment("crps", objective=doubles.Regression(), model__dropout=0.0)).double()
    weights = (batch.mask * batch.area[:, None])[0, 0]
    error = (learner.network(None, Inputs.of(batch)) - batch.target)[:, 0] ** 2
    ((error * weights).sum(1) / weights.sum()).mean().backward()
    gradients = {n: -p.grad for n, p in learner.named_parameters()}
    assert largest(change, gradients) < 1e-12


def test_phases_take_turns(tmp_path):
    """The critic learns every step, the generator every third, and neither moves the other."""
    for number, moved in [(0, {"critic"}), (1, {"critic"}), (2, {"critic", "network"}), (5, {"critic", "network"})]:
        change, window, _ = one_step(tmp_path, "adversarial", number=number)
        assert {n.split(".")[0] for n, d in change.items() if bool((d != 0).any())} == moved
        assert set(window.means()) == {"critic"} | ({"generator"} if "network" in moved else set())


def test_dropout_is_a_function_of_the_step_and_leaves_no_trace(tmp_path):
    changes = {"model__dropout": 0.5, "training__micro_batch": None}
    torch.manual_seed(0)
    a, _, _ = one_step(tmp_path, "rollout", **changes)
    torch.manual_seed(1)
    b, _, _ = one_step(tmp_path, "rollout", **changes)
    c, _, _ = one_step(tmp_path, "rollout", **{**changes, "model__dropout": 0.0})
    assert all(torch.equal(a[n], b[n]) for n in a) and largest(a, c) > 1e-3


class Broken(doubles.DenoisingLearner):
    """A loss that is not finite where the noise is strong."""

    bad = math.nan

    def forward(self, batch, step):
        loss = super().forward(batch, step)
        return Loss(torch.where(loss.gamma < -4, self.bad, loss.per_sample), loss.gamma, loss.error)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_names_step_and_noise_level(tmp_path, monkeypatch, bad):
    monkeypatch.setattr(doubles, "DenoisingLearner", Broken)
    monkeypatch.setattr(Broken, "bad", bad)
    learner = doubles.build(doubles.experiment("adaptive", dataset__double=True, model__dropout=0.0))
    before = {n: x.clone() for n, x in learner.double().state_dict().items()}
    message = (
        rf"the loss of phase 'network' is {bad} at step 4, at noise level sigma = (\S+) \(log-SNR (\S+)\), for the sample of 2000-01-\d\d"
    )
    with pytest.raises(FloatingPointError, match=message) as error:
        one_step(tmp_path, "adaptive", number=4, learner=learner)
    assert all(torch.equal(x, before[n]) for n, x in learner.state_dict().items())  # before the optimiser and the schedule moved
    text = str(error.value)
    sigma, gamma = (float(text.split(start)[1].split(end)[0]) for start, end in (("sigma = ", " "), ("SNR ", ")")))
    assert gamma < -4 and sigma == pytest.approx(math.exp(-gamma / 2), rel=1e-3)
