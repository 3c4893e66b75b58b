"""Digits from properscoring 0.1 and scoringrules 0.10 (fair, biased), and by hand."""

import numpy as np
import properscoring
import pytest
import scoringrules
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from wxexp.statistics import crps as crps_module
from wxexp.statistics.crps import crps

FAIR = [0.372203306904, 1.284744190364, 0.189744327006, 0.434114192981, 0.862899501057]
BIASED = [0.469963193553, 1.414574936293, 0.243746649292, 0.554730013725, 0.961016336401]


@pytest.fixture
def data() -> tuple[np.ndarray, np.ndarray]:
    rs = np.random.RandomState(20240501)
    return rs.standard_normal(5), 0.2 + 1.3 * rs.standard_normal((5, 8))


def test_the_data_are_those_of_the_digits(data):
    assert data[0][0] == pytest.approx(0.367167283838, abs=1e-11) and data[1][0, 0] == pytest.approx(1.392990580925, abs=1e-11)


def test_fair(data):
    np.testing.assert_allclose(crps(*data, member_axis=1), FAIR, atol=1e-11)
    assert crps(*data, member_axis=-1).mean() == pytest.approx(0.628741103662, abs=1e-11)


def test_biased(data):
    np.testing.assert_allclose(crps(*data, member_axis=1, estimator="biased"), BIASED, atol=1e-11)


def test_almost_fair_is_not_the_epsilon_that_fits_two_members_only(data):
    value = crps(*data, member_axis=1, estimator="almost_fair", alpha=0.95).mean()
    assert value == pytest.approx(0.633744359772, abs=1e-11)
    assert abs(value - 0.648754128100) > 1e-3


@pytest.mark.parametrize("members", [2, 3, 5, 8, 17, 64])
def test_equals_libraries_with_ties(members):
    rng = np.random.default_rng(members)
    y, x = rng.integers(0, 6, (4, 5)) / 2.0, rng.integers(0, 6, (members, 4, 5)) / 2.0
    np.testing.assert_allclose(crps(y, x), scoringrules.crps_ensemble(y, x, m_axis=0, estimator="fair", backend="numpy"), atol=1e-12)
    np.testing.assert_allclose(crps(y, x, estimator="biased"), properscoring.crps_ensemble(y, x, axis=0), atol=1e-12)


def test_one_member():
    assert crps(np.array([1.0]), np.array([[3.5]]), estimator="biased") == 2.5
    for estimator in ("fair", "almost_fair"):
        with pytest.raises(ValueError, match="at least 2 members, got 1"):
            crps(np.array([1.0]), np.array([[3.5]]), estimator=estimator)


def test_nan_stays_at_its_point():
    y, x = np.zeros(4), np.ones((3, 4))
    x[1, 2], y[3] = np.nan, np.nan
    np.testing.assert_array_equal(np.isnan(crps(y, x)), [False, False, True, True])


def test_float32_fields_far_from_zero():
    """Geopotential: raw float32 sums are off by 1e-2 (scoringrules' pwm in float32); 54.965882710459 is scoringrules in float64."""
    rs = np.random.RandomState(91)
    y, x = 54000 + 100 * rs.standard_normal(1000), 54000 + 100 * rs.standard_normal((1000, 50))
    y, x = y.astype(np.float32), x.astype(np.float32)
    value = crps(y, x, member_axis=1)
    assert value.mean() == pytest.approx(54.965882710459, abs=1e-6)
    exact = scoringrules.crps_ensemble(y.astype(float), x.astype(float), estimator="fair", backend="numpy")
    assert np.abs(value - exact).max() <= 5e-5


@settings(max_examples=30, deadline=None)
@given(st.floats(-3, 3), st.floats(-100, 100), st.integers(2, 9))
def test_scales_with_the_units_and_ignores_shift_and_order(a, b, members):
    rng = np.random.default_rng(members)
    y, x = rng.standard_normal(6), rng.standard_normal((members, 6))
    np.testing.assert_allclose(crps(a * y + b, a * x + b), abs(a) * crps(y, x), atol=1e-10)
    np.testing.assert_array_equal(crps(y, x[rng.permutation(members)]), crps(y, x))


@pytest.mark.parametrize("estimator, proper", [("fair", True), ("biased", False)])
def test_the_fair_score_alone_prefers_the_truth_to_an_underdispersive_ensemble(estimator, proper):
    """Ferro 2014: of ensembles of 2 from N(0, s), truth N(0, 1), the expected fair score is least at s = 1; the biased one below."""
    rng = np.random.default_rng(3)
    y, x = rng.standard_normal(200_000), rng.standard_normal((2, 200_000))
    scores = {s: crps(y, s * x, estimator=estimator).mean() for s in (0.6, 0.8, 1.0, 1.3)}
    assert (min(scores, key=scores.__getitem__) == 1.0) is proper


def test_bad_input_says_what_was_given():
    with pytest.raises(ValueError, match=r"truth of shape \(5,\) does not match members of shape \(5, 8\)"):
        crps(np.zeros(5), np.zeros((5, 8)))
    with pytest.raises(ValueError, match="estimator must be one of fair, biased, almost_fair, got 'pwm'"):
        crps(np.zeros(8), np.zeros((5, 8)), estimator="pwm")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"alpha must be in \[0, 1\], got 1.5"):
        crps(np.zeros(8), np.zeros((5, 8)), estimator="almost_fair", alpha=1.5)


