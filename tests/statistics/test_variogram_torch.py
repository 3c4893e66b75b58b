"""Digits from scoringrules, over all ordered pairs of five variables: those at lags 1 to 4, twice."""

import numpy as np
import pytest
import torch

from wxexp.metrics import VariogramScore
from wxexp.statistics import Variogram
from wxexp.statistics.variogram_torch import variogram_score


@pytest.mark.parametrize(
    "order, estimator, value",
    [(0.5, "biased", 4.952623657071), (1.0, "biased", 18.795927434510), (0.5, "fair", 4.254924171937)],
)
def test_digits(order, estimator, value):
    rs = np.random.RandomState(7)
    y, x = rs.standard_normal((4, 5)), 0.1 + 1.2 * rs.standard_normal((4, 6, 5))
    data = torch.from_numpy(y), torch.from_numpy(x).movedim(1, 0)
    found = variogram_score(*data, lags=(1, 2, 3, 4), dims=1, order=order, estimator=estimator)
    assert found.shape == (4, 4)
    assert 2 * (found @ torch.tensor([4.0, 3, 2, 1], dtype=torch.float64)).mean().item() == pytest.approx(value, abs=1e-11)


@pytest.mark.parametrize("estimator", ["fair", "biased"])
def test_fields_and_weights_are_those_of_the_metric(estimator):
    rng = np.random.default_rng(0)
    y, x, w = rng.standard_normal((5, 7)), rng.standard_normal((4, 5, 7)), rng.random((5, 7))
    w[2, 3:5] = 0
    y[2, 3], x[1, 2, 4] = np.nan, np.nan
    sums = Variogram(lags=(1, 3, 9)).reduce(y, x, w[None])
    assert VariogramScore(lags=(1, 3, 9)).needs() == (Variogram(lags=(1, 3, 9)),)
    with np.errstate(invalid="ignore"):
        expected = (sums["square"] - (sums["variance"] / 4 if estimator == "fair" else 0)) / sums["weight"]
    data = torch.from_numpy(y), torch.from_numpy(x)
    found = variogram_score(*data, lags=(1, 3, 9), estimator=estimator, weight=torch.from_numpy(w))
    np.testing.assert_allclose(found.numpy(), expected[0], rtol=1e-12)
    assert np.isnan(expected[0, 2]) and variogram_score(*data).isnan().all()


@pytest.mark.parametrize("order", [0.5, 1.0])
@pytest.mark.parametrize("estimator", ["fair", "biased"])
def test_gradients(order, estimator):
    generator = torch.Generator().manual_seed(1)
    y, x = torch.randn(3, 4, generator=generator).double(), torch.randn(3, 3, 4, generator=generator).double()
    y.requires_grad_(), x.requires_grad_()
    assert torch.autograd.gradcheck(lambda y, x: variogram_score(y, x, lags=(1, 2), order=order, estimator=estimator), (y, x))


@pytest.mark.parametrize("estimator", ["fair", "biased"])
def test_gradients_are_finite_where_cells_are_equal_or_missing(estimator):
    """Dry fields but for 4 in one cell of one of 3 members, and a cell without weight that is NaN: 22 pairs, of which 4 are not 0.

    Biased 4 (√4 / 3)² / 22 = 4 · 4 / 9 / 22; in the fair score products of different members are left, which are all 0.
    """
    x = torch.zeros(3, 4, 4)
    x[0, 1, 1], x[2, 3, 3] = 4.0, torch.nan
    x.requires_grad_()
    weight = torch.ones(4, 4)
    weight[3, 3] = 0
    score = variogram_score(torch.zeros(4, 4), x, lags=(1,), weight=weight, estimator=estimator)
    score.sum().backward()
    pull = 1 / (9 * 22) if estimator == "biased" else 0.0
    assert score.item() == pytest.approx(16 * pull, abs=1e-7)
    expected = torch.zeros(3, 4, 4)
    expected[0, 1, 1], expected[0, [0, 2, 1, 1], [1, 1, 0, 2]] = 4 * pull, -pull
    torch.testing.assert_close(x.grad, expected, rtol=0, atol=1e-7)


def test_bad_input():
    y, x = torch.zeros(3, 4), torch.zeros(2, 3, 4)
    with pytest.raises(ValueError, match="'fair' needs at least 2 members, got 1"):
        variogram_score(y, x[:1])
    with pytest.raises(ValueError, match=r"got \(3, 4\), \(2, 3, 4\), \(4, 3\)"):
        variogram_score(y, x, weight=torch.ones(4, 3))
    with pytest.raises(ValueError, match=r"members must be \[M, \*truth\]"):
        variogram_score(y, x.movedim(0, 2))
    for options, message in (
        ({"estimator": "almost_fair"}, "estimator must be fair or biased, got 'almost_fair'"),
        ({"lags": (1, 0)}, r"lags must be one or more numbers of cells, at least 1, got \(1, 0\)"),
        ({"lags": ()}, r"lags must be one or more .*, got \(\)"),
        ({"order": 0.0}, "order must be positive, got 0.0"),
    ):
        with pytest.raises(ValueError, match=message):
            variogram_score(y, x, **options)
