import os
import signal

import doubles
import pytest
import small
import torch

from wxexp.config import edit
from wxexp.interfaces import Loss
from wxexp.training import Interrupted, LocalSession, best_checkpoint, build, last_checkpoint, load, read, read_state, train, validate
from wxexp.training import loop as loop_module


def run(experiment, directory, *, tracker=None, learner=None, progress=None):
    tracker = tracker or doubles.Recorder()
    learner = learner or doubles.build(experiment)
    with LocalSession(directory) as session:
        train(experiment, opened=experiment.dataset.open(), learner=learner, session=session, tracker=tracker, progress=progress)
    return learner, [row for row in tracker.rows if row[2] != {"subset": "clock"}]


def states_equal(a, b):
    a, b = a.state_dict(), b.state_dict()
    return all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_asked_to_stop_it_writes_a_checkpoint_and_goes_on(tmp_path, number):
    class Asking(doubles.Recorder):
        def scalars(self, step, values, context):
            super().scalars(step, values, context)
            if step == 5 and not self.asked:
                self.asked = True
                os.kill(os.getpid(), number)

        asked = False

    experiment = doubles.experiment("adaptive")
    tracker = Asking()
    with pytest.raises(Interrupted, match="stopped at step 5 of 12; the same command again goes on"):
        run(experiment, tmp_path / "a", tracker=tracker)
    assert not read_state(last_checkpoint(tmp_path / "a")).finished
    learner, rows = run(experiment, tmp_path / "a", tracker=tracker)
    undisturbed, expected = run(experiment, tmp_path / "b")
    assert states_equal(learner, undisturbed) and rows == expected


def test_a_finished_training_has_nothing_left_to_do(tmp_path):
    experiment = doubles.experiment("rollout")
    learner, _ = run(experiment, tmp_path)
    seen = []
    again, rows = run(experiment, tmp_path, progress=seen.append)
    assert states_equal(learner, again) and rows == []
    assert [(p.step, p.samples, p.total) for p in seen] == [(12, 60, 60)]


def test_progress_and_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(loop_module, "PROGRESS_SECONDS", -1.0)
    seen = []
    _, rows = run(doubles.experiment("rollout"), tmp_path, progress=seen.append)
    assert [p.samples for p in seen] == [0, *range(5, 61, 5), 60]
    losses = {step: values["loss"] for step, values, context in rows if context == {"subset": "train"}}
    assert list(losses) == list(range(1, 13))
    assert [p.loss for p in seen[1:3]] == [None, losses[1]] and seen[-1].loss == losses[12]
    first = next(values for _, values, context in rows if context == {"subset": "train"})
    assert first.keys() == {"loss", "rate", "grad_norm"} and first["rate"] == 2.5e-3  # half-way up a warm-up of two steps


def test_rows_are_means_over_the_steps_between(tmp_path, monkeypatch):
    """Rows of three steps are the means of three rows of one."""
    experiment = doubles.experiment("regression", training__validation=None, training__micro_batch=None)
    _, single = run(experiment, tmp_path / "a")
    monkeypatch.setattr(loop_module, "tracked_steps", lambda steps: 3)
    _, rows = run(experiment, tmp_path / "b")
    assert [step for step, _, _ in rows] == [3, 6, 9, 12]
    for k, (_, values, _) in enumerate(rows):
        for name in ("loss", "grad_norm"):
            assert values[name] == pytest.approx(sum(v[name] for _, v, _ in single[3 * k : 3 * k + 3]) / 3, rel=1e-12)


class Worsening(doubles.RegressionLearner):
    """Its validation loss is 3, 2, 4, 5, 1, ... in this order."""

    def validate(self, batch, step):
        value = {1: 3.0, 2: 2.0, 3: 4.0, 4: 5.0}.get(step.number, 1.0)
        return Loss(torch.full((len(batch),), value))


def test_patience_ends_training_and_the_best_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(doubles, "RegressionLearner", Worsening)
    changes = {"training__validation__every": 5, "training__validation__members": 0, "training__checkpoint": None}
    experiment = doubles.experiment("regression", training__patience=2, **changes)
    _, rows = run(experiment, tmp_path)
    assert max(step for step, _, _ in rows) == 4  # steps 3 and 4 were no better than step 2
    last, best = last_checkpoint(tmp_path), best_checkpoint(tmp_path)
    assert (last.name, best.name) == ("step-000000004", "step-000000002")
    state = read_state(last)
    assert state.finished and (state.best, state.stale) == (2.0, 2)
    assert run(experiment, tmp_path)[1] == []  # it stays finished


def test_without_an_average_the_last_weights_are_drawn_from(tmp_path):
    learner, _ = run(doubles.experiment("regression", training__ema=None), tmp_path)
    path = last_checkpoint(tmp_path)
    assert read(path).ema is None and states_equal(load(path, weights="ema")[1], learner)


def test_validation_uses_the_averages_and_leaves_training_as_it_was(tmp_path):
    experiment = doubles.experiment("adaptive")
    with_validation, rows = run(experiment, tmp_path / "a")
    without, _ = run(doubles.experiment("adaptive", training__validation=None), tmp_path / "b")
    assert states_equal(with_validation, without)
    last = [values for step, values, context in rows if step == 12 and context == {"subset": "valid"}]
    for weights, same in (("ema", True), ("last", False)):
        learner = load(last_checkpoint(tmp_path / "a"), weights=weights)[1]
        found = validate(learner, experiment.dataset.open(), experiment.training.validation, seed=3, number=12, device=torch.device("cpu"))
        assert (found.metrics["loss"] == last[0]["loss"]) is same


def test_a_gradient_that_is_not_finite_never_reaches_a_checkpoint(tmp_path, monkeypatch):
    class Sharp(doubles.RegressionLearner):
        def forward(self, batch, step):
            loss = super().forward(batch, step)
            if step.number == 7:  # finite, with an infinite derivative
                loss.per_sample = loss.per_sample + torch.sqrt(self.network.last.bias.sum() * 0)
            return loss

    monkeypatch.setattr(doubles, "RegressionLearner", Sharp)
    experiment = doubles.experiment("regression", training__validation=None)
    with pytest.raises(FloatingPointError, match="the gradient of phase 'network' was not finite in a step up to 8"):
        run(experiment, tmp_path)
    assert last_checkpoint(tmp_path).name == "step-000000006"


def test_the_callers_random_state_is_left_alone(tmp_path):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    run(doubles.experiment("rollout", training__samples=10), tmp_path)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_density_of_an_adaptive_schedule_is_told_at_each_checkpoint(tmp_path):
    """Three of one step each, no validation: uniform over a range of 40 before, then not; each adds up to 1 in bins of 1."""
    changes = {"scheduler": "Adaptive", "scheduler.decay": 0.5, "objective.weighting": "Sigmoid"}
    experiment = edit(small.downscaling(), {**changes, "training.samples": 24, "training.checkpoint": 8})
    tracker = doubles.Recorder()
    learner = build(experiment, experiment.dataset.open(), parent=None)
    run(experiment, tmp_path, tracker=tracker, learner=learner)
    rows = [(step, values["density"]) for step, values, context in tracker.rows if "density" in values and context["subset"] == "train"]
    found = {step: [density for at, density in rows if at == step] for step, _ in rows}
    assert list(found) == [1, 2, 3] and all(sum(densities) == pytest.approx(1.0) for densities in found.values())
    assert min(found[3]) < 0.95 / 40 < 1.05 / 40 < max(found[3])
