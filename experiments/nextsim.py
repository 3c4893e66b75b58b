"""How far does a generative surrogate of a regional sea-ice model carry, one step after another?

A configuration as surrogates of neXtSIM use it, in the line of Finn et al. (2024, doi:10.1029/2024MS004395): a frozen deterministic
network (UNeXt) forecasts the standardised change of the state over one step; a U-ViT diffuses what it leaves over, with v-prediction, a
noise schedule that adapts to the errors, exponential weighting, and Heun's method; members go on for 60 steps, in physical bounds.

Data: MADE UP. `SyntheticFields` stands for output of the sea-ice model: a masked region, one unbounded variable (tas) and one that is
never negative (pr, as ice thickness is; concentration and damage would be bounded by 0 and 1), 24 hours a step. Scores say nothing of sea
ice. Real data are another source, and names of its variables, in `_dataset`.

    python -m wxexp run experiments/nextsim.py:tiny        under a minute; for tests, its scores mean little
    python -m wxexp run experiments/nextsim.py             500 000 steps of 64 samples; never run to its end
"""

import math

import wxexp as wx

LEVELS = wx.levels.Karras(sigma_min=math.exp(-7.5), sigma_max=math.exp(5.0), rho=7.0)  # gamma from -10 to 15


def _dataset(cells: tuple[int, int], times: int, leads: int) -> wx.datasets.Forecasting:
    return wx.datasets.Forecasting(
        source=wx.datasets.SyntheticFields(cells=cells, times=times),
        variables=("tas", "pr"),
        lead_hours=24.0,
        target="tendency",
        leads=leads,
        stride=leads,
        calendar=("day_of_year",),
        static=("orog",),
        bounds={"pr": (0.0, None)},
    )


def _training(samples: int, *, validation: wx.Validation) -> wx.Training:
    """Decay of the average 0.999 a step of 64 samples, as a half-life; 5 000 steps of warm-up."""
    return wx.Training(
        samples=samples,
        batch_size=64,
        optimizer=wx.AdamW(rate=2e-4, warmup=320_000, final=1e-6, weight_decay=0.01),
        ema=44_339,
        validation=validation,
    )


def deterministic() -> wx.Experiment:
    """The network whose errors are diffused."""
    return wx.Experiment(
        name="nextsim-deterministic",
        dataset=_dataset((64, 64), 1_000, 60),
        model=wx.models.UNeXt(channels=64, multipliers=(1, 2, 4), blocks=2),
        objective=wx.objectives.Regression(),
        training=_training(6_400_000, validation=wx.Validation(every=640_000, members=0)),
        ensemble=wx.Ensemble(members=2, leads=60),
        scoring=wx.Scoring(metrics={"rmse": wx.metrics.RMSE(), "bias": wx.metrics.Bias()}),
    )


def experiment() -> wx.Experiment:
    sampler = wx.samplers.Heun(steps=20, levels=LEVELS)
    mean = deterministic()
    return wx.Experiment(
        name="nextsim",
        dataset=mean.dataset,
        model=wx.models.UViT(channels=64),
        objective=wx.objectives.Residual(
            mean=mean,
            of=wx.objectives.Denoising(
                parameterization=wx.diffusion.parameterizations.V(), weighting=wx.diffusion.weightings.Exponential(rate=0.5)
            ),
        ),
        scheduler=wx.schedulers.Adaptive(gamma_min=-20.0, gamma_max=20.0, bins=100, decay=0.999),
        sampler=sampler,
        training=_training(32_000_000, validation=wx.Validation(every=3_200_000, items=32, members=4, sampler=sampler)),
        ensemble=wx.Ensemble(members=16, leads=60),
        scoring=wx.Scoring(
            metrics={
                "crps": wx.metrics.CRPS(),
                "mae": wx.metrics.MAE(),
                "rmse": wx.metrics.RMSE(),
                "bias": wx.metrics.Bias(),
                "spread_skill": wx.metrics.SpreadSkill(),
            },
            baselines={"persistence": wx.baselines.Persistence(), "climatology": wx.baselines.Climatology()},
        ),
    )


def tiny() -> wx.Experiment:
    dataset = _dataset((16, 16), 120, 3)
    shorter = {
        "dataset": dataset,
        "model.channels": 32,
        "model.multipliers": (1, 1),
        "model.blocks": 1,
        "model.embedding": 32,
        "model.patch": 2,
        "training.samples": 640,
        "training.batch_size": 16,
        "training.optimizer.rate": 2e-3,
        "training.optimizer.warmup": 160,
        "training.ema": 160,
        "training.validation": None,
        "ensemble.members": 4,
        "ensemble.leads": 3,
    }
    mean = wx.edit(deterministic(), {"name": "nextsim-deterministic-tiny", **shorter, "ensemble.members": 2})
    more = {"objective": wx.objectives.Residual(mean=mean, of=experiment().objective.of), "model.transformers": 1, "sampler.steps": 5}
    return wx.edit(experiment(), {"name": "nextsim-tiny", **more, **shorter})
