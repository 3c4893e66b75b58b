import numpy as np

from wxexp.statistics import Errors, Moments, Pairs, Ranks

TRUTH, MEMBERS, WEIGHTS = np.array([2.0, 6.0]), np.array([[1.0, 1.0], [4.0, 4.0]]), np.array([[1.0, 3.0]])


def test_each_gives_its_sums_alone():
    """Members 1 and 4 over truths 2 (weight 1) and 6 (weight 3), by hand."""
    want = {
        Errors(): {"weight": [4], "missing": [0], "error": [-10], "absolute": [11], "square": [37]},
        Pairs(): {"weight": [4], "skill": [12], "pairs": [12]},
        Moments(): {"weight": [4], "variance": [18], "square": [37]},
        Ranks(): {"weight": [4], "ranks": [[0, 1, 3]]},
    }
    for statistic, sums in want.items():
        found = statistic.reduce(TRUTH, MEMBERS, WEIGHTS)
        assert {name: x.tolist() for name, x in found.items()} == sums
        assert all(x.dtype == np.float64 for x in found.values())
