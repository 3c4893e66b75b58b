"""Recipes of papers and of other systems are rows of overrides: each is learnt from, and its members are drawn."""

import pytest
import small
import torch

import wxexp as wx
from wxexp.config import edit, from_tree, to_tree
from wxexp.fields.seeds import Draws
from wxexp.interfaces import Group, Step
from wxexp.training import build

TIME = {"objective.conditioning": "Time", "model.level_embedding": "Positional"}
RECIPES = {
    "DDPM (Ho et al. 2020)": {
        **TIME,
        "objective.parameterization": "Epsilon",
        "objective.conditioning.scheduler": "VP",
        "scheduler": "VP",
        "sampler": "EulerAncestral",
        "sampler.levels": "VP",
    },
    "NCSN, variance exploding (Song et al. 2021)": {
        "objective.parameterization": "Epsilon",
        "objective.scaling": "VE",
        "objective.weighting": "Uniform",
        "objective.conditioning": "LogScale",
        "model.level_embedding": "Fourier",
        "scheduler": "LogUniform",
        "sampler": "DPMSolver2MSDE",
        "sampler.levels": "Exponential",
    },
    "improved DDPM with DDIM (Nichol and Dhariwal 2021; Song, Meng and Ermon 2021)": {
        **TIME,
        "objective.parameterization": "Epsilon",
        "objective.conditioning.scheduler": "Iddpm",
        "scheduler": "Iddpm",
        "sampler": "Euler",
        "sampler.levels": "Quantiles",
        "sampler.levels.scheduler": "Iddpm",
        "sampler.levels.sigma_min": 0.01,
    },
    "v with cosine times (Salimans and Ho 2022)": {
        **TIME,
        "objective.parameterization": "V",
        "objective.conditioning.scheduler": "Cosine",
        "scheduler": "Cosine",
        "sampler.levels": "Cosine",
    },
    "EDM (Karras et al. 2022)": {"scheduler": "LogNormal", "sampler": "Heun", "sampler.levels": "Karras", "sampler.churn": 2.5},
    "flow matching (Lipman et al. 2023)": {
        "objective.parameterization": "Flow",
        "scheduler": "FlowUniform",
        "sampler": "Heun",
        "sampler.levels": "Quantiles",
        "sampler.levels.scheduler": "FlowUniform",
    },
    "Stable Diffusion 3 (Esser et al. 2024)": {
        "objective.parameterization": "Flow",
        "scheduler": "FlowLogitNormal",
        "sampler.levels": "Quantiles",
        "sampler.levels.scheduler": "FlowUniform",
        "sampler.levels.scheduler.shift": 3.0,
    },
    "simple diffusion (Hoogeboom et al. 2023)": {
        "objective.parameterization": "V",
        "objective.weighting": "Sigmoid",
        "scheduler": "CosineInterpolated",
        "sampler": "EulerAncestral",
    },
    "k-diffusion (Crowson et al. 2024)": {
        "objective.weighting": "SoftMinSNR",
        "scheduler": "CosineInterpolated",
        "sampler": "DPMSolver3MSDE",
        "sampler.levels": "Polyexponential",
    },
    "min-SNR (Hang et al. 2023)": {"objective.parameterization": "X0", "objective.weighting": "MinSNR", "scheduler": "Cosine"},
    "GenCast (Price et al. 2025)": {"objective.conditioning": "LogScale", "scheduler": "RhoUniform", "sampler": "DPMSolver2S"},
    "Anemoi": {"scheduler": "RhoUniform", "sampler": "Heun", "sampler.levels": "Karras", "sampler.levels.sigma_max": 100.0},
    "diffusion-downscaling": {"scheduler": "Mixture", "sampler": "DPM2", "sampler.levels": "Karras"},
    "neXtSIM surrogate (Finn et al. 2024)": {
        "objective.parameterization": "V",
        "objective.weighting": "Exponential",
        "scheduler": "Adaptive",
        "sampler": "Heun",
        "model": "UNeXt",
    },
}


@pytest.fixture(scope="module")
def opened():
    return small.downscaling().dataset.open()


@pytest.mark.parametrize("changes", RECIPES.values(), ids=RECIPES.keys())
def test_a_recipe_is_learnt_from_and_drawn(changes, opened):
    experiment = edit(small.downscaling(), {**changes, "sampler.steps": 5, "model.channels": 16, "model.embedding": 16})
    assert from_tree(to_tree(experiment), wx.Experiment) == experiment
    learner = build(experiment, opened, parent=None)
    batch = opened.read(opened.items("train")[:4])
    step = Step(0, "network", Group(), Group(), Draws.training(0, 0, range(4), 4))
    optimizer = torch.optim.SGD(learner.parameters(), lr=0.02)
    loss = learner(batch, step).per_sample
    assert loss.shape == (4,) and (loss > 0).all() and loss.isfinite().all()
    loss.mean().backward()
    torch.nn.utils.clip_grad_norm_(learner.parameters(), 1.0)
    optimizer.step()
    with torch.no_grad():
        assert learner(batch, step).per_sample.mean() < loss.mean()
        members = learner.members(batch[:1], Draws.drawing(0, ["a"]).members(range(2)), experiment.sampler)
    assert members.shape == (1, 2, 2, 16, 24) and members.isfinite().all() and not torch.equal(members[0, 0], members[0, 1])
