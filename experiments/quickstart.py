"""Which temperatures and how much rain fell within an 8 x 8 block of cells whose mean is known?

Data: NRCan ANUSPLIN daily observations of 1990 (maximum and minimum temperature, precipitation; 1/12 degree, southern Ontario and
Quebec) with orography. Of every 28 days 20 are for training, 2 for validation, 3 for test, with gaps between. A diffusion model learns
the residual over the bicubic field plus its mean residual of the training days.
"""

import wxexp as wx


def experiment() -> wx.Experiment:
    return wx.Experiment(
        name="quickstart",
        dataset=wx.datasets.Downscaling(
            source=wx.datasets.NRCanDaily(),
            factor=8,
            targets=("tasmax", "tasmin", "pr"),
            static=("orog",),
            patch=(64, 64),
            partition=wx.datasets.Cyclic(period=28, train=(0, 20), valid=(21, 23), test=(24, 27)),
        ),
        model=wx.models.SongUNet(channels=32, multipliers=(1, 2, 2), patch=2, dropout=0.1, precision="bfloat16"),
        objective=wx.objectives.Denoising(parameterization=wx.diffusion.parameterizations.EDM(sigma_data=1.0)),
        scheduler=wx.schedulers.LogNormal(mean=-0.4, std=1.2),
        sampler=wx.samplers.DPMSolver2M(steps=12, levels=wx.levels.Karras(sigma_min=0.01, sigma_max=80.0, rho=7.0)),
        training=wx.Training(samples=40_000, batch_size=32),
        ensemble=wx.Ensemble(members=16),
        scoring=wx.Scoring(
            metrics={
                "crps": wx.metrics.CRPS(),
                "crpss": wx.metrics.CRPSS(),
                "mae": wx.metrics.MAE(),
                "rmse": wx.metrics.RMSE(),
                "bias": wx.metrics.Bias(),
                "spread_skill": wx.metrics.SpreadSkill(),
                "ranks": wx.metrics.RankHistogram(),
                "lsd": wx.metrics.LogSpectralDistance(),
            },
            baselines={
                "bilinear": wx.baselines.Interpolation(method="bilinear"),
                "bicubic": wx.baselines.Interpolation(method="bicubic"),
                "mean_residual": wx.baselines.MeanResidual(),
            },
        ),
        resources=wx.Resources(workers=2),
    )
