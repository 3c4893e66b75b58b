"""Published digits of decompositions, drawn: bars up, bars down, and the score."""

import numpy as np
import pytest

from wxexp.interfaces import Row
from wxexp.reports.plots import decomposed, decomposition

UNITS = {"t": "K", "pr": "mm d-1"}


def rows(kind, label, lead=None, variable="t", source="forecast", **parts):
    name = f"_{label}" if label else ""
    return [Row(f"{kind}_{part}{name}", variable, source, "all", lead, value, None, None, "1") for part, value in parts.items()]


def bars(axis):
    """(bottom, height) of each."""
    return [(bar.get_y(), bar.get_height()) for bar in axis.patches]


def test_parts_of_the_brier_score_by_threshold():
    """500 forecasts of 10 members: reliability, resolution and uncertainty as published libraries give them, the score 0.13168."""
    found = rows("brier", "0.5", reliability=0.003787207209, resolution=0.121531207209, uncertainty=0.249424)
    found += rows("brier", "-1", reliability=0.01, resolution=0.02, uncertainty=0.1)
    found += rows("brier", "99", reliability=0.0, resolution=0.0, uncertainty=0.0)  # never occurs
    found += rows("brier", "0.5", source="bicubic", reliability=0.5, resolution=0.1, uncertainty=0.249424)
    figure, data = decomposition(found, kind="brier", variables=["t", "pr"], units=UNITS)
    assert data.sizes == {"variable": 1, "threshold": 2} and data["threshold"].values.tolist() == ["-1", "0.5"]
    np.testing.assert_allclose(data["score"], [[0.09, 0.13168]], atol=1e-12)
    np.testing.assert_array_equal(data["resolution"], [[0.02, 0.121531207209]])
    (axis,) = figure.axes
    drawn = bars(axis)
    np.testing.assert_allclose(drawn[1::2], [(0, 0.249424), (0.249424, 0.003787207209), (0, -0.121531207209)])
    np.testing.assert_allclose(axis.lines[0].get_ydata(), [0.09, 0.13168], atol=1e-12)
    assert axis.get_xlabel() == "threshold (K)" and [tick.get_text() for tick in axis.get_xticklabels()] == ["-1", "0.5"]


def test_parts_against_lead_time_have_a_panel_per_threshold():
    """scipy's isotonic_regression: MCB 0.003374242090, DSC 0.121118242090, UNC 0.249424; the same score."""
    known = dict(miscalibration=0.003374242090, discrimination=0.121118242090, uncertainty=0.249424)
    found = [row for label in ("q0.9", "5") for lead in (48.0, 24.0) for row in rows("corp", label, lead, "pr", **known)]
    found = [row for row in found if (row.metric, row.lead_hours) != ("corp_discrimination_5", 24.0)]
    figure, data = decomposition(found, kind="corp", variables=["t", "pr"], units=UNITS)
    assert data["lead_hours"].values.tolist() == [24.0, 48.0] and data["threshold"].values.tolist() == ["5", "q0.9"]
    np.testing.assert_allclose(data["score"], [[[np.nan, 0.13168], [0.13168, 0.13168]]], atol=1e-12)
    assert [axis.get_title() for axis in figure.axes] == ["pr > 5 mm d⁻¹", "pr > its 0.9 quantile"]
    np.testing.assert_array_equal(figure.axes[1].lines[0].get_xdata(), [1.0, 2.0])  # days
    np.testing.assert_array_equal(figure.axes[0].lines[0].get_xdata(), [2.0])


def test_parts_of_the_crps():
    """Hersbach's decomposition of 1000 cases of 5 members: 0.037827464074 + 0.653089833688 = 0.690917297762."""
    found = rows("crps", "", reliability=0.037827464074, potential=0.653089833688)
    found += rows("crps", "", variable="pr", reliability=np.nan, potential=np.nan)
    assert decomposed(found, kind="crps") == ["t"] and decomposed(found, kind="brier") == []
    figure, data = decomposition(found, kind="crps", variables=["pr", "t"], units=UNITS)
    assert float(data["score"].squeeze()) == pytest.approx(0.690917297762, abs=1e-11) and data["score"].dims == ("variable",)
    np.testing.assert_allclose(bars(figure.axes[0]), [(0, 0.653089833688), (0.653089833688, 0.037827464074)])
    assert figure.axes[0].get_ylabel() == "CRPS (K)" and figure.axes[0].texts[0].get_text() == "0.691"


def test_nothing_to_draw():
    with pytest.raises(ValueError, match="there are no rows of the decomposition 'brier' of t"):
        decomposition(rows("crps", "", reliability=1.0, potential=2.0), kind="brier", variables=["t"], units=UNITS)
