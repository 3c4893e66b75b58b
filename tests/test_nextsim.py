"""The sea-ice example: the recipe that such surrogates use, and that it learns."""

import math
from pathlib import Path

import pytest
import torch

import wxexp as wx
from wxexp.training import build, last_checkpoint, load, validate

NEXTSIM = Path(__file__).parents[1] / "experiments" / "nextsim.py"


def test_its_configuration_is_the_recipe():
    experiment = wx.load(f"{NEXTSIM}:experiment")
    gamma = experiment.sampler.levels.gamma(20)
    assert (gamma[0].item(), gamma[-1].item()) == (pytest.approx(-10), pytest.approx(15))
    assert 0.5 ** (64 / experiment.training.ema) == pytest.approx(0.999, abs=1e-8)
    assert experiment.training.samples / 64 == 500_000 and experiment.training.optimizer.warmup / 64 == 5_000
    density = experiment.scheduler.log_density(torch.tensor([-19.9, 19.9], dtype=torch.float64))
    assert density.tolist() == pytest.approx([-math.log(40)] * 2)  # uniform before training


@pytest.mark.slow  # 10 seconds, of which the training of two networks takes most
def test_the_tiny_one_trains_its_mean_fits_the_residual_and_lowers_the_loss(tmp_path):
    """On held-out times with the same noise, against the network it starts as, which says zero."""
    experiment = wx.load(f"{NEXTSIM}:tiny")
    run = wx.run(experiment, runs=tmp_path, until="train")
    read, learner = load(last_checkpoint(run.directory / "train"))
    assert read == experiment
    opened = experiment.dataset.open()
    start = build(experiment, opened, lambda held: learner.mean)
    assert (start.scale == 1).all() and (0.8 < learner.scale).all() and (learner.scale < 1).all()  # the mean explains a part
    start.offset.copy_(learner.offset)
    start.scale.copy_(learner.scale)
    before, after = (
        validate(model.eval(), opened, wx.Validation(members=0), seed=0, number=0, device=torch.device("cpu")).metrics["loss"]
        for model in (start, learner)
    )
    assert after < 0.96 * before
