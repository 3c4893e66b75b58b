"""Sums of a source from plain arrays, without the engine."""

import numpy as np
import pytest

from wxexp.scoring import CaseSums
from wxexp.scoring.plan import name_of
from wxexp.statistics.bootstrap import FEWEST


@pytest.fixture
def sums_of():
    def make(metric, truth, members, *, weights=None, source="forecast", references=None, index=None, draws=200):
        """Truth [case, *S], members [case, M, *S]; where no index is given all cases again until there are as many as bounds need."""
        if index is None:
            again = -(-FEWEST // len(truth))
            truth, members = (np.concatenate([x] * again) for x in (truth, members))
        w = np.ones((1, *truth.shape[1:])) if weights is None else weights
        plan = {
            "sources": [source],
            "variables": ["t"],
            "units": ["K"],
            "leads": [None],
            "groups": [f"g{i}" for i in range(len(w))] if len(w) > 1 else ["all"],
            "cases": [{"index": i, "time": str(i), "lead_hours": 0.0} for i in index or range(len(truth))],
            "selections": {},
            "statistics": [],
        }
        arrays = {
            f"{name_of(s)}/{name}": np.stack([s.reduce(y, x, w)[name] for y, x in zip(truth, members, strict=True)])[:, None, None]
            for s in metric.needs()
            for name in s.reduce(truth[0], members[0], w)
        }
        return CaseSums(source, members.shape[1], arrays, plan=plan, draws=draws, seed=0, references=references)

    return make


@pytest.fixture
def calibrated():
    """20000 points in 100 cases, 10 members exchangeable with the truth."""
    rs = np.random.RandomState(21)
    centre = rs.standard_normal(20000)
    x, y = (centre[:, None] + rs.standard_normal((20000, 10))).T, centre + rs.standard_normal(20000)
    return y.reshape(100, 200), x.reshape(10, 100, 200).swapaxes(0, 1)
