import numpy as np
import pytest

from wxexp.reports.plots import loss_by_noise_level, loss_curves, noise_density, validation_scores


def test_loss_curves():
    samples = np.arange(100.0)
    figure, data = loss_curves({"train": (samples, np.full(100, 2.0)), "validation": (np.array([50.0]), np.array([1.0]))}, best=50.0)
    assert (data["train"] == 2.0).all() and data["validation_samples"].values.tolist() == [50.0]
    axis = figure.axes[0]
    assert axis.get_yscale() == "log" and axis.get_xlabel() == "samples seen"
    np.testing.assert_allclose(axis.lines[1].get_ydata(), 2.0)  # a running mean of a constant, at the ends too


def test_a_loss_below_zero_is_drawn_on_a_linear_axis():
    figure, _ = loss_curves({"critic": (np.arange(3.0), np.array([-1.0, 0.5, 1.0]))}, unit="steps")
    assert figure.axes[0].get_yscale() == "linear" and figure.axes[0].get_xlabel() == "steps"


def test_loss_by_noise_level():
    sigma = np.array([0.1, 1.0, 10.0])
    figure, data = loss_by_noise_level({"200 samples": (sigma, sigma**2), "400 samples": (sigma, sigma)})
    np.testing.assert_array_equal(data["400 samples"], sigma)
    np.testing.assert_array_equal(data["200 samples_sigma"], sigma)
    assert figure.axes[0].get_xscale() == "log" and figure.axes[0].lines[1].get_alpha() == 1.0


@pytest.mark.parametrize(("number", "named"), [(1, ["1"]), (3, ["1", "2", "3"]), (20, ["1", "20"])])
def test_the_density_of_noise_levels_is_drawn_at_every_checkpoint(number, named):
    """The last is strongest; of many the first and the last are named."""
    sigma = np.array([0.1, 1.0, 10.0])
    figure, data = noise_density({f"{k}": (sigma, k * sigma) for k in range(1, number + 1)})
    axis = figure.axes[0]
    assert [line.get_ydata()[1] for line in axis.lines] == list(range(1, number + 1)) and axis.lines[-1].get_alpha() == 1.0
    assert [text.get_text() for text in axis.get_legend().get_texts()] == named
    np.testing.assert_array_equal(data[f"{number}"], number * sigma)


def test_validation_scores_are_relative_but_ratios_are_not():
    at = np.array([1.0, 2.0])
    curves = {"crps": {"t": (at, np.array([4.0, 1.0]))}, "spread_skill": {"t": (at, np.array([0.5, 0.9]))}}
    figure, data = validation_scores(curves, units={"t": "K"})
    np.testing.assert_array_equal(data["crps_t"], [4.0, 1.0])
    assert figure.axes[0].lines[0].get_ydata().tolist() == [1.0, 0.25] and figure.axes[1].lines[0].get_ydata().tolist() == [0.5, 0.9]
    assert figure.axes[0].get_legend().get_texts()[0].get_text() == "t: 1 = 4 K"
