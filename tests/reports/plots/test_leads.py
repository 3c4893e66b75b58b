import numpy as np

from wxexp.interfaces import Row
from wxexp.reports.plots import score_by_lead


def test_rows_by_source_variable_and_lead():
    rows = [
        Row("crps", "t", "persistence", "all", 24.0, 3.0, None, None, "K"),
        Row("crps", "t", "forecast", "all", 48.0, 2.0, 1.5, 2.5, "K"),
        Row("crps", "t", "forecast", "all", 24.0, 1.0, 0.5, 1.5, "K"),
        Row("crps", "t", "forecast", "tropics", 24.0, 9.0, None, None, "K"),
        Row("rmse", "t", "forecast", "all", 24.0, 9.0, None, None, "K"),
    ]
    figure, data = score_by_lead(rows, metric="crps", label="CRPS", variables=["t"])
    assert data["source"].values.tolist() == ["forecast", "persistence"]
    np.testing.assert_array_equal(data["value"], [[[1.0, 2.0]], [[3.0, np.nan]]])
    np.testing.assert_array_equal(data["high"], [[[1.5, 2.5]], [[np.nan, np.nan]]])
    np.testing.assert_array_equal(figure.axes[0].lines[0].get_xydata(), [[1.0, 1.0], [2.0, 2.0]])  # days
    assert [tick.get_text() for tick in figure.axes[0].get_xticklabels()] == ["1", "2"]
    assert figure.axes[0].get_ylabel() == "CRPS (K)"
