import numpy as np
import pytest
import scoringrules

from wxexp.metrics import CRPS, PooledCRPS


def values(sums_of, metric, *data, **options):
    return [row.value for row in metric.rows(sums_of(metric, *data, **options))]


@pytest.mark.parametrize("members", [4, 5])
@pytest.mark.parametrize("estimator", ["fair", "biased"])
def test_blocks_equal_scoringrules(members, estimator, sums_of):
    """As many cases as members, and one fewer: no axis is taken for another."""
    rng = np.random.default_rng(members)
    y, x = rng.standard_normal((4, 8, 12)), rng.standard_normal((4, members, 8, 12))
    metric = PooledCRPS(scales=(1, 2, 4), estimator=estimator)
    rows = metric.rows(sums_of(metric, y, x))
    for row, n in zip(rows, (1, 2, 4), strict=True):
        coarse = [z.reshape(*z.shape[:-2], 8 // n, n, 12 // n, n).mean(axis=(-3, -1)) for z in (y, x)]
        name = "fair" if estimator == "fair" else "nrg"
        expected = scoringrules.crps_ensemble(*coarse, m_axis=1, estimator=name, backend="numpy").mean()
        assert row.value == pytest.approx(expected, abs=1e-12) and row.units == "K"
        assert row.metric == (f"crps_pooled_{n}" if estimator == "fair" else f"crps_pooled_biased_{n}")


def test_a_scale_beyond_the_field_is_its_mean_and_one_is_the_crps(sums_of):
    rng = np.random.default_rng(1)
    y, x, w = rng.standard_normal((3, 5, 7)), rng.standard_normal((3, 6, 5, 7)), rng.random((1, 5, 7))
    metric = PooledCRPS(scales=(1, 100))
    one, whole = values(sums_of, metric, y, x, weights=w)
    means = [np.average(z.reshape(*z.shape[:-2], 35), axis=-1, weights=w.ravel()) for z in (y, x)]
    assert whole == pytest.approx(scoringrules.crps_ensemble(*means, m_axis=1, estimator="fair", backend="numpy").mean(), abs=1e-12)
    assert one == pytest.approx(values(sums_of, CRPS(), y, x, weights=w)[0], rel=1e-6)


def test_smaller_blocks_at_the_end_weights_and_missing_truth_by_hand(sums_of):
    """Five cells of a ring in blocks of two: means (1 − 9) / 4, 4 and −3, of weights 4, 2 and 4."""
    truth, members = np.array([[0.0, 0.0, 0.0, np.nan, 0.0]]), np.array([[[1.0, -3.0, 4.0, 7.0, -3.0]]])
    weights = np.array([[1.0, 3.0, 2.0, 5.0, 4.0]])
    metric = PooledCRPS(scales=(2,))
    assert values(sums_of, metric, truth, members, weights=weights) == [pytest.approx((4 * 2 + 2 * 4 + 4 * 3) / 10)]


def test_members_shuffled_cell_by_cell_lose_at_coarse_scales_only(sums_of):
    """Fields with one value everywhere: shuffled, their means hardly spread."""
    rng = np.random.default_rng(2)
    y, x = np.ones((200, 6, 6)) * rng.standard_normal((200, 1, 1)), np.ones((200, 8, 6, 6)) * rng.standard_normal((200, 8, 1, 1))
    metric = PooledCRPS(scales=(1, 6))
    right, shuffled = values(sums_of, metric, y, x), values(sums_of, metric, y, rng.permuted(x, axis=1))
    assert right[0] == pytest.approx(right[1]) == pytest.approx(shuffled[0]) and shuffled[1] > 1.2 * right[1]


def test_a_missing_member_and_a_deterministic_source(sums_of):
    x = np.ones((1, 2, 4, 4))
    x[0, 1, 0, 0] = np.nan
    metric = PooledCRPS(scales=(2,))
    assert np.isnan(values(sums_of, metric, np.zeros((1, 4, 4)), x)).all()
    assert values(sums_of, metric, np.zeros((1, 4, 4)), -3 * np.ones((1, 1, 4, 4))) == [3.0]


def test_bad_fields():
    for scales in ((), (0,), (2, 2)):
        with pytest.raises(ValueError, match="PooledCRPS.scales must be one or more different numbers of cells, at least 1"):
            PooledCRPS(scales=scales)
