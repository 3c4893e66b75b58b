"""A whole experiment in seconds, for tests of the runner and the command line: `tests/small.py:downscaling`."""

import wxexp as wx


def downscaling() -> wx.Experiment:
    """Made-up fields with sea, so that masks matter; every stage takes a second or two."""
    return wx.Experiment(
        name="small",
        dataset=wx.datasets.Downscaling(
            source=wx.datasets.SyntheticFields(cells=(16, 24), times=84),
            targets=("tas", "pr"),
            static=("orog",),
            bounds={"pr": (0.0, None)},
        ),
        model=wx.models.SongUNet(channels=16, multipliers=(1,), blocks=1, embedding=16),
        objective=wx.objectives.Denoising(),
        scheduler=wx.schedulers.LogNormal(),
        sampler=wx.samplers.Euler(steps=3),
        training=wx.Training(samples=96, batch_size=8, optimizer=wx.AdamW(warmup=16), ema=32, checkpoint=32),
        ensemble=wx.Ensemble(members=3, rows=4, chunk=2),
        scoring=wx.Scoring(
            metrics={"crps": wx.metrics.CRPS(), "mae": wx.metrics.MAE(), "ranks": wx.metrics.RankHistogram()},
            baselines={"bicubic": wx.baselines.Interpolation(method="bicubic")},
            draws=20,
        ),
        resources=wx.Resources(workers=0, threads=1),
        aim=None,
    )


def experiment() -> wx.Experiment:
    return downscaling()
