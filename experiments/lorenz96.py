"""How well can a small diffusion model forecast the chaos of Lorenz-96 two and four days ahead?

Data: simulated here, no network needed; 40 cells on a ring, forcing 8 (Lorenz 1996). One step is 48 hours (0.4 time units), about the
time in which small errors grow by a factor of two. The initial state is known exactly, so all of the spread is the network's own doubt.

Score: fair CRPS 0.054 after 48 and 0.13 after 96 hours, against 2.06 of climatology; spread over skill 1.4, so the ensemble is too wide.

    python -m wxexp run experiments/lorenz96.py            3 minutes on 2 cores
    python -m wxexp run experiments/lorenz96.py:tiny       half a minute; for tests, its scores mean little
"""

import wxexp as wx


def experiment() -> wx.Experiment:
    return wx.Experiment(
        name="lorenz96",
        dataset=wx.datasets.Forecasting(
            source=wx.datasets.Lorenz96(steps=1_000, trajectories=16, every=2),
            variables=("state",),
            lead_hours=48.0,
            target="tendency",
            leads=2,
            stride=20,
            partition=wx.datasets.Fractions(train=(0.0, 0.75), valid=(0.75, 0.8125), test=(0.8125, 1.0)),
        ),
        model=wx.models.SongUNet(channels=64, multipliers=(1, 1), blocks=2),
        objective=wx.objectives.Denoising(parameterization=wx.diffusion.parameterizations.EDM(sigma_data=1.0)),
        scheduler=wx.schedulers.LogNormal(mean=-1.2, std=1.2),
        sampler=wx.samplers.DPMSolver2M(steps=16, levels=wx.levels.Karras(sigma_min=0.01, sigma_max=80.0, rho=7.0)),
        training=wx.Training(
            samples=110_000,
            batch_size=128,
            optimizer=wx.AdamW(rate=2e-3, warmup=6_000),
            ema=10_000,
            validation=wx.Validation(
                every=27_500, items=16, members=8, sampler=wx.samplers.DPMSolver2M(steps=16, levels=wx.levels.Karras(sigma_min=0.01))
            ),
        ),
        ensemble=wx.Ensemble(members=32, leads=2, chunk=32, rows=32),
        scoring=wx.Scoring(
            metrics={
                "crps": wx.metrics.CRPS(),
                "crpss": wx.metrics.CRPSS(),
                "mae": wx.metrics.MAE(),
                "rmse": wx.metrics.RMSE(),
                "bias": wx.metrics.Bias(),
                "spread_skill": wx.metrics.SpreadSkill(),
                "ranks": wx.metrics.RankHistogram(),
            },
            baselines={"persistence": wx.baselines.Persistence(), "climatology": wx.baselines.Climatology()},
        ),
        resources=wx.Resources(workers=2),
    )


def tiny() -> wx.Experiment:
    return wx.edit(
        experiment(),
        {
            "name": "lorenz96-tiny",
            "dataset.source": wx.datasets.Lorenz96(steps=200, trajectories=8, every=2, spin_up=500),
            "model.channels": 16,
            "model.blocks": 1,
            "sampler.steps": 4,
            "training.samples": 6_400,
            "training.batch_size": 32,
            "training.optimizer.warmup": 640,
            "training.ema": 640,
            "training.validation.every": 3_200,
            "training.validation.members": 2,
            "training.validation.items": 4,
            "training.validation.sampler.steps": 4,
            "ensemble.members": 4,
            "ensemble.chunk": 4,
            "ensemble.rows": 8,
            "resources.workers": 0,
        },
    )
