import numpy as np
import pytest

from wxexp.metrics import FSS


def values(metric, sums):
    return {row.metric: row.value for row in metric.rows(sums)}


def test_digits(sums_of):
    """A field against itself moved by one cell, squares inside the field only; digits from scores.fss_2d."""
    f = np.random.RandomState(71).random_sample((16, 16))
    metric = FSS(thresholds=(0.7,), scales=(1, 3, 5))
    assert values(metric, sums_of(metric, np.roll(f, 1, 1)[None], f[None, None])) == {
        "fss_0.7_1": pytest.approx(0.305882352941, abs=1e-11),
        "fss_0.7_3": pytest.approx(0.929306794784, abs=1e-11),
        "fss_0.7_5": pytest.approx(0.980261993273, abs=1e-11),
    }


def test_perfect_is_one_and_dry_cases_add_nothing(sums_of):
    rs = np.random.RandomState(2)
    y, x = rs.random_sample((3, 8, 9)), rs.random_sample((3, 1, 8, 9))
    metric = FSS(thresholds=(0.6,), scales=(3,))
    assert values(metric, sums_of(metric, y, y[:, None])) == {"fss_0.6_3": 1.0}
    wet = values(metric, sums_of(metric, y, x))
    dry = values(metric, sums_of(metric, np.concatenate([y, 0 * y]), np.concatenate([x, 0 * x])))
    assert dry == pytest.approx(wet, abs=1e-12) and 0 < wet["fss_0.6_3"] < 1
    assert np.isnan(values(metric, sums_of(metric, 0 * y, 0 * x))["fss_0.6_3"])


def test_an_ensemble_gives_probabilities(sums_of):
    """One of two members is right in one event of a ring: P_x = 1/2, P_y = 1 there, 1/2 and 0 in another cell."""
    truth, members = np.array([[0.0, 9, 0, 0]]), np.array([[[0.0, 9, 0, 0], [0.0, 0, 0, 9]]])
    metric = FSS(thresholds=(5.0,), scales=(1, 3, 5))
    found = values(metric, sums_of(metric, truth, members))
    assert found["fss_5_1"] == pytest.approx(1 - (0.25 + 0.25) / (0.25 + 0.25 + 1))
    # Squares of three cells: truth 1/3, 1/3; ensemble 1/6, 1/3.
    assert found["fss_5_3"] == pytest.approx(1 - (1 / 36) / (2 / 9 + 1 / 36 + 1 / 9))
    assert np.isnan(found["fss_5_5"])


def test_squares_with_a_cell_that_is_not_valid_are_left_out(sums_of):
    """A hole at a corner takes away one square of nine cells, and a member's NaN inside it does not matter."""
    rs = np.random.RandomState(4)
    y, x = rs.random_sample((1, 3, 4)), rs.random_sample((1, 2, 3, 4))
    metric = FSS(thresholds=(0.5,), scales=(3,))
    right = values(metric, sums_of(metric, y[..., 1:], x[..., 1:]))
    assert values(metric, sums_of(metric, y, x)) != right
    y[0, 0, 0] = x[0, 1, 0, 0] = np.nan
    assert values(metric, sums_of(metric, y, x)) == pytest.approx(right)
    x[0, 1, 1, 2] = np.nan
    assert np.isnan(values(metric, sums_of(metric, y, x))["fss_0.5_3"])


def test_squares_count_with_the_area_of_their_middle(sums_of):
    """Two squares of one cell: a hit of area 3 and a miss of area 1."""
    metric = FSS(thresholds=(5.0,), scales=(1,))
    sums = sums_of(metric, np.array([[9.0, 9.0]]), np.array([[[9.0, 0.0]]]), weights=np.array([[3.0, 1.0]]))
    assert values(metric, sums) == {"fss_5_1": pytest.approx(1 - 1 / (3 + 4))}


def test_bad_fields():
    with pytest.raises(ValueError, match=r"FSS.scales must be one or more different odd numbers of cells, got \(2,\)"):
        FSS(thresholds=(1.0,), scales=(2,))
    with pytest.raises(ValueError, match="FSS.thresholds must be one or more different numbers, finite"):
        FSS(thresholds=())


def test_single_cells_are_summed_too_but_have_a_row_only_where_asked(sums_of):
    f = np.random.RandomState(71).random_sample((16, 16))
    found = {}
    for scales in ((3, 5), (5, 1, 3)):
        metric = FSS(thresholds=(0.7,), scales=scales)
        (statistic,) = metric.needs()
        assert 1 in statistic.scales
        found[scales] = values(metric, sums_of(metric, np.roll(f, 1, 1)[None], f[None, None]))
    assert list(found[3, 5]) == ["fss_0.7_3", "fss_0.7_5"] and list(found[5, 1, 3]) == ["fss_0.7_5", "fss_0.7_1", "fss_0.7_3"]
    assert found[3, 5].items() <= found[5, 1, 3].items()
