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
    value = crps(*data, member_axis=1, estimator="biased")
    np.testing.assert_allclose(value, BIASED, atol=1e-11)
    assert value.mean() == pytest.approx(0.728806225853, abs=1e-11)


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


@pytest.mark.parametrize("k", [0, 5])
def test_one_member_twice(k, data):
    """Skill (N s̄ + |x_k − y|) / (N + 1), and 2 Σ_j |x_k − x_j| more in the sum over ordered pairs."""
    y, x = data[0], data[1].T
    skill = (8 * np.abs(x - y).mean(axis=0) + np.abs(x[k] - y)) / 9
    pairs = np.abs(x[:, None] - x).sum(axis=(0, 1)) + 2 * np.abs(x[k] - x).sum(axis=0)
    twice = np.concatenate([x, x[k : k + 1]])
    np.testing.assert_allclose(crps(y, twice), skill - pairs / (2 * 9 * 8), atol=1e-12)
    np.testing.assert_allclose(crps(y, twice, estimator="biased"), skill - pairs / (2 * 81), atol=1e-12)
    twofold = np.where(np.arange(8) == k, 2.0, 1.0)
    np.testing.assert_allclose(crps(y, x, estimator="biased", member_weights=twofold), skill - pairs / (2 * 81), atol=1e-12)


@pytest.mark.parametrize("members", [2, 5, 20])
def test_expectation_of_exchangeable_members(members):
    """1/√π for any number of members, and 1/√π (1 + 1/M) of the biased score."""
    rng = np.random.default_rng(members)
    y, x = rng.standard_normal(100_000), rng.standard_normal((members, 100_000))
    assert crps(y, x).mean() == pytest.approx(0.564189583548, rel=0.01)
    assert crps(y, x, estimator="biased").mean() == pytest.approx(0.564189583548 * (1 + 1 / members), rel=0.01)


def test_scores_of_parts_of_the_ensemble_do_not_average_to_that_of_all():
    """12 members in 3 parts: fair 0.602140559074 of all, 0.602605417495 (biased 0.750117494522) on average of the parts (scoringrules)."""
    rs = np.random.RandomState(101)
    y, x = rs.standard_normal(20), rs.standard_normal((20, 12))
    assert crps(y, x, member_axis=1).mean() == pytest.approx(0.602140559074, abs=1e-11)
    for estimator, value in (("fair", 0.602605417495), ("biased", 0.750117494522)):
        parts = [crps(y, part, member_axis=1, estimator=estimator).mean() for part in np.split(x, 3, axis=1)]
        assert np.mean(parts) == pytest.approx(value, abs=1e-11)


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


def test_members_that_count_1_to_8(data):
    """0.764770579050 is scoringrules and properscoring, with weights of sum 1."""
    y, x = data
    for unit in (1.0, 1e-3):
        value = crps(y, x, member_axis=1, estimator="biased", member_weights=unit * np.arange(1, 9))
        assert value.mean() == pytest.approx(0.764770579050, abs=1e-11)
    expected = properscoring.crps_ensemble(y, x, weights=np.broadcast_to(np.arange(1.0, 9.0), x.shape))
    np.testing.assert_allclose(value, expected, atol=1e-12)


@pytest.mark.parametrize("estimator", ["fair", "biased", "almost_fair"])
def test_members_that_count_alike_in_blocks_and_one_that_does_not_count(estimator, monkeypatch):
    monkeypatch.setattr(crps_module, "CELLS", 7)
    rng = np.random.default_rng(0)
    y, x = rng.integers(0, 6, (4, 5)) / 2.0, rng.integers(0, 6, (6, 4, 5)) / 2.0
    expected = crps(y, x[[0, 1, 2, 4, 5]], estimator=estimator)
    np.testing.assert_allclose(crps(y, x, estimator=estimator, member_weights=[2, 2, 2, 0, 2, 2]), expected, atol=1e-14)


def test_the_fair_score_of_members_that_count_differently_has_the_expectation_of_the_distribution():
    """1/√π for members and truth of N(0, 1), whatever the weights; the biased one is too large by Σ v² / √π."""
    rng = np.random.default_rng(8)
    y, x, v = rng.standard_normal(100_000), rng.standard_normal((3, 100_000)), np.array([0.6, 0.3, 0.1])
    assert crps(y, x, member_weights=v).mean() == pytest.approx(0.564189583548, rel=0.01)
    assert crps(y, x, estimator="biased", member_weights=v).mean() == pytest.approx(0.564189583548 * (1 + v @ v), rel=0.01)


def test_bad_weights_of_members():
    y, x = np.zeros(2), np.array([[1.0, 2.0], [3.0, np.nan]])
    assert crps(y, x, estimator="biased", member_weights=[1, 0])[0] == 1.0
    assert np.isnan(crps(y, x, estimator="biased", member_weights=[1, 0])[1])
    for weights in ([1.0], [1.0, -1.0], [0.0, 0.0], [1.0, np.nan]):
        with pytest.raises(ValueError, match="member_weights must be 2 numbers, one of each member, at least 0 and not all 0, got"):
            crps(y, x, member_weights=weights)
    with pytest.raises(ValueError, match="'fair' needs at least 2 members, got 1"):
        crps(y, x, member_weights=[1.0, 0.0])


@pytest.mark.parametrize("estimator", ["fair", "biased", "almost_fair"])
@pytest.mark.parametrize("weights", [None, np.array([1.0, 4.0, 2.0, 0.5, 1.5])])
@pytest.mark.parametrize("compiled", [0, 1 << 16])
def test_missing_members_are_omitted_point_by_point(estimator, weights, compiled, monkeypatch):
    """The score of those that are there, each point by itself; missing truth stays missing."""
    monkeypatch.setattr(crps_module, "COMPILED", compiled)
    rng = np.random.default_rng(2)
    y, x = rng.standard_normal((4, 6)), rng.standard_normal((5, 4, 6))
    x[rng.random(x.shape) < 0.3], x[:2] = np.nan, rng.standard_normal((2, 4, 6))  # two are there always
    y[1, 2], x[1:, 3, 3], x[:, 3, 4] = np.nan, np.nan, np.nan
    found = crps(y, x, estimator=estimator, member_weights=weights, missing="omit")
    for place in np.ndindex(4, 6):
        there = ~np.isnan(x[(slice(None), *place)])
        if place in ((1, 2), (3, 4)) or (place == (3, 3) and estimator != "biased"):
            assert np.isnan(found[place])
        elif place == (3, 3):
            assert found[place] == pytest.approx(abs(x[0, 3, 3] - y[3, 3]))
        else:
            own = None if weights is None else weights[there]
            alone = crps(y[place], x[(there, *place)], estimator=estimator, member_weights=own)
            assert found[place] == pytest.approx(float(alone), abs=1e-13)
    assert np.isnan(crps(y, x, estimator=estimator, member_weights=weights)).sum() > 10


def test_missing_must_be_known():
    with pytest.raises(ValueError, match="missing must be one of propagate, omit, got 'raise'"):
        crps(np.zeros(2), np.zeros((3, 2)), missing="raise")  # type: ignore[arg-type]
