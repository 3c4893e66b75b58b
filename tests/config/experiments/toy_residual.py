"""A residual on top of a regression."""

import toy as wx


def regression() -> wx.Experiment:
    return wx.Experiment(
        name="regression",
        dataset=wx.datasets.Downscaling(path="era5.zarr", targets=("tas", "pr")),
        model=wx.models.UNet(channels=64),
        objective=wx.objectives.Denoising(),
        sampler=wx.samplers.Euler(),
    )


def experiment() -> wx.Experiment:
    return wx.Experiment(
        name="residual",
        dataset=wx.datasets.Downscaling(path="era5.zarr", targets=("tas", "pr")),
        model=wx.models.UNet(),
        objective=wx.objectives.Residual(mean=regression(), inner=wx.objectives.Denoising()),
        sampler=wx.samplers.Heun(levels=wx.levels.Karras(sigma_max=500)),
        scoring=wx.Scoring(metrics={"crps": wx.metrics.CRPS()}, weights={"tas": 1.0}),
    )
