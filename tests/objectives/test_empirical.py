"""The exact denoiser of a training set as a model."""

import dataclasses

import pytest
import torch
import xarray as xr

import wxexp as wx
from wxexp.datasets import Cyclic, Forecasting, Generation, Lorenz96
from wxexp.fields.seeds import Draws
from wxexp.objectives import Empirical
from wxexp.training import last_checkpoint, load

SOURCE = Lorenz96(cells=8, trajectories=2, steps=50, spin_up=300)
THIRDS = Cyclic(period=6, train=(0, 3), valid=(3, 4), test=(4, 6))
TRAINED = {"training": wx.Training(samples=1, batch_size=1, ema=None), "scheduler": None, "aim": None}


def climate(**changes) -> wx.Experiment:
    return wx.Experiment(
        **{
            "name": "climate",
            "dataset": Generation(source=SOURCE, variables=("state",), partition=THIRDS, stride=8),
            "model": wx.models.SongUNet(channels=16),
            "objective": Empirical(),
            "sampler": wx.samplers.DPMSolver2M(steps=12, levels=wx.levels.Exponential(sigma_min=0.002)),
            "ensemble": wx.Ensemble(members=8, rows=4, chunk=8),
            "scoring": wx.Scoring(metrics={"crps": wx.metrics.CRPS()}, draws=10),
            "resources": wx.Resources(workers=0),
            **TRAINED,
            **changes,
        }
    )


def learner_of(experiment: wx.Experiment, tmp_path):
    run = wx.run(experiment, runs=tmp_path, until="train")
    _, learner = load(last_checkpoint(run.directory / "train"))
    opened = experiment.dataset.open()
    learner.cache(opened, tmp_path)
    return learner, opened


def test_a_run_needs_no_training_and_its_members_are_training_samples(tmp_path):
    """At the last level, s = 0.002, the estimate is one of the samples, which are 0.3 and more apart; all stages, with a report."""
    experiment = climate()
    run = wx.run(experiment, runs=tmp_path)
    opened = experiment.dataset.open()
    samples = torch.stack([torch.from_numpy(opened.truth(item)["state"].values) for item in opened.items("train")])
    assert torch.cdist(samples.double(), samples.double()).fill_diagonal_(9.0).min() > 0.3
    members = torch.from_numpy(xr.open_zarr(run.sample_dir / "members.zarr")["state"].values).flatten(0, 1)
    nearest = torch.cdist(members.double(), samples.double()).min(1)
    assert nearest.values.max() < 1e-4
    assert len(set(nearest.indices.tolist())) > 10  # and not always the same one
    assert (run.score_dir / "report" / "index.html").exists()


def test_given_the_condition_of_a_training_item_alone_its_own_target_is_drawn(tmp_path):
    """A kernel so narrow that no other item counts; a later lead has members of its own condition."""
    forecast = Forecasting(source=SOURCE, variables=("state",), lead_hours=6.0, partition=THIRDS)
    learner, opened = learner_of(climate(dataset=forecast, objective=Empirical(bandwidth=0.01)), tmp_path)
    items = opened.items("train")[:3]
    batch = opened.read(items)
    draws = Draws.drawing(0, list(batch.time)).members(range(2)).of("lead", 0)
    sampler = wx.samplers.DPMSolver2M(steps=6)
    members = learner.members(dataclasses.replace(batch, target=None), draws, sampler)
    assert members.shape == (3, 2, 1, 8)
    torch.testing.assert_close(members, batch.target[:, None].expand_as(members), atol=1e-4, rtol=0)
    later = learner.members(dataclasses.replace(batch.repeat(2), target=None), draws, sampler)
    torch.testing.assert_close(later.reshape(members.shape), members, atol=0, rtol=0)


def test_without_a_bandwidth_the_condition_is_not_regarded(tmp_path):
    forecast = Forecasting(source=SOURCE, variables=("state",), lead_hours=6.0, partition=THIRDS)
    learner, opened = learner_of(climate(dataset=forecast), tmp_path)
    batch = opened.read(opened.items("train")[:2])
    draws = Draws.drawing(0, ["2000-01-01", "2000-01-01"]).members(range(2))
    members = learner.members(batch, draws, wx.samplers.DPMSolver2M(steps=6))
    assert torch.equal(members[0], members[1]) and not torch.equal(members[0, 0], members[0, 1])


def test_it_refuses_what_it_has_no_use_for():
    with pytest.raises(ValueError, match="Empirical needs a sampler"):
        climate(sampler=None)
    with pytest.raises(ValueError, match="no use for a scheduler: it must be None, got LogNormal"):
        climate(scheduler=wx.schedulers.LogNormal())
    with pytest.raises(ValueError, match=r"no use for a training\.validation: it must be None, got Validation"):
        climate(training=wx.Training(validation=wx.Validation(members=0)))
    with pytest.raises(ValueError, match=r"Empirical\.bandwidth must be positive, got 0"):
        Empirical(bandwidth=0.0)
