import numpy as np

from wxexp.reports.plots import plume


def test_quantiles_of_known_members():
    """0, 5, ..., 100 in any order have themselves as quantiles: the k-th of 21 is that of (k - 1) / 20."""
    members = 5.0 * np.array([np.roll(np.arange(21), shift) for shift in (3, 8, 11)]).T
    figure, data = plume(
        {"t": members + [0, 100, 200]},
        truth={"t": np.arange(3.0)},
        units={"t": "K"},
        places={"t": "t there"},
        lead_hours=np.array([6.0, 12.0, 24.0]),
    )
    np.testing.assert_allclose(data["value"][0], np.array([5, 25, 50, 75, 95])[:, None] + [0, 100, 200])
    assert data["quantile"].values.tolist() == [0.05, 0.25, 0.5, 0.75, 0.95] and data["lead_hours"].values.tolist() == [6, 12, 24]
    assert data.attrs["members"] == 21 and data["place"].item() == "t there"
    axis = figure.axes[0]
    median, truth = axis.lines
    np.testing.assert_allclose(median.get_xydata(), [[0.25, 50], [0.5, 150], [1, 250]])
    np.testing.assert_array_equal(truth.get_ydata(), [0, 1, 2])
    wide, narrow = (ribbon.get_paths()[0].get_extents().ymax - ribbon.get_paths()[0].get_extents().ymin for ribbon in axis.collections)
    assert (wide, narrow) == (290, 250)
    assert axis.get_ylabel() == "t (K)" and axis.get_title() == "t there"


def test_dates_are_as_they_are_written_and_truth_may_be_absent():
    """On 30 February too, of a calendar with months of 30 days."""
    times = [f"2000-02-{day}T00:00:00" for day in range(24, 31)] + ["2000-03-01T00:00:00"]
    members = {name: np.zeros((4, 8)) for name in ("t", "p")}
    members["t"][1, 2] = np.nan
    figure, data = plume(members, truth={}, units={"t": "K", "p": "mm d-1"}, places={"t": "t", "p": "p"}, times=times)
    ticks = figure.axes[1].get_xticks(), [label.get_text() for label in figure.axes[1].get_xticklabels()]
    assert ticks[0].tolist() == [0, 3, 6] and ticks[1] == ["2000-02-24", "2000-02-27", "2000-02-30"]
    assert data["time"].values.tolist() == times and np.isnan(data["truth"]).all()
    assert np.isnan(data["value"].sel(variable="t")).sum() == 5 and len(figure.axes[0].lines) == 1
