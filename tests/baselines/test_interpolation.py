"""Interpolation and its mean error, on fields made by hand and on the published numbers of real observations."""

import numpy as np
import pytest

import wxexp as wx
from wxexp.baselines import Interpolation, MeanResidual
from wxexp.fields.seeds import Draws

DRAWS = Draws.drawing(0, ["1990-01-01T00:00:00"])


def members(baseline, fitted, opened, item):
    return baseline.members(fitted, opened, item, 1, DRAWS)


def test_a_constant_field_is_interpolated_exactly_and_the_mean_error_is_learnt():
    source = wx.datasets.SyntheticFields(cells=(16, 20), times=60, factor=4, sea=0.1)
    opened = wx.datasets.Downscaling(source=source, targets=("tas", "pr"), factor=4, bounds={"pr": (0.0, None)}).open()
    item = opened.items("test")[0]
    fitted = MeanResidual().fit(opened)
    x, y = members(Interpolation(), {}, opened, item), members(MeanResidual(), fitted, opened, item)
    assert x.shape == y.shape == (1, 1, 2, 16, 20) and x.dtype == y.dtype == np.float32
    # on training days the corrected interpolation has no mean error in any valid cell
    train = opened.items("train")
    error = [members(MeanResidual(), fitted, opened, i)[0, 0, 0] - opened.truth(i)["tas"].values for i in train]
    land = ~np.isnan(error[0])
    assert np.abs(np.mean(error, axis=0)[land]).max() < 1e-4
    assert np.abs(fitted["residual"][0][land]).max() > 1.0 and (fitted["residual"][:, ~land] == 0).all()


def test_a_dataset_without_a_coarse_field_is_refused():
    opened = wx.datasets.Forecasting(
        source=wx.datasets.Lorenz96(trajectories=1, steps=40, spin_up=10), variables=("state",), lead_hours=6.0
    ).open()
    with pytest.raises(ValueError, match="baseline Interpolation interpolates a coarse field, which Forecasting does not have"):
        members(Interpolation(), {}, opened, opened.items("test")[0])


# RMSE and MAE of tasmax (K), tasmin (K), pr (mm day-1) over the all-valid box of rows 28-83 and columns 0-111 (45.4-50.0 N, 80.0-70.7 W)
# and the days with day % 28 >= 24. Coarse fields are plain block means; computed apart from this project in float64 with torch's
# interpolate (bicubic a = -0.75, align_corners=False). The mean residual is that of the days with day % 28 < 22.
TABLE = {
    (4, "bilinear"): [(0.2472, 0.1570), (0.2783, 0.1667), (0.3527, 0.1238)],
    (4, "bicubic"): [(0.2056, 0.1313), (0.2236, 0.1342), (0.2778, 0.0969)],
    (4, "mean residual"): [(0.1272, 0.0700), (0.1599, 0.0892), (0.2754, 0.1052)],
    (8, "bilinear"): [(0.4698, 0.3102), (0.5642, 0.3582), (0.7585, 0.2882)],
    (8, "bicubic"): [(0.4004, 0.2628), (0.4716, 0.2950), (0.6435, 0.2342)],
    (8, "mean residual"): [(0.2911, 0.1704), (0.3602, 0.2172), (0.6407, 0.2518)],
}
BASELINES = {"bilinear": Interpolation(method="bilinear"), "bicubic": Interpolation(), "mean residual": MeanResidual()}


@pytest.mark.parametrize("factor", [4, 8])
def test_real_observations_give_the_known_errors(factor):
    source = wx.datasets.NRCanDaily()
    try:
        source.open()
    except ValueError as error:
        pytest.skip(f"NRCanDaily is neither cached nor can it be fetched: {error}")
    opened = wx.datasets.Downscaling(
        source=source,
        targets=("tasmax", "tasmin", "pr"),
        factor=factor,
        region=(28, 84, 0, 112),
        partition=wx.datasets.Cyclic(train=(0, 22), valid=(22, 23), test=(24, 28)),
    ).open()
    items = opened.items("test")
    assert len(items) == 52
    truth = np.stack([np.stack([opened.truth(item)[name].values for name in opened.codec.targets]) for item in items])
    assert not np.isnan(truth).any()
    for name, baseline in BASELINES.items():
        fitted = baseline.fit(opened)
        error = np.stack([members(baseline, fitted, opened, item)[0, 0] for item in items]).astype(np.float64) - truth
        found = list(zip(np.sqrt((error**2).mean((0, 2, 3))), np.abs(error).mean((0, 2, 3)), strict=True))
        assert np.array(found) == pytest.approx(np.array(TABLE[factor, name]), rel=0.02), name
