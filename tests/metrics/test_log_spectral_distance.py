import numpy as np
import pytest

from wxexp.metrics import LogSpectralDistance
from wxexp.statistics.spectra import power_spectrum


def test_doubled_amplitude(sums_of):
    truth = np.random.default_rng(0).standard_normal((6, 16, 18))
    (row,) = LogSpectralDistance().rows(sums_of(LogSpectralDistance(), truth, 2 * truth[:, None]))
    assert (row.metric, row.units) == ("lsd", "dB")
    assert row.value == pytest.approx(20 * np.log10(2), rel=1e-6) and row.low == pytest.approx(row.high) == pytest.approx(row.value)


def test_members_of_the_same_distribution_come_to_zero_as_cases_grow(sums_of):
    """Mean spectra do; the mean of distances of single cases stays at several dB."""
    rng = np.random.default_rng(1)
    truth, members = rng.standard_normal((150, 16, 16)), rng.standard_normal((150, 2, 16, 16))
    (row,) = LogSpectralDistance().rows(sums_of(LogSpectralDistance(), truth, members))
    assert row.value < 0.6
    single = [10 * np.log10(power_spectrum(x[0]) / power_spectrum(y)) for x, y in zip(members, truth, strict=True)]
    assert np.mean([np.sqrt(np.mean(s**2)) for s in single]) > 2.0


def test_the_window_is_part_of_the_statistic(sums_of):
    metric = LogSpectralDistance(window="none")
    truth = np.random.default_rng(2).standard_normal((3, 32))
    (row,) = metric.rows(sums_of(metric, truth, truth[:, None]))
    assert row.value == pytest.approx(0.0, abs=1e-6)
    with pytest.raises(ValueError, match="hold no 'spectrum', only spectrum_window_none; score again"):
        LogSpectralDistance().rows(sums_of(metric, truth, truth[:, None]))