@pytest.mark.parametrize(
    "members, truth, biased, fair",
    [([0, 10], 0, 2.5, 0.0), ([0, 0, 0, 10], 0, 0.625, 0.0), ([1, 2, 4], 3, 2 / 3, 1 / 3), ([5, 5, 5], 2, 3, 3)],
)
def test_by_hand(members, truth, biased, fair):
    """E|X − y| less half of E|X − X'| over all pairs, and over those of different members."""
    y, x = np.array([float(truth)]), np.array(members, dtype=float)[:, None]
    assert crps(y, x, estimator="biased")[0] == pytest.approx(biased, abs=1e-15) and crps(y, x)[0] == pytest.approx(fair, abs=1e-15)


@pytest.mark.parametrize("y, mean, std, value", [(0.0, 0.0, 1.0, 0.233694977255), (0.7, 0.1, 1.4, 0.428216318759)])
def test_many_quantiles_of_a_normal_have_its_closed_form(y, mean, std, value):
    """(√2 − 1)/√π of the unit normal at its mean; properscoring's crps_gaussian."""
    x = stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000, mean, std)
    assert crps(np.array([y]), x[:, None], estimator="biased")[0] == pytest.approx(value, abs=2e-5)


@pytest.mark.parametrize("alpha", [0.0, 0.5, 0.95, 1.0])
def test_almost_fair_is_a_mixture(alpha, data):
    value = crps(*data, member_axis=1, estimator="almost_fair", alpha=alpha)
    np.testing.assert_allclose(value, alpha * np.array(FAIR) + (1 - alpha) * np.array(BIASED), atol=1e-11)


def test_a_duplicated_ensemble_is_no_better_but_the_fair_score_takes_it_for_more_members(data):
    """Biased unchanged; fair is skill − S / (N (2N − 1)), S the sum over ordered pairs of the N members."""
    y, x = data[0], data[1].T
    np.testing.assert_allclose(crps(y, np.concatenate([x, x]), estimator="biased"), BIASED, atol=1e-11)
    skill = 8 * np.array(BIASED) - 7 * np.array(FAIR)  # as biased = skill − S / 2N², fair = skill − S / 2N(N − 1)
    s = 2 * 8 * 7 * (skill - np.array(FAIR))
    np.testing.assert_allclose(crps(y, np.concatenate([x, x])), skill - s / (8 * 15), atol=1e-10)


@pytest.mark.parametrize("members", [2, 5, 20])
def test_expectation_of_exchangeable_members(members):
    """1/√π for any number of members, and 1/√π (1 + 1/M) of the biased score."""
    rng = np.random.default_rng(members)
    y, x = rng.standard_normal(100_000), rng.standard_normal((members, 100_000))
    assert crps(y, x).mean() == pytest.approx(0.564189583548, rel=0.01)
    assert crps(y, x, estimator="biased").mean() == pytest.approx(0.564189583548 * (1 + 1 / members), rel=0.01)


def test_scores_of_parts_of_the_ensemble_do_not_average_to_that_of_all():
    """12 members in 3 parts: fair 0.602140559074 of all, 0.602605417495 on average of the parts (scoringrules)."""
    rs = np.random.RandomState(101)
    y, x = rs.standard_normal(20), rs.standard_normal((20, 12))
    assert crps(y, x, member_axis=1).mean() == pytest.approx(0.602140559074, abs=1e-11)
    parts = [crps(y, part, member_axis=1).mean() for part in np.split(x, 3, axis=1)]
    assert np.mean(parts) == pytest.approx(0.602605417495, abs=1e-11)


@pytest.mark.parametrize("dtype, digits", [(np.float32, 2e-6), (np.float64, 1e-14)])
@pytest.mark.parametrize("members", [1, 2, 16, 50, 128])
def test_the_compiled_kernel_equals_scoringrules(members, dtype, digits, monkeypatch):
    monkeypatch.setattr(crps_module, "COMPILED", 0)
    rng = np.random.default_rng(members)
    y, x = rng.standard_normal((9, 131)).astype(dtype), rng.standard_normal((9, members, 131)).astype(dtype)
    expected = scoringrules.crps_ensemble(y.astype(float), x.astype(float), m_axis=1, estimator="nrg", backend="numpy")
    found = crps(y, x, member_axis=1, estimator="biased")
    assert found.dtype == np.float64 and found.shape == y.shape
    np.testing.assert_allclose(found, expected, rtol=0, atol=10 * digits)
    assert found.mean() == pytest.approx(expected.mean(), abs=digits)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("members", [1, 2, 9, 50])
def test_the_compiled_kernel_keeps_nan_at_its_point_and_leaves_its_input_alone(members, dtype, monkeypatch):
    """Whichever member it is of: the m-th of point 7 + m, all of point 600."""
    monkeypatch.setattr(crps_module, "COMPILED", 0)
    y, x = np.zeros(1100, dtype), np.random.default_rng(0).standard_normal((members, 1100)).astype(dtype)
    x[range(members), range(7, 7 + members)], x[:, 600], y[1099] = np.nan, np.nan, np.nan
    before = x.copy()
    y.flags.writeable = x.flags.writeable = False
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(crps(y, x, estimator="biased"))), [*range(7, 7 + members), 600, 1099])
    np.testing.assert_array_equal(x, before)
