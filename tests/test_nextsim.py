"""The sea-ice example: the recipe that such surrogates use, and that it learns."""

import json
import math
from pathlib import Path

import pytest
import torch

import wxexp as wx
from wxexp.config import from_tree, to_tree
from wxexp.interfaces import Inputs
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


@pytest.mark.parametrize("function", ["experiment", "deterministic", "tiny"])
def test_its_record_is_the_whole_of_it(function):
    experiment = wx.load(f"{NEXTSIM}:{function}")
    tree = json.loads(json.dumps(to_tree(experiment), allow_nan=False))
    assert from_tree(tree, wx.Experiment) == experiment and to_tree(from_tree(tree, wx.Experiment)) == tree


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """One place for all, so that the deterministic network is trained once."""
    return tmp_path_factory.mktemp("nextsim")


NETWORKS = {"UViT": {}, "UNeXt": {"model": wx.models.UNeXt(channels=32, multipliers=(1, 1), blocks=1)}}


@pytest.mark.parametrize("network", NETWORKS)
def test_it_fits_the_residual_and_lowers_the_loss_in_forty_steps(network, runs):
    """On held-out times with the same noise, against the network it starts as, which says zero."""
    changes = {"resources.workers": 0, "resources.threads": 1, "aim": None}
    tiny = wx.load(f"{NEXTSIM}:tiny")
    assert type(tiny.model).__name__ == "UViT" and type(tiny.objective.mean.model).__name__ == "UNeXt"
    experiment = wx.edit(tiny, {**changes, **{f"objective.mean.{path}": value for path, value in changes.items()}, **NETWORKS[network]})
    run = wx.run(experiment, runs=runs, until="train")
    read, learner = load(last_checkpoint(run.directory / "train"))
    assert read == experiment
    opened = experiment.dataset.open()

    items = opened.items("train")
    batch = opened.read(items)
    with torch.no_grad():
        left = (batch.target - learner.mean.network(None, Inputs.of(batch)))[batch.mask.expand_as(batch.target)].reshape(len(items), 2, -1)
    torch.testing.assert_close(learner.offset, left.mean((0, 2)), rtol=0, atol=1e-3)
    torch.testing.assert_close(learner.scale, left.std((0, 2)), rtol=1e-3, atol=0)
    assert (0.8 < learner.scale).all() and (learner.scale < 1).all()  # the deterministic network explains a part

    start = build(experiment, opened, lambda held: learner.mean)
    assert (start.scale == 1).all()  # fitted before the first step, not when built
    start.offset.copy_(learner.offset)
    start.scale.copy_(learner.scale)
    before, after = (
        validate(model.eval(), opened, wx.Validation(members=0), seed=0, number=0, device=torch.device("cpu")).metrics["loss"]
        for model in (start, learner)
    )
    assert after < 0.96 * before
