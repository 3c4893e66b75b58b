"""The fused kernel against closed forms, libraries and plain numpy."""

import numpy as np
import pytest
import scoringrules

from wxexp.statistics.kernel import TILE, network, point_sums
from wxexp.statistics.point import CELL_COLUMNS


def ones(truth):
    return np.ones((1, *truth.shape))


def column(sums, name, group=0):
    return sums.pick(name)[name][group]


def fair(sums, members):
    return (column(sums, "skill") - column(sums, "pairs") / (members * (members - 1))) / column(sums, "weight")


@pytest.mark.parametrize("members, comparators", [(1, 0), (2, 1), (8, 19), (16, 63), (50, 395), (100, 1077)])
def test_the_network_has_the_published_size(members, comparators):
    assert len(network(members)[0]) == comparators  # Knuth, The Art of Computer Programming 3, 5.3.4


@pytest.mark.parametrize("members", range(1, 14))
def test_the_network_sorts_every_input_of_zeros_and_ones(members):
    """And so every input (the 0-1 principle)."""
    x = (np.arange(2**members)[None] >> np.arange(members)[:, None]) & 1
    for i, j in zip(*network(members), strict=True):
        assert i < j
        x[i], x[j] = np.minimum(x[i], x[j]), np.maximum(x[i], x[j])
    assert (np.diff(x, axis=0) >= 0).all()


@pytest.mark.parametrize("members", [2, 3, 8, 31, 64, 128, 129, 150])
def test_crps_equals_scoringrules(members):
    rng = np.random.default_rng(members)
    y = rng.standard_normal(3 * TILE + 7).astype(np.float32)
    x = rng.standard_normal((members, len(y))).astype(np.float32)
    expected = scoringrules.crps_ensemble(y.astype(float), x.astype(float), m_axis=0, estimator="fair", backend="numpy").mean()
    assert fair(point_sums(y, x, ones(y)), members) == pytest.approx(expected, rel=2e-6)


def test_digits_of_a_calibrated_ensemble():
    """Digits from numpy and scoringrules in float64; theory: CRPS 1/sqrt(pi) = 0.5642, mean s² = 1."""
    rs = np.random.RandomState(21)
    centre = rs.standard_normal(20000)
    x, y = (centre[:, None] + rs.standard_normal((20000, 10))).T, centre + rs.standard_normal(20000)
    sums = point_sums(y, x, ones(y))
    assert column(sums, "square") / 20000 == pytest.approx(1.087298044582, rel=1e-6)
    assert column(sums, "variance") / 20000 == pytest.approx(1.000798370248, rel=1e-6)
    assert fair(sums, 10) == pytest.approx(0.560728328331, rel=1e-6)
    biased = (column(sums, "skill") - column(sums, "pairs") / 100) / 20000
    assert biased == pytest.approx(0.617190349031, rel=1e-6)  # theory (1 + 1/10) / sqrt(pi) = 0.6206


def test_rank_histogram_digits():
    rs = np.random.RandomState(11)
    y, x = rs.standard_normal(1000), rs.standard_normal((1000, 5))
    np.testing.assert_array_equal(point_sums(y, x.T, ones(y)).ranks[0], [167, 158, 169, 170, 165, 171])  # xskillscore


def test_ties_are_split_equally():
    rs = np.random.RandomState(12)
    y, x = np.floor(4 * rs.random_sample(12)), np.floor(4 * rs.random_sample((12, 4)))
    np.testing.assert_allclose(60 * point_sums(y, x.T, ones(y)).ranks[0], [140, 80, 150, 220, 130], atol=1e-10)  # the scores package
    for side, counts in ((-1, [4, 0, 5, 2, 1]), (1, [1, 2, 1, 4, 4])):  # all ties given to the lowest or the highest of their ranks
        np.testing.assert_array_equal(point_sums(y + 0.01 * side, x.T, ones(y)).ranks[0], counts)


def test_errors_by_hand():
    """Two members 1, 4 over truths 2 and 6 with weights 1 and 3: mean errors 0.5 and -3.5."""
    sums = point_sums(np.array([2.0, 6.0]), np.array([[1.0, 1.0], [4.0, 4.0]]), np.array([[1.0, 3.0]]))
    expected = {
        "weight": 4.0,
        "missing": 0.0,
        "skill": 1 * 1.5 + 3 * 3.5,
        "pairs": 3.0 + 3 * 3.0,
        "error": 0.5 - 3 * 3.5,
        "absolute": 0.5 + 3 * 3.5,
        "square": 0.25 + 3 * 12.25,
        "variance": 4.5 + 3 * 4.5,
    }
    assert {name: column(sums, name) for name in expected} == pytest.approx(expected, rel=1e-6)


def test_one_member_has_its_error_and_no_variance():
    sums = point_sums(np.array([2.0, 6.0]), np.array([[1.0, 9.0]]), np.ones((1, 2)))
    assert [column(sums, name) for name in ("skill", "pairs", "error", "absolute", "square")] == [4.0, 0.0, 2.0, 4.0, 10.0]
    assert np.isnan(column(sums, "variance"))
    np.testing.assert_array_equal(sums.ranks[0], [1.0, 1.0])  # the truth is above 1 and below 9


