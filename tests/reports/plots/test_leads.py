import numpy as np

from wxexp.interfaces import Row
from wxexp.reports.plots import score_by_lead, spread_and_error


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


def test_spread_is_the_ratio_times_the_error():
    def rows(name, units, lead, error, ratio):
        return [
            Row("rmse", name, "forecast", "all", lead, error, error - 0.5, error + 0.5, units),
            Row("spread_skill", name, "forecast", "all", lead, ratio, None, None, "1"),
        ]

    table = rows("u", "m s-1", 48.0, 4.0, 0.5) + rows("u", "m s-1", 24.0, 2.0, 0.75) + rows("v", "m s-1", 24.0, 6.0, 1.5)
    table += rows("t", "K", 24.0, 8.0, 0.25) + rows("only", "K", 24.0, 9.0, 0.9)[:1]
    table += [
        Row("rmse", "u", "climatology", "all", 24.0, 99.0, None, None, "m s-1"),
        Row("rmse", "u", "forecast", "sea", 24.0, 99.0, 1, 1, "K"),
    ]
    figure, data = spread_and_error(table, variables=["u", "v", "t", "only"])
    assert data["variable"].values.tolist() == ["u", "v", "t"]
    nan = np.nan
    np.testing.assert_array_equal(data["rmse"], [[2.0, 4.0], [6.0, nan], [8.0, nan]])
    np.testing.assert_array_equal(data["rmse_low"], [[1.5, 3.5], [5.5, nan], [7.5, nan]])
    np.testing.assert_array_equal(data["spread"], [[1.5, 2.0], [9.0, nan], [2.0, nan]])
    assert np.isnan(data["ratio_high"]).all()
    wind, wind_ratio, heat, heat_ratio = (figure.axes[i] for i in (0, 2, 1, 3))  # two rows of panels, a column for each of the units
    assert [axis.get_ylabel() for axis in (wind, heat)] == ["RMSE and spread (m s⁻¹)", "RMSE and spread (K)"]
    error, spread = wind.lines[:2]
    assert (error.get_linestyle(), spread.get_linestyle()) == ("-", "--") and error.get_color() == spread.get_color()
    assert error.get_color() != wind.lines[2].get_color() and wind.lines[2].get_color() != heat.lines[0].get_color()
    np.testing.assert_array_equal(spread.get_xydata(), [[1.0, 1.5], [2.0, 2.0]])  # days
    np.testing.assert_array_equal(wind_ratio.lines[0].get_ydata(), [0.75, 0.5])
    assert wind_ratio.lines[0].get_color() == error.get_color()
    assert wind_ratio.lines[-1].get_ydata() == heat_ratio.lines[-1].get_ydata() == [1.0, 1.0]
