import numpy as np

from wxexp.metrics import RelativeBias


def value(sums):
    (row,) = RelativeBias().rows(sums)
    assert (row.metric, row.units) == ("relative_bias", "1")
    return row.value


def test_dry_cells_and_cases_count_and_divide_nothing(sums_of):
    """Truth 8 in two of four cells, members 1 too much on average in each of all four."""
    truth, members = np.array([[5.0, 3.0], [0.0, 0.0]]), np.array([[[5.0, 5.0], [7.0, 3.0]], [[2.0, 0.0], [0.0, 2.0]]])
    assert value(sums_of(RelativeBias(), truth, members)) == 4 / 8
    weights = np.array([[1.0, 3.0]])
    assert value(sums_of(RelativeBias(), truth, members, weights=weights)) == (1 + 3 + 1 + 3) / (5 + 9)


def test_no_truth_but_zeros_is_nan(sums_of):
    assert np.isnan(value(sums_of(RelativeBias(), np.zeros((2, 3)), np.ones((2, 2, 3)))))
    assert np.isnan(value(sums_of(RelativeBias(), np.full((2, 3), np.nan), np.ones((2, 2, 3)))))


def test_missing_truth_is_left_out_of_both_and_a_missing_member_is_not(sums_of):
    truth, members = np.array([[4.0, np.nan]]), np.array([[[5.0, 90.0], [5.0, np.nan]]])
    assert value(sums_of(RelativeBias(), truth, members)) == 0.25
    members[0, 1, 0] = np.nan
    assert np.isnan(value(sums_of(RelativeBias(), truth, members)))
