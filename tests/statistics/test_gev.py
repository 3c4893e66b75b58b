import numpy as np
import pytest
from scipy import integrate, stats

from wxexp.statistics.gev import GEV, gev_lmoments, l_moments, return_levels

GUMBEL = [21.6, 47.1, 25.1, 36.9, 47.9, 35.8, 32.7, 20.6, 36.1, 65.1, 24.6, 47.1]
RS = np.random.RandomState(5)
SAMPLES = np.stack([RS.gumbel(30, 8, 40) ** 1.3, 100 - RS.weibull(1.5, 40) * 10], axis=1)
"""[40, 2], a heavy tail and a bounded one."""


def test_digits_of_lmoments3():
    """lmoments3 1.0.8: lmom_ratios, distr.gev.lmom_fit (whose shape is good to 1e-6) and the quantiles of its fits."""
    for data, moments, parameters, levels in (
        (
            SAMPLES[:, 0],
            (109.01959386428317, 24.447324143950848, 0.23024673603406406),
            (87.26292136729788, 32.16501377129398, -0.0917265862528701),
            (99.25221927612104, 197.08052381675316, 271.33984099285146),
        ),
        (
            SAMPLES[:, 1],
            (90.27642237933466, 3.6706834409139075, -0.10999162914021605),
            (88.6419880841655, 7.054174869056701, 0.4920389872664645),
            (91.00771067742703, 99.65395356394785, 101.48772935079046),
        ),
        (
            np.array(GUMBEL),
            (36.71666666666667, 7.625757575757575, 0.15108285316908399),
            (30.51679930844596, 11.297775680286334, 0.02953722629244009),
            (34.63524715156333, 62.643534940556584, 79.11205578579893),
        ),
    ):
        assert l_moments(data) == pytest.approx(moments, rel=1e-12)
        assert gev_lmoments(data) == pytest.approx(parameters, rel=1e-5, abs=1e-6)
        assert return_levels(gev_lmoments(data), (2, 20, 100)) == pytest.approx(levels, rel=1e-5)


@pytest.mark.parametrize("k", [-0.6, -0.2, -1e-5, 0.0, 1e-5, 0.3, 1.0, 4.0])
def test_levels_are_quantiles_of_scipy(k):
    fitted = GEV(*(np.array([x]) for x in (3.0, 2.0, k)))
    levels = return_levels(fitted, (1.5, 10, 1e4))[:, 0]
    assert levels == pytest.approx(stats.genextreme(k, loc=3.0, scale=2.0).isf([1 / 1.5, 0.1, 1e-4]), rel=1e-9)


@pytest.mark.parametrize("k", [-0.8, -0.3, -1e-4, 0.0, 0.2, 1.0, 3.0])
def test_a_distribution_is_found_from_its_l_moments(k, monkeypatch):
    """λ_r are integrals over u of the quantile function times 1, 2u − 1 and 6u² − 6u + 1 (Hosking 1990, eq. 2.2)."""
    law = stats.genextreme(k, loc=3.0, scale=2.0)
    polynomials = (lambda u: 1.0, lambda u: 2 * u - 1, lambda u: 6 * u**2 - 6 * u + 1)
    l1, l2, l3 = (integrate.quad(lambda u, p=p: law.ppf(u) * p(u), 0, 1, epsabs=1e-11, limit=400)[0] for p in polynomials)
    monkeypatch.setattr("wxexp.statistics.gev.l_moments", lambda x: tuple(np.array([x]) for x in (l1, l2, l3 / l2)))
    location, scale, shape = gev_lmoments(np.zeros((3, 1)))
    assert (location[0], scale[0], shape[0]) == pytest.approx((3.0, 2.0, k), rel=1e-4, abs=1e-4)


def test_many_cells_at_once_constant_ones_and_missing_values():
    samples = np.concatenate([SAMPLES, np.full((40, 1), 7.0), np.full((40, 1), 0.0), SAMPLES[:, :1]], axis=1)
    samples[3, 4] = np.nan
    fitted = gev_lmoments(samples.reshape(40, 5, 1))
    assert [x.shape for x in fitted] == [(5, 1)] * 3
    assert fitted.shape[:2, 0] == pytest.approx([-0.09172659, 0.49203899], abs=1e-6)
    levels = return_levels(fitted, (5, 50))
    assert levels[:, 2:4, 0].tolist() == [[7, 0], [7, 0]] and np.isnan(levels[:, 4]).all() and np.isfinite(levels[:, :4]).all()


def test_a_sample_of_no_gev():
    """Of 0, 0, 1 λ3 / λ2 is 1, which needs k = −1, where there is no mean."""
    assert np.isnan(gev_lmoments(np.array([[0.0], [0.0], [1.0]]))).all()


@pytest.mark.parametrize("periods", [(), (1.0,), (20, 0.5), (float("nan"),)])
def test_bad_periods(periods):
    with pytest.raises(ValueError, match="return periods must be one or more numbers above 1, got"):
        return_levels(gev_lmoments(np.array(GUMBEL)), periods)


def test_two_blocks_are_too_few():
    with pytest.raises(ValueError, match="at least 3 values, got 2"):
        gev_lmoments(np.zeros((2, 4)))
