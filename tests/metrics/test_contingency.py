"""Finley's tornado forecasts of 1884: 28 hits, 72 false alarms, 23 misses, 2680 correct negatives; scores of Wilks 2019, table 8.1."""

import numpy as np
import pytest

from wxexp.metrics import Contingency, EconomicValue
from wxexp.statistics.contingency import SCORES


@pytest.fixture
def tornadoes():
    counts = (28, 72, 23, 2680)
    truth, members = np.repeat([9.0, 0, 9, 0], counts), np.repeat([9.0, 9, 0, 0], counts)
    return truth[None], members[None, None]


def test_scores_of_finley(sums_of, tornadoes):
    metric = Contingency(thresholds=(5.0,), scores=tuple(SCORES))
    rows = {row.metric.removesuffix("_5"): row.value for row in metric.rows(sums_of(metric, *tornadoes))}
    published = {"accuracy": 0.966, "csi": 0.228, "hit_rate": 0.549, "false_alarm_rate": 0.026, "false_alarm_ratio": 0.720}
    published |= {"hss": 0.355, "pss": 0.523, "ets": 0.216}
    assert {name: rows[name] for name in published} == pytest.approx(published, abs=6e-4)
    assert rows["f1"] == pytest.approx(56 / 151)
    # H = 0.54902, F = 0.02616: (−3.64352 + 0.59962 + 0.02651 − 0.79633) / (−3.64352 − 0.59962 − 0.02651 − 0.79633)
    assert rows["sedi"] == pytest.approx(3.81372 / 5.06598, abs=1e-4)


def test_members_count_as_forecasts_each(sums_of, tornadoes):
    truth, members = tornadoes
    metric = Contingency(thresholds=(5.0,))
    both = np.concatenate([members, np.full_like(members, 0.0)], axis=1)  # the second never warns
    (csi, ets, hss) = metric.rows(sums_of(metric, truth, both))
    assert csi.value == pytest.approx(28 / (28 + 72 + 23 + 51)) and (ets.metric, hss.metric) == ("ets_5", "hss_5")


def test_forecasts_of_chance_have_no_skill(sums_of):
    """Event and forecast independent: 2, 4, 3 and 6 cells."""
    truth, members = np.repeat([9.0, 0, 9, 0], (2, 4, 3, 6))[None], np.repeat([9.0, 9, 0, 0], (2, 4, 3, 6))[None, None]
    metric = Contingency(thresholds=(5.0,), scores=("ets", "hss", "pss", "sedi"))
    assert [row.value for row in metric.rows(sums_of(metric, truth, members))] == pytest.approx([0, 0, 0, 0], abs=1e-12)


def test_nothing_to_score_is_nan(sums_of):
    metric = Contingency(thresholds=(5.0,), scores=("csi", "hit_rate"))
    assert np.isnan([row.value for row in metric.rows(sums_of(metric, np.zeros((1, 3)), np.zeros((1, 2, 3))))]).all()


def test_value_is_the_peirce_score_for_those_whose_cost_is_the_frequency(sums_of, tornadoes):
    """And nothing for those whom no warning pays (Richardson 2000)."""
    s = 51 / 2803
    metric = EconomicValue(thresholds=(5.0,), costs=(s, 0.9))
    best, none = metric.rows(sums_of(metric, *tornadoes))
    assert best.value == pytest.approx(0.523, abs=5e-4) and none.value == pytest.approx(0, abs=1e-12)
    assert none.metric == "economic_value_5_0.9" and best.units == "1"


def test_value_of_probabilities_by_hand(sums_of):
    """Events 1 of 4 cells: 2, 1, 0 and 0 of 2 members; cost ¼ acts at k = 2 (H = 1, F = 0), perfect; for the event at k = 1, 1 − F."""
    members = np.array([[[9.0, 9, 0, 0], [9.0, 0, 0, 0]]])
    for truth, value in (([9.0, 0, 0, 0], 1.0), ([0.0, 9, 0, 0], 1 - 1 / 3)):
        metric = EconomicValue(thresholds=(5.0,), costs=(0.25,))
        (row,) = metric.rows(sums_of(metric, np.array([truth]), members))
        assert row.value == pytest.approx(value)


def test_no_event_has_no_value(sums_of):
    metric = EconomicValue(thresholds=(5.0,))
    assert np.isnan([row.value for row in metric.rows(sums_of(metric, np.zeros((1, 3)), np.ones((1, 2, 3))))]).all()


def test_bad_fields():
    with pytest.raises(ValueError, match="Contingency.scores: there is no score 'cis'; did you mean 'csi'?"):
        Contingency(thresholds=(1.0,), scores=("cis",))
    with pytest.raises(ValueError, match="Contingency.scores must be one or more different names"):
        Contingency(thresholds=(1.0,), scores=())
    with pytest.raises(ValueError, match=r"EconomicValue.costs must be one or more different numbers, in \(0, 1\), got"):
        EconomicValue(thresholds=(1.0,), costs=(1.0,))
