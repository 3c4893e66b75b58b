"""What every metric must do, over every export."""

import collections
import math

import numpy as np
import pytest

from wxexp.config.tree import exports
from wxexp.fields.grid import Grid
from wxexp.interfaces import Metric
from wxexp.scoring.comparison import _NONE, COSTS

AREA = Grid("latlon", np.linspace(-90, 90, 9), np.arange(16) * 22.5).area()[None]
THRESHOLDS = {"thresholds": (0.5, 1.5)}
BINS = {"low": 0.0, "high": 9.0, "count": 30}
GIVEN = {
    **{name: THRESHOLDS for name in ("Brier", "BrierDecomposition", "CORP", "Contingency", "EconomicValue", "FSS", "FrequencyBias")},
    **{name: THRESHOLDS for name in ("Ignorance", "OutcomeCRPS", "ROCArea", "RPS", "RescaledCRPS", "ThresholdCRPS")},
    **{name: BINS for name in ("LogHistogramDistance", "Perkins", "QuantileBias", "Wasserstein")},
    "ACC": {"window_days": None},  # no training times here
    "EventRatio": {"edges": (0.5, 1.5)},
    "FieldKernelScore": {"bandwidths": (1.0,)},
    "KernelScore": {"bandwidths": (0.5, 2.0)},
    "SEEPS": {"dry_fraction": 0.4, "heavy": 1.2},
}
"""Values of fields that have no default, or one that needs training times."""

METRICS = {name: cls(**GIVEN.get(name, {})) for name, cls in exports(Metric).items()}
every = pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS.keys())


@pytest.fixture
def world():
    """Truth [case, *S] and members [case, M, *S] of the same law, positive as rain is."""
    rng = np.random.default_rng(0)
    return rng.gamma(1.0, size=(6, 9, 16)), rng.gamma(1.0, size=(6, 8, 9, 16))


@every
def test_rows_are_finite_named_and_within_their_bounds(metric, world, sums_of):
    reference = {"other": sums_of(metric, world[0], world[1][::-1] * 1.5, weights=AREA, source="other")}
    rows = metric.rows(sums_of(metric, *world, weights=AREA, references=reference))
    assert rows
    for row in rows:
        assert row.metric.startswith((*COSTS, *_NONE)), "a comparison of two runs has to know which value is better"
        if row.metric.startswith("fss"):  # of scales beyond the field
            continue
        assert math.isfinite(row.value) and row.metric == row.metric.lower() and row.group == "all" and row.variable == "t", row
        assert row.low <= row.high, row


@every
def test_times_without_a_gap_have_bounds_too(metric, world, sums_of):
    """Nine cases in a row: moving blocks, whose length comes from the metric of each case alone."""
    truth, members = (np.concatenate([x, x[:3] * 1.1]) for x in world)
    reference = {"other": sums_of(metric, truth, members[::-1] * 1.5, weights=AREA, source="other", index=range(9))}
    for row in metric.rows(sums_of(metric, truth, members, weights=AREA, references=reference, index=range(9), draws=50)):
        assert row.metric.startswith("fss") or row.low <= row.high, row


@every
def test_one_member_has_rows_that_are_not_wrong_by_nan_or_none(metric, world, sums_of):
    """Where a score of a deterministic source means something it is finite; otherwise there is no row."""
    reference = {"other": sums_of(metric, world[0], world[1][::-1, :1], weights=AREA, source="other")}
    for row in metric.rows(sums_of(metric, world[0], world[1][:, :1], weights=AREA, references=reference)):
        if not row.metric.startswith("fss"):
            assert math.isfinite(row.value), row


@every
def test_negative_values_are_values(metric, sums_of):
    rng = np.random.default_rng(1)
    world = rng.standard_normal((6, 9, 16)), rng.standard_normal((6, 8, 9, 16))
    reference = {"other": sums_of(metric, world[0], world[1][::-1] * 1.5, weights=AREA, source="other")}
    for row in metric.rows(sums_of(metric, *world, weights=AREA, references=reference)):
        assert row.metric.startswith(("fss", "quantile_bias")) or math.isfinite(row.value), row  # the latter ends with its bins


@every
def test_a_missing_member_is_seen(metric, world, sums_of):
    world[1][2, 3, 4, 5] = np.nan
    rows = metric.rows(sums_of(metric, *world, weights=AREA, references={"other": sums_of(metric, *world, weights=AREA)}))
    assert any(math.isnan(row.value) for row in rows)


def test_no_two_metrics_have_a_row_of_the_same_name(world, sums_of):
    names = collections.Counter()
    for metric in METRICS.values():
        sums = sums_of(metric, *world, weights=AREA, references={"other": sums_of(metric, *world, weights=AREA, source="other")})
        names.update({row.metric for row in metric.rows(sums)})
    assert [name for name, count in names.items() if count > 1] == []
