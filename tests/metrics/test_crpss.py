import numpy as np
import pytest

from wxexp.metrics import CRPSS


@pytest.fixture
def sums(sums_of, calibrated):
    truth, members = calibrated
    metric = CRPSS()
    references = {
        "same": sums_of(metric, truth, members, source="same"),
        "zero": sums_of(metric, truth, np.zeros((100, 1, 200)), source="zero"),
    }
    return sums_of(metric, truth, members, references=references)


def test_a_row_for_each_baseline(sums, calibrated):
    same, zero = CRPSS().rows(sums)
    assert (same.metric, same.source, same.units) == ("crpss", "same", "1") and zero.source == "zero"
    assert (same.value, same.low, same.high) == (0.0, 0.0, 0.0)  # the bootstrap draws the same cases of both
    # The mean absolute error of zero is that of N(0, 2) around 0: 2 / sqrt(pi), twice the CRPS of the calibrated ensemble.
    assert zero.value == pytest.approx(1 - 0.560728328331 / np.abs(calibrated[0]).mean(), rel=1e-6)
    assert zero.value == pytest.approx(0.5, abs=0.02) and zero.low < zero.value < zero.high


def test_baselines_have_no_skill_rows_of_their_own(sums):
    assert CRPSS().rows(sums.references["zero"]) == []
