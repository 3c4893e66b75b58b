"""The Lorenz-96 example: every variant runs, small, and the exact denoiser has the climate."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr

import wxexp as wx
from wxexp.runner import Run
from wxexp.training import last_checkpoint, load

LORENZ = Path(__file__).parents[1] / "experiments" / "lorenz96.py"
HERE = {"resources.workers": 0, "resources.threads": 1, "aim": None}


def small(function: str) -> wx.Experiment:
    """A variant with the sizes of `tiny`, and a twentieth of its training."""
    variant, tiny = wx.load(f"{LORENZ}:{function}"), wx.load(f"{LORENZ}:tiny")
    source = wx.edit(tiny, {"dataset.source.masked": variant.dataset.source.masked}).dataset.source
    sizes = {
        "dataset.source": source,
        "dataset.stride": 50,
        "model": tiny.model,
        "training.samples": 320,
        "training.batch_size": 32,
        "training.validation": None,
    }
    drawn = {"sampler.steps": 4, "ensemble.members": 4, "ensemble.chunk": 4, "ensemble.rows": 4}
    if function == "latent":
        drawn["objective.space"] = wx.edit(variant.objective.space, {**sizes, **HERE})
    return wx.edit(variant, {**sizes, **drawn, **HERE})


def drawn(function: str, runs: Path, changes: Mapping[str, object] | None = None) -> tuple[Run, xr.DataArray]:
    run = wx.run(wx.edit(small(function), changes or {}), runs=runs, until="sample")
    return run, xr.open_zarr(run.sample_dir / "members.zarr")["state"]


def test_the_unconditional_one_has_neither_initial_state_nor_lead_time(tmp_path):
    run, members = drawn("unconditional", tmp_path)
    assert members.dims == ("time", "member", "x") and np.isfinite(members.values).all()
    assert run.experiment.dataset.open().ports.condition == 0


def test_the_adaptive_one_has_learnt_where_the_errors_are(tmp_path):
    run, members = drawn("adaptive", tmp_path, {"scheduler.decay": 0.5})
    _, learner = load(last_checkpoint(run.directory / "train"))
    (density,) = [module for module in learner.modules() if type(module).__name__ == "AdaptiveSchedule"]
    gamma = density.gamma(torch.linspace(0.01, 0.99, 50, dtype=torch.float64))
    assert not np.allclose(np.diff(gamma.numpy()), np.diff(gamma.numpy())[0], rtol=0.05)  # uniform before training
    assert members.dims == ("init_time", "member", "lead_time", "x")


def test_the_masked_one_knows_and_draws_nothing_of_the_masked_cells(tmp_path):
    _, members = drawn("masked", tmp_path)
    land = np.isin(np.arange(40), [*range(5), *range(20, 25)])
    assert np.isnan(members.values[..., land]).all() and np.isfinite(members.values[..., ~land]).all()


def test_the_latent_one_trains_its_autoencoder_first(tmp_path):
    _, members = drawn("latent", tmp_path)
    assert np.isfinite(members.values).all()
    assert sorted(path.name.rpartition("-")[0] for path in tmp_path.glob("lorenz96-*")) == ["lorenz96-autoencoder", "lorenz96-latent"]


def test_the_exact_denoiser_of_the_training_states_has_the_climate(tmp_path):
    """Mean 2.34 +- 0.12 and standard deviation 3.64 +- 0.18 of 320 members."""
    experiment = wx.edit(wx.load(f"{LORENZ}:empirical"), {**HERE, "dataset.source.trajectories": 4, "dataset.stride": 75})
    run = wx.run(experiment, runs=tmp_path, until="sample")
    members = xr.open_zarr(run.sample_dir / "members.zarr")["state"].values
    assert members.shape == (10, 32, 40)
    assert members.mean() == pytest.approx(2.34, abs=0.12) and members.std() == pytest.approx(3.64, abs=0.18)
