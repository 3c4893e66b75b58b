"""Which temperatures and how much rain fell within a block of 8 x 8 cells, if only the block's mean is known?

Data: NRCan ANUSPLIN daily observations of 1990 (maximum and minimum temperature, precipitation; 1/12 degree, southern Ontario and
Quebec) with orography. Of every 28 days 20 are for training, 2 for validation, 3 for test, with gaps between. A diffusion model learns
the residual over the bicubic field plus its mean residual of the training days.

Score, median of three seeds: fair CRPS 0.121 K, 0.156 K and 0.166 mm/day (tasmax, tasmin, pr), which is 0.62, 0.63 and 0.69 of the mean
absolute error of the best baseline; spread over skill 1.00, 0.93 and 0.87.

    python -m wxexp run experiments/quickstart.py        5 minutes on 2 cores, after a download of 53 MB
"""

import wxexp as wx


def experiment() -> wx.Experiment:
    karras = wx.levels.Karras(sigma_min=0.01, sigma_max=80.0, rho=7.0)
    return wx.Experiment(
        name="quickstart",
        dataset=wx.datasets.Downscaling(
            source=wx.datasets.NRCanDaily(),
            factor=8,
            targets=("tasmax", "tasmin", "pr"),
            static=("orog",),
            target="residual_anomaly",
            bounds={"pr": (0.0, None)},
            patch=(64, 64),
            partition=wx.datasets.Cyclic(period=28, train=(0, 20), valid=(21, 23), test=(24, 27)),
        ),
        model=wx.models.SongUNet(channels=32, multipliers=(1, 2, 2), patch=2, precision="bfloat16"),
        objective=wx.objectives.Denoising(parameterization=wx.diffusion.parameterizations.EDM(sigma_data=1.0)),
        scheduler=wx.schedulers.LogNormal(mean=0.3, std=1.4),
        sampler=wx.samplers.DPMSolver2M(steps=9, levels=wx.levels.LogNormal(sigma_min=0.01)),  # by sweeps/sampler_levels.py
        training=wx.Training(
            samples=27_000,
            batch_size=32,
            optimizer=wx.AdamW(rate=2e-3, warmup=2_000),
            ema=4_000,
            validation=wx.Validation(every=9_000, items=6, members=4, sampler=wx.samplers.DPMSolver2M(steps=8, levels=karras)),
        ),
        ensemble=wx.Ensemble(members=16),
        scoring=wx.Scoring(
            metrics={
                "crps": wx.metrics.CRPS(),
                "crpss": wx.metrics.CRPSS(),
                "mae": wx.metrics.MAE(),
                "rmse": wx.metrics.RMSE(),
                "bias": wx.metrics.Bias(),
                "spread_skill": wx.metrics.SpreadSkill(),
                "rank_histogram": wx.metrics.RankHistogram(),
                "lsd": wx.metrics.LogSpectralDistance(),
            },
            baselines={
                "bilinear": wx.baselines.Interpolation(method="bilinear"),
                "bicubic": wx.baselines.Interpolation(method="bicubic"),
                "mean_residual": wx.baselines.MeanResidual(method="bicubic"),
            },
        ),
        resources=wx.Resources(workers=2),
    )
