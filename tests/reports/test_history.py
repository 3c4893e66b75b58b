import json
import math

import numpy as np
import pytest

from wxexp.reports.history import losses, losses_by_noise_level, noise_densities, progress_unit, validation_curves
from wxexp.training.tracker import JsonlTracker, read


def test_curves_of_what_the_tracker_wrote(tmp_path):
    tracker = JsonlTracker(tmp_path / "metrics.jsonl", batch_size=4)
    tracker.scalars(10, {"loss": 2.0, "rate": 1e-3}, {"subset": "train"})
    tracker.scalars(10, {"samples_per_second": 5.0}, {"subset": "clock"})
    tracker.scalars(20, {"loss": 1.0}, {"subset": "train"})
    tracker.scalars(20, {"loss": 1.5, "crps": 0.4}, {"subset": "valid"})
    tracker.scalars(20, {"loss": 1.2}, {"subset": "valid", "gamma": -2.0})
    tracker.scalars(20, {"loss": 0.7}, {"subset": "valid", "gamma": 2.0})
    tracker.scalars(20, {"crps": 0.3, "std": 8.0}, {"subset": "valid", "variable": "pr"})
    tracker.image(20, "members", tmp_path / "x.png")
    tracker.close()
    rows = read(tmp_path / "metrics.jsonl")
    assert progress_unit(rows) == "samples"
    found = losses(rows)
    assert list(found) == ["train", "validation"]
    np.testing.assert_array_equal(found["train"], [[40.0, 80.0], [2.0, 1.0]])
    np.testing.assert_array_equal(found["validation"], [[80.0], [1.5]])
    sigma, loss = losses_by_noise_level(rows)["80 samples"]  # sigma = exp(-gamma / 2), from clean to noisy
    np.testing.assert_allclose(sigma, [math.exp(-1), math.exp(1)])
    np.testing.assert_array_equal(loss, [0.7, 1.2])
    assert validation_curves(rows)["crps"]["pr"][1].tolist() == [0.3] and set(validation_curves(rows)) == {"crps"}


def test_phases_by_name_and_steps_without_samples():
    rows = [
        {"step": s, "values": {"loss": float(s)}, "context": {"subset": "train", "phase": p}} for s in (1, 2) for p in ("critic", "net")
    ]
    assert progress_unit(rows) == "steps" and losses(rows)["critic"][0].tolist() == [1.0, 2.0] and set(losses(rows)) == {"critic", "net"}


def test_some_of_many_validations():
    rows = [{"step": s, "values": {"loss": 1.0}, "context": {"subset": "valid", "gamma": 0.0}} for s in range(1, 31)]
    assert list(losses_by_noise_level(rows, most=3)) == ["1 steps", "15 steps", "30 steps"]
    assert losses_by_noise_level([]) == {} and losses(json.loads("[]")) == {}


def test_densities_of_an_adaptive_schedule_are_by_the_logarithm_of_sigma():
    """Of 0.25 per unit of log-SNR from -2 to 2, which is 4 units: 0.5 per unit of ln sigma."""
    rows = [
        {"step": 9, "samples": 36, "values": {"density": 0.25}, "context": {"subset": "train", "gamma": gamma}} for gamma in (1.0, -1.0)
    ]
    ((name, (sigma, density)),) = noise_densities(rows).items()
    assert name == "36 samples" and sigma.tolist() == pytest.approx([np.exp(-0.5), np.exp(0.5)]) and density.tolist() == [0.5, 0.5]
    assert noise_densities(rows[:0]) == {}
    many = [row | {"samples": 36 * number} for number in range(1, 21) for row in rows]
    assert list(noise_densities(many)) == [f"{36 * number} samples" for number in range(1, 21)]