@pytest.mark.parametrize("members", [3, 140])
def test_cells_without_weight_or_truth_are_not_scored_whatever_is_in_them(members):
    rng = np.random.default_rng(0)
    y, x = rng.standard_normal(2 * TILE + 9).astype(np.float32), rng.standard_normal((members, 2 * TILE + 9)).astype(np.float32)
    weights = rng.random((1, len(y)))
    masked, lost = rng.random(len(y)) < 0.4, np.zeros(len(y), dtype=bool)
    lost[[3, TILE, TILE + 1]] = True
    masked[lost] = False
    keep = ~(masked | lost)
    holes, gone, w = y.copy(), x.copy(), weights.copy()
    holes[lost], gone[:, masked], w[0, masked] = np.nan, np.nan, 0.0
    sums, expected = point_sums(holes, gone, w), point_sums(y[keep], x[:, keep], weights[:, keep])
    assert column(sums, "missing") == 3
    np.testing.assert_allclose(np.delete(sums.columns, 1, 1), np.delete(expected.columns, 1, 1), rtol=1e-12)
    np.testing.assert_allclose(sums.ranks, expected.ranks, rtol=1e-12)


@pytest.mark.parametrize("members", [2, 3, 16, 130])
def test_a_nan_member_reaches_every_sum_of_its_groups_only(members):
    y, x = np.zeros(5), np.random.default_rng(1).standard_normal((members, 5))
    x[members // 2, 1] = np.nan
    weights = np.array([[1.0, 1, 1, 1, 1], [1, 0, 1, 1, 1]])
    sums = point_sums(y, x, weights)
    assert np.isnan(sums.columns[0, 2:]).all() and np.isnan(sums.ranks[0]).all()
    assert np.isfinite(sums.columns[1]).all() and np.isfinite(sums.ranks[1]).all()


def test_groups_add_up():
    rng = np.random.default_rng(2)
    y, x = rng.standard_normal((9, 13)), rng.standard_normal((4, 9, 13))
    west = np.zeros((9, 13))
    west[:, :5] = 1
    sums = point_sums(y, x, np.stack([np.ones_like(west), west, 1 - west]))
    np.testing.assert_allclose(sums.columns[0], sums.columns[1] + sums.columns[2], rtol=1e-12)
    np.testing.assert_allclose(sums.ranks[0], sums.ranks[1] + sums.ranks[2], rtol=1e-12)


def test_order_of_members_and_of_memory_changes_no_bit():
    rng = np.random.default_rng(4)
    y, x = rng.standard_normal((6, 7)).astype(np.float32), rng.standard_normal((5, 6, 7)).astype(np.float32)
    expected = point_sums(y, x, ones(y))
    np.testing.assert_array_equal(point_sums(y, np.asfortranarray(x), ones(y)).columns, expected.columns)
    moved = point_sums(y, x[::-1], ones(y))
    np.testing.assert_array_equal(moved.ranks, expected.ranks)
    assert column(moved, "pairs") == column(expected, "pairs")
    np.testing.assert_allclose(moved.columns, expected.columns, rtol=1e-6)


@pytest.mark.parametrize("members", [1, 6, 133])
def test_cells_over_cases_total_to_the_sums_over_space(members):
    rng = np.random.default_rng(5)
    shape, cases = (11, 60), 3
    total, sums = np.zeros((len(CELL_COLUMNS), *shape)), 0.0
    for case in range(cases):
        y, x = rng.standard_normal(shape), rng.standard_normal((members, *shape))
        y[case, 2] = np.nan
        alone = point_sums(y, x, ones(y)).columns
        np.testing.assert_array_equal(point_sums(y, x, ones(y), total).columns, alone)
        sums = sums + alone[0]
    np.testing.assert_allclose(total.sum(axis=(1, 2)), np.delete(sums, 1), rtol=1e-12)
    assert total[0, 1, 2] == cases - 1 and total[0, 5, 5] == cases


def test_bad_shapes():
    with pytest.raises(ValueError, match=r"members must be \[M, \*S\].*\(2, 3\)"):
        point_sums(np.zeros(4), np.zeros((2, 3)), np.zeros((1, 4)))
    with pytest.raises(ValueError, match=r"weights must be \[G, \*S\].*\(1, 3\)"):
        point_sums(np.zeros(4), np.zeros((2, 4)), np.zeros((1, 3)))
    with pytest.raises(ValueError, match="cells must be float64"):
        point_sums(np.zeros(4), np.zeros((2, 4)), np.ones((1, 4)), np.zeros((7, 4), dtype=np.float32))


def test_dry_days_share_the_ranks_of_the_tied_members():
    """Truth 0 among members 0, 0, 0, 1, 2: a quarter in each of the ranks 0 to 3, whatever the order of the members."""
    ranks = point_sums(np.zeros(4), np.array([[0.0], [1], [0], [2], [0]]) * np.ones(4), np.ones((1, 4))).ranks[0]
    np.testing.assert_allclose(ranks, [1, 1, 1, 1, 0, 0])


def test_variance_far_from_zero():
    """10000 members of 1e6 ± 1, in parts 1.016441251393 by Chan's formula; E x² − (E x)² in float32 gives 0. Truth is one of them.

    float32 itself rounds 1e6 to 1/16, which adds 1/16² / 12 = 0.0003.
    """
    x = 1e6 + np.random.RandomState(81).standard_normal(10000)
    sums = point_sums(np.array([1e6]), x[:, None], np.ones((1, 1)))
    assert column(sums, "variance") == pytest.approx(1.016441251393, abs=2e-3)


def test_rank_histograms_are_flat_u_and_dome():
    """Of members as wide as the truth, χ² of 9 degrees of freedom below its 99 % quantile, 21.67; too narrow, too wide."""
    rng = np.random.default_rng(7)
    y, x = rng.standard_normal(5000), rng.standard_normal((9, 5000))
    flat, u, dome = (point_sums(y, s * x, ones(y)).ranks[0] for s in (1.0, 0.4, 2.5))
    assert ((flat - 500) ** 2 / 500).sum() < 21.67
    assert min(u[0], u[-1]) > 2 * u[1:-1].max() and max(dome[0], dome[-1]) < 0.25 * dome[4:6].min()
