import numpy as np
import pytest

from wxexp.statistics.spectra import largest_valid_box, log_spectral_distance, power_spectrum, wavenumbers


def brute(mask):
    """The size of the largest rectangle, by trying all."""
    h, w = mask.shape
    sizes = [
        (b - a) * (d - c)
        for a in range(h)
        for b in range(a + 1, h + 1)
        for c in range(w)
        for d in range(c + 1, w + 1)
        if mask[a:b, c:d].all()
    ]
    return max(sizes, default=0)


@pytest.mark.parametrize("seed", range(12))
def test_the_box_is_valid_and_none_is_larger(seed):
    mask = np.random.default_rng(seed).random((6, 7)) < 0.75
    box = largest_valid_box(mask)
    assert mask[box].all() and mask[box].size == brute(mask)


def test_boxes_by_hand():
    mask = np.ones((5, 8), dtype=bool)
    assert largest_valid_box(mask) == (slice(0, 5), slice(0, 8))
    mask[2, 3] = False
    assert largest_valid_box(mask) == (slice(0, 5), slice(4, 8))
    assert largest_valid_box(np.array([True, False, True, True])) == (slice(2, 4),)
    assert mask[largest_valid_box(np.zeros((3, 3), dtype=bool))].size == 0


@pytest.mark.parametrize("shape", [(24, 24), (24, 37), (33, 20), (64,)])
@pytest.mark.parametrize("window", ["hann", "none"])
def test_white_noise_is_flat_at_its_variance(shape, window):
    rng = np.random.default_rng(0)
    mean = np.mean([power_spectrum(3.0 * rng.standard_normal(shape), window=window) for _ in range(600)], axis=0)
    assert len(mean) == wavenumbers(shape) == min(shape) // 2
    # Removing the mean costs only the first wavenumber, into which the window spreads it.
    np.testing.assert_allclose(mean[2:], 9.0, rtol=0.2)
    assert mean[2:].mean() == pytest.approx(9.0, rel=0.03)


def test_parseval_in_one_dimension():
    """Without a window Σ of both halves is the sum of squares: each wavenumber twice, the last of an even side once."""
    x = np.random.default_rng(1).standard_normal(32)
    p = power_spectrum(x, window="none")
    assert 2 * p[:-1].sum() + p[-1] == pytest.approx(np.sum((x - x.mean()) ** 2), rel=1e-12)


def test_a_wave_has_its_power_at_its_wavenumber():
    i = np.arange(32)
    p = power_spectrum(np.cos(2 * np.pi * 5 * i / 32)[None] * np.ones((32, 1)), window="hann")
    assert p.argmax() + 1 == 5 and p[[3, 4, 5]].sum() > 0.99 * p.sum()


def test_a_gradient_across_the_box_does_not_reach_the_short_waves():
    ramp = np.add.outer(np.arange(48.0), np.arange(48.0))
    tapered, raw = (power_spectrum(ramp, window=window) for window in ("hann", "none"))
    assert tapered[10] < 1e-6 * tapered[0] and raw[10] > 1e-3 * raw[0]


def test_adding_a_constant_changes_nothing_and_nan_everything():
    x = np.random.default_rng(2).standard_normal((16, 16))
    np.testing.assert_allclose(power_spectrum(x + 300.0), power_spectrum(x), rtol=1e-9)
    x[3, 3] = np.nan
    assert np.isnan(power_spectrum(x)).all()


def test_distance_of_doubled_amplitude_is_six_decibels():
    x = np.random.default_rng(3).standard_normal((16, 16))
    p = power_spectrum(x)
    assert log_spectral_distance(p, power_spectrum(2 * x)) == pytest.approx(20 * np.log10(2), rel=1e-9)
    assert log_spectral_distance(p, p) == 0.0


def test_distance_leaves_out_wavenumbers_without_truth():
    p = np.array([4.0, 1.0, 0.0])
    assert log_spectral_distance(p, np.array([40.0, 10.0, 0.0])) == pytest.approx(10.0)
    assert np.isnan(log_spectral_distance(np.zeros(3), p))
    assert log_spectral_distance(p, np.zeros(3)) == np.inf
