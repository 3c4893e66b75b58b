import numpy as np

from wxexp.reports.plots import scorecard


def texts(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def test_without_leads_metrics_are_columns_and_marks_say_what_is_significant():
    change = np.array([[[-0.071], [0.02]], [[0.003], [np.nan]]])
    verdict = np.array([[[1.0], [-1.0]], [[0.0], [np.nan]]])
    figure, data = scorecard(change, verdict, metrics=["CRPS", "RMSE"], variables=["t", "p"], leads=(None,), names=("old", "new"))
    assert texts(figure) == ["▲ −7.1", "+0.3", "▼ +2.0"]
    assert [t.get_text() for t in figure.axes[0].get_xticklabels()] == ["CRPS", "RMSE"]
    np.testing.assert_allclose(data["change"], 100 * change)
    assert data.attrs == {"first": "old", "second": "new"} and np.isnan(data["lead_hours"]).all()
    assert "new against old" in figure.axes[1].get_xlabel()


def test_with_leads_rows_are_metrics_and_variables_and_only_marks_are_left_of_many():
    rng = np.random.default_rng(0)
    change, verdict = rng.normal(0, 0.1, (2, 3, 12)), np.zeros((2, 3, 12))
    verdict[0, 1, 4], verdict[1, 2, 11] = 1.0, -1.0
    figure, data = scorecard(change, verdict, metrics=["CRPS", "RMSE"], variables=["t", "p", "u"], leads=[24.0 * i for i in range(1, 13)])
    assert sorted(texts(figure)) == ["▲", "▼"]
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()][:4] == ["CRPS   t", "CRPS   p", "CRPS   u", "RMSE   t"]
    assert data["lead_hours"].values[-1] == 288.0
