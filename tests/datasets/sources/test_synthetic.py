"""The known answer of SyntheticFields holds for its fields, and reaches through the downscaling dataset."""

import numpy as np
import pytest
import torch
from scipy import stats

import wxexp as wx
from wxexp.datasets import SyntheticFields


@pytest.fixture(scope="module")
def source():
    return SyntheticFields(cells=(16, 20), times=600, factor=4, seed=3)


@pytest.fixture(scope="module")
def opened(source):
    return wx.datasets.Downscaling(source=source, targets=("tas", "pr"), factor=4).open()


def draws(source, opened):
    """Fine fields and the coarse ones that the dataset makes of them, [time, ...]."""
    data = source.open().data
    items = [wx.interfaces.Item(i, "") for i in range(len(data.time))]
    return data, opened.coarse(items).double().numpy()


def test_land_and_sea(source):
    data = source.open().data
    land = data["tas"].notnull().all("time").values
    assert land.mean() == pytest.approx(0.8, abs=0.01)
    assert (data["pr"].isnull().values == ~land).all() and float(data["pr"].min()) >= 0
    assert (data["pr"] == 0).values.mean() > 0.1  # dry days
    assert float(data["orog"].max()) > 300 and (data["orog"].values[~land] == 0).all()


def test_temperature_is_normal_about_the_known_mean_with_the_known_spread(source, opened):
    data, coarse = draws(source, opened)
    answer = source.conditional()
    std = answer.temperature_std()
    where = answer.land & (std > 0.1)
    z = ((data["tas"].values - answer.temperature_mean(coarse[:, 0])) / np.where(where, std, 1.0))[:, where]
    n = len(z)
    assert np.abs(z.mean(0)).max() < 4.5 / np.sqrt(n) and np.abs(z.std(0) - 1).max() < 4.5 / np.sqrt(2 * n)
    assert stats.kstest(z[:, ::7].ravel()[::5], "norm").pvalue > 1e-3


def test_precipitation_is_beta_distributed_within_its_block(source, opened):
    data, coarse = draws(source, opened)
    answer = source.conditional()
    a, b = answer.precipitation_beta()
    total = answer.onto(coarse[:, 1])
    where = answer.land & (b > 0)
    wet = (total > 1e-3)[:, where]
    share = (data["pr"].values * answer.parts / np.maximum(total, 1e-9))[:, where]
    u = stats.beta.cdf(share.clip(0, 1), a[where], b[where])[wet]
    assert stats.kstest(u[::11], "uniform").pvalue > 1e-3
    assert a[where].max() / a[where].min() > 2  # more rain on the hills


def test_the_true_conditional_crps_is_that_of_the_normal_distribution(source, opened):
    # CRPS of N(m, s^2) against its own draws: s / sqrt(pi) (Gneiting and Raftery 2007), reached by an ensemble of true conditional draws
    data, coarse = draws(source, opened)
    answer = source.conditional()
    truth = data["tas"].values[:200][:, answer.land]
    random = np.random.default_rng(0)
    x = np.stack([answer.temperature(coarse[:200, 0], random)[:, answer.land] for _ in range(8)])
    skill = np.abs(x - truth).mean()
    pairs = np.mean([np.abs(x[i] - x[j]).mean() for i in range(8) for j in range(i)])
    assert skill - pairs / 2 == pytest.approx(answer.temperature_std()[answer.land].mean() / np.sqrt(np.pi), rel=0.01)


def test_coarse_fields_are_those_the_fields_were_built_from(source, opened):
    # what is left of the block mean of the noise is rounding
    data, coarse = draws(source, opened)
    answer = source.conditional()
    assert answer.mean(data["tas"].values) == pytest.approx(coarse[:, 0], abs=2e-4)
    expected = answer.mean(answer.temperature_mean(coarse[:, 0]))
    assert expected == pytest.approx(coarse[:, 0], abs=1e-3)


def test_the_same_seed_gives_the_same_bits():
    small = {"cells": (8, 8), "times": 3, "factor": 4}
    assert SyntheticFields(**small).open().data.equals(SyntheticFields(**small).open().data)
    assert not SyntheticFields(**small).open().data.equals(SyntheticFields(**small, seed=1).open().data)
    assert SyntheticFields(**small).identity() != SyntheticFields(**small, seed=1).identity()


@pytest.mark.parametrize("field, value", [("factor", 1), ("noise", 0.0), ("sea", 1.0), ("cells", (4, 40)), ("times", 0), ("spacing", -1.0)])
def test_parameters_without_a_meaning_are_refused(field, value):
    with pytest.raises(ValueError, match=f"SyntheticFields.{field} must be"):
        SyntheticFields(**{field: value})


def test_bicubic_of_torch_is_what_the_dataset_sees(source, opened):
    item = opened.items("test")[0]
    up = opened.interpolate(opened.coarse([item]), "bicubic")
    seen = opened.codec._transformed(opened.read([item]).condition[:, :2])
    assert torch.allclose(seen, up, atol=1e-3)
