import numpy as np
import pytest
from scipy import stats

from wxexp.statistics.bootstrap import circular_counts, interval
from wxexp.statistics.significance import autocorrelation, diebold_mariano, effective_size, paired


@pytest.fixture
def series():
    """Autoregressive of 0.5, 200 times."""
    z = np.random.RandomState(121).standard_normal(200)
    d = z.copy()
    for i in range(1, 200):
        d[i] += 0.5 * d[i - 1]
    return 0.1 * d - 0.05


def test_digits(series):
    found = paired(series)
    assert found.mean == pytest.approx(-0.043792171418, abs=1e-11) and autocorrelation(series) == pytest.approx(0.454579310715, abs=1e-11)
    assert found.size == effective_size(series) == pytest.approx(74.9935992170, abs=1e-8)
    assert found.statistic == pytest.approx(-3.3952285968, abs=1e-9)
    # as if times were independent: −5.5446216860 (scipy.stats.ttest_1samp)
    assert found.statistic * np.sqrt(200 / found.size) == pytest.approx(stats.ttest_1samp(series, 0.0).statistic, rel=1e-12)


def test_digits_of_the_circular_block_bootstrap(series):
    """Numpy; blocks of 10, 1000 draws."""
    counts = circular_counts(np.random.RandomState(122).randint(0, 200, (1000, 20)), length=10, cases=200)
    low, high = interval(counts @ series / 200)
    assert (counts.sum(axis=1) == 200).all()
    assert [low, high] == pytest.approx([-0.0662369040495, -0.0214683818716], abs=1e-11)


def test_diebold_mariano_of_the_scores_package(series):
    """Hering and Genton's form, whose fit stops within 1e-4 of the least squares there."""
    found = diebold_mariano(series)
    assert found.statistic == pytest.approx(-3.479348118156, abs=1e-4)
    assert found.p == pytest.approx(2 * stats.norm.sf(3.4794), rel=1e-3)


@pytest.mark.parametrize("test", [paired, diebold_mariano])
def test_finds_nothing_in_nothing_as_often_as_it_says(test):
    """Of 400 series of independent and of correlated noise, about 5 % are below p = 0.05."""
    rng = np.random.default_rng(0)
    for r, most in ((0.0, 0.09), (0.5, 0.12)):
        found = 0
        for _ in range(400 if test is paired else 120):
            z = rng.standard_normal(120)
            for i in range(1, 120):
                z[i] += r * z[i - 1]
            found += test(z).p < 0.05
        assert found / (400 if test is paired else 120) < most


def test_constant_and_short_series():
    assert np.isnan(paired(np.ones(9)).p) and np.isnan(diebold_mariano(np.ones(9)).p)
    with pytest.raises(ValueError, match=r"d must be a series of at least 3 differences, got shape \(2,\)"):
        paired(np.ones(2))
    with pytest.raises(ValueError, match=r"d must be a series of at least 5 differences, got shape \(2, 9\)"):
        diebold_mariano(np.ones((2, 9)))


def test_runs_far_apart_are_independent_of_each_other():
    """Runs of three of an autoregressive process: the variance of the mean, over many series, is that of as many independent times."""
    rng, r = np.random.default_rng(5), 0.7
    times = 100 * np.repeat(np.arange(200), 3) + np.tile(np.arange(3), 200)
    sizes, means = [], []
    for _ in range(300):
        z = rng.standard_normal((200, 3))
        z[:, 0] /= np.sqrt(1 - r**2)
        for i in (1, 2):
            z[:, i] += r * z[:, i - 1]
        sizes.append(effective_size(z.ravel(), times))
        means.append(z.mean())
    assert np.mean(sizes) == pytest.approx(1 / (1 - r**2) / np.var(means), rel=0.2)


def test_even_times_give_the_digits_of_none(series):
    for times in (np.arange(200), 86400.0 * np.arange(200) * 3):
        assert effective_size(series, times) == pytest.approx(74.9935992170, abs=1e-8)
