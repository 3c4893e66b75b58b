import numpy as np
import pytest
import xarray as xr

from wxexp.fields.seeds import stream
from wxexp.reports.plots import pit_histogram, rank_histogram
from wxexp.reports.plots.ranks import effective_size


def counts(values, names=("t",), **coords):
    return xr.DataArray(np.asarray(values, dtype=float), dims=("case", "variable", "bin"), coords={"variable": list(names), **coords})


def test_effective_size_of_one_rank_per_cluster_is_the_number_of_clusters():
    assert effective_size(np.eye(4)[stream("ranks").integers(0, 4, 60)]) == pytest.approx(60)


def test_effective_size_of_independent_ranks_is_their_number():
    """Sampling error of a variance from 400 clusters and 5 bins is about 1 / sqrt(800)."""
    drawn = stream("ranks", "many").multinomial(30, [0.2] * 5, 400) / 30
    assert effective_size(drawn) == pytest.approx(400 * 30, rel=0.1)


def test_effective_size_needs_two_clusters_that_differ():
    assert np.isnan(effective_size(np.ones((1, 3)) / 3)) and np.isnan(effective_size(np.ones((5, 3)) / 3))


def test_frequencies_are_in_units_of_a_flat_histogram():
    _, data = rank_histogram(counts([[[10, 20, 30, 40]], [[30, 20, 10, 0]]]))
    np.testing.assert_allclose(data["frequency"], [[1.0, 1.0, 1.0, 1.0]])
    assert data["outside"].item() == pytest.approx(0.5)  # as expected: 2 of 4 ranks


def test_band_is_binomial_with_the_effective_size():
    """One rank per case, 100 cases, two bins: of Binomial(100, 1/2) 2.5 % and 97.5 % are 40 and 60 (any table)."""
    ranks = np.zeros((100, 1, 2))
    ranks[:50, 0, 0] = ranks[50:, 0, 1] = 237.0  # cells of a case agree, so 237 of them count as one
    figure, data = rank_histogram(counts(ranks))
    assert data["effective_size"].item() == pytest.approx(100)
    assert (data["low"].values.tolist(), data["high"].values.tolist()) == ([[0.8, 0.8]], [[1.2, 1.2]])
    assert figure.axes[0].get_title() == "t\n100 % outside (100 % expected)"


def test_contiguous_cases_are_one_cluster():
    ranks = np.zeros((100, 1, 2))
    ranks[:50, 0, 0] = ranks[50:, 0, 1] = 1.0
    _, data = rank_histogram(counts(ranks, block=("case", np.arange(100) // 5)))
    assert data["effective_size"].item() == pytest.approx(20)


def test_many_ranks_are_added_up_and_cases_without_truth_left_out():
    ranks = np.zeros((3, 2, 102))
    ranks[:2, 0] = 1.0
    _, data = rank_histogram(counts(ranks, ("t", "p")))
    assert data.sizes["bin"] == 51 and (data["frequency"].sel(variable="t") == 1.0).all() and np.isnan(data["frequency"][1]).all()


def test_pit_of_a_reliable_ensemble_is_flat_for_any_number_of_bins():
    """Every rank equally often: 7 ranks lie evenly over 5 bins, which meet within a rank."""
    counts = xr.DataArray(np.full((4, 1, 7), 10.0), {"variable": ["t"]}, ("case", "variable", "bin"))
    _, data = pit_histogram(counts, bins=5)
    np.testing.assert_allclose(data["frequency"], 1.0)
    assert float(data["bias"][0]) == pytest.approx(0.0, abs=1e-12) and float(data["dispersion"][0]) == pytest.approx(1.0)
    assert data.attrs["ranks"] == 7 and data.sizes["bin"] == 5
    assert pit_histogram(counts)[1].sizes["bin"] == 7


def test_pit_of_truth_that_is_always_above_the_members():
    counts = xr.DataArray(np.zeros((4, 1, 10)), {"variable": ["t"]}, ("case", "variable", "bin"))
    counts[:, :, -1] = 3.0
    figure, data = pit_histogram(counts, bins=5)
    np.testing.assert_allclose(data["frequency"][0], [0, 0, 0, 0, 5])
    assert float(data["bias"][0]) == pytest.approx(0.45) and figure.axes[0].get_title() == "t\nbias +0.450, dispersion 0.01"
