import json
import math

import pytest

from wxexp.config import ConfigError, edit
from wxexp.interfaces import Row
from wxexp.metrics import ACC, CRPS, Brier, LogSpectralDistance
from wxexp.scoring import finalise, open_sums, read_table, score, write_table


def row(**changes):
    values = dict(metric="crps", variable="t", source="forecast", group="all", lead_hours=None, value=0.5, low=0.4, high=0.7, units="K")
    return Row(**{**values, **changes})


def test_a_table_reads_as_it_was_written(tmp_path):
    rows = [row(), row(lead_hours=6.0, low=None, high=None)]
    write_table(tmp_path / "table.json", rows)
    assert read_table(tmp_path / "table.json") == rows
    text = json.loads((tmp_path / "table.json").read_text())
    assert text["format"] == 1 and set(text["rows"][0]) == set("metric variable source group lead_hours value low high units".split())
    assert [p.name for p in tmp_path.iterdir()] == ["table.json"]


def test_a_value_that_is_not_a_number_is_null(tmp_path):
    write_table(tmp_path / "table.json", [row(value=math.nan)])
    assert json.loads((tmp_path / "table.json").read_text())["rows"][0]["value"] is None
    assert math.isnan(read_table(tmp_path / "table.json")[0].value)


def test_a_table_of_a_later_format(tmp_path):
    (tmp_path / "table.json").write_text('{"format": 2, "rows": []}')
    with pytest.raises(ConfigError, match="has format 2, this wxexp reads up to 1"):
        read_table(tmp_path / "table.json")


def test_other_metrics_of_the_same_sums_need_no_members(world, here, tmp_path):
    w = world(times=3, metrics={"crps": CRPS()})
    score(tree=w.tree, executor=here(), out=tmp_path)
    almost = edit(w.experiment, {"scoring.metrics": {"almost": CRPS(estimator="almost_fair", alpha=0.5)}})
    value = {
        r.metric: r.value for e in (w.experiment, almost) for r in finalise(e, tmp_path) if (r.source, r.variable) == ("forecast", "t")
    }
    assert value["crps"] < value["crps_almost_fair"]
    with pytest.raises(ValueError, match="the scores of 'forecast' hold no 'spectrum', only pairs; score again"):
        finalise(edit(w.experiment, {"scoring.metrics": {"lsd": LogSpectralDistance()}}), tmp_path)


def test_rows_that_cannot_be_told_apart_are_refused(world, here, tmp_path):
    """ACC of anomalies and of fields as they are; Brier scores of a threshold that two metrics have are the same."""
    same = {"first": Brier(thresholds=(0.5, 1.0)), "second": Brier(thresholds=(1.0,))}
    other = {"acc": ACC(window_days=100.0), "raw": ACC(window_days=None)}
    w = world(times=3, metrics=same | other)
    score(tree=w.tree, executor=here(), out=tmp_path)
    assert len(finalise(edit(w.experiment, {"scoring.metrics": same}), tmp_path)) == 3 * 2 * 3
    with pytest.raises(ValueError, match="metrics 'acc' and 'raw' both have a row 'acc_centred', of t .*, which cannot be told apart"):
        finalise(w.experiment, tmp_path)


def test_sums_know_their_sources(world, here, tmp_path):
    w = world(times=3)
    score(tree=w.tree, executor=here(), out=tmp_path)
    sums = open_sums(w.experiment, tmp_path)
    assert (sums.source, sums.members) == ("forecast", 5)
    assert {name: s.members for name, s in sums.references.items()} == {"zero": 1, "noise": 4}
    assert all(not s.references for s in sums.references.values())
