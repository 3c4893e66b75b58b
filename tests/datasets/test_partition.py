import numpy as np
import pytest

from wxexp.datasets import Cyclic, Dates, Fractions

DAYS = np.datetime_as_string(np.arange("1990-01-01", "1991-01-01", dtype="datetime64[D]").astype("datetime64[s]"))


def test_the_default_cycle_is_28_days_with_gaps_of_one():
    chosen = Cyclic().select(DAYS)
    days = {split: np.flatnonzero(where) for split, where in chosen.items()}
    assert set(days["train"] % 28) == set(range(20))
    assert set(days["valid"] % 28) == {21, 22} and set(days["test"] % 28) == {24, 25, 26}
    assert {split: len(d) for split, d in days.items()} == {"train": 261, "valid": 26, "test": 39}  # 365 = 13 * 28 + 1


def test_fractions_are_contiguous():
    chosen = Fractions(train=(0.0, 0.5), valid=(0.5, 0.6), test=(0.8, 1.0)).select(DAYS[:100])
    assert [np.flatnonzero(chosen[s])[[0, -1]].tolist() for s in ("train", "valid", "test")] == [[0, 49], [50, 59], [80, 99]]


def test_dates_are_half_open():
    chosen = Dates(train=("1990-01-01", "1990-03-01"), valid=("1990-03-01", "1990-03-03"), test=("1990-12", "1991")).select(DAYS)
    assert chosen["train"].sum() == 59 and chosen["valid"].sum() == 2 and chosen["test"].sum() == 31


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: Cyclic(period=0), "Cyclic.period must be at least 1, got 0"),
        (lambda: Cyclic(test=(24, 29)), r"Cyclic.test must be a range \(start, stop\) within 0 and 28, got \(24, 29\)"),
        (lambda: Cyclic(valid=(19, 23)), r"Cyclic.train and Cyclic.valid must not overlap, got \(0, 20\) and \(19, 23\)"),
        (lambda: Fractions(train=(0.0, 1.2)), "within 0 and 1"),
        (
            lambda: Dates(train=("1990", "1995"), valid=("1994", "1996"), test=("1997", "1998")),
            "Dates.train and Dates.valid must not overlap",
        ),
        (lambda: Dates(train=("1995", "1990"), valid=("1996", "1996"), test=("1997", "1998")), r"Dates.train must be two ISO dates"),
    ],
)
def test_ranges_that_mean_nothing_are_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()
