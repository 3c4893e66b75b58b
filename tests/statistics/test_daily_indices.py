import itertools

import numpy as np
import pytest

from wxexp.statistics.daily_indices import DailyIndices


def indices(days, wet=1.0):
    found = DailyIndices(np.shape(days)[1:], wet=wet)
    for day in np.asarray(days, dtype=np.float32):
        found.add(day)
    return {name: x.tolist() for name, x in found.values().items()}


def test_by_hand():
    """Two cells; 0.9 mm is dry and 1 mm is wet: wet spells of 1, 3 and 2 days with 1 + 12 + 4 mm, dry ones of 2 and 1; and always dry."""
    days = np.array([[1, 0.9, 0, 2, 7, 3, 0, 1.5, 2.5], [0, 0.5, 0, 0, 0, 0, 0.99, 0, 0]]).T
    found = indices(days)
    sdii = found.pop("sdii")
    assert sdii[0] == pytest.approx(17 / 6) and np.isnan(sdii[1])
    assert found == {"rx1day": [7.0, pytest.approx(0.99)], "cdd": [2, 9], "cwd": [3, 0], "wet_days": [6, 0]}


def test_digits_of_xclim():
    """xclim 0.62.0, indices with thresh="1 mm/day", freq="YS", resample_before_rl=True, of 2001 to 2004."""
    days = np.random.RandomState(7).gamma(0.4, 6.0, 1461).astype(np.float32)
    years = [indices(year[:, None]) for year in np.split(days, [365, 730, 1095])]
    found = {name: [year[name][0] for year in years] for name in years[0]}
    assert found["rx1day"] == [22.48554039001465, 27.505794525146484, 25.8759765625, 28.748659133911133]
    assert (found["cdd"], found["cwd"], found["wet_days"]) == ([6, 7, 9, 7], [6, 5, 6, 6], [171, 156, 170, 193])
    assert found["sdii"] == pytest.approx([5.1305702611019735, 4.630024836613582, 4.3749956916360295, 4.499915246518782], rel=1e-6)


def test_spells_of_random_days_against_a_plain_count():
    days = np.random.default_rng(0).gamma(0.4, 4.0, (200, 6)).astype(np.float32)
    found = indices(days, wet=0.5)
    for cell, x in enumerate(days.T):
        runs = [(wet, len(list(run))) for wet, run in itertools.groupby(x >= 0.5)]
        assert found["cwd"][cell] == max(n for wet, n in runs if wet) > 2 and found["cdd"][cell] == max(n for wet, n in runs if not wet) > 2
        assert found["rx1day"][cell] == x.max() and found["sdii"][cell] == pytest.approx(x[x >= 0.5].mean())


def test_a_gap_ends_spells_of_both_kinds():
    found = DailyIndices((2,))
    for follows in (True, True, False, True, True):
        found.add(np.array([5.0, 0.0], dtype=np.float32), follows=follows)
    assert found.values()["cwd"].tolist() == [3, 0] and found.values()["cdd"].tolist() == [0, 3]


def test_a_missing_day_is_not_passed_over():
    found = indices([[1.0, 2.0], [np.nan, 2.0], [3.0, 2.0]])
    assert all(np.isnan(x[0]) and np.isfinite(x[1]) for x in found.values())
