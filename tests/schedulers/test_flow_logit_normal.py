import numpy as np
import pytest
import torch
from scipy import stats

from wxexp.schedulers import FlowLogitNormal


def test_gamma_is_normal():
    """N(-2 mean, 4 std^2)."""
    gamma = torch.linspace(-12, 12, 25, dtype=torch.float64)
    np.testing.assert_allclose(FlowLogitNormal(mean=0.5, std=1.5).log_density(gamma), stats.norm(-1, 3).logpdf(gamma), rtol=1e-13)


def test_times_of_the_straight_path_are_logit_normal():
    """The probabilities of u below 1/4 and 3/4 are those of a standard normal below -ln 3 and ln 3."""
    u = torch.tensor([0.25, 0.75], dtype=torch.float64)
    below = FlowLogitNormal().time(-2 * torch.logit(u))
    np.testing.assert_allclose(below, [0.13596860764142443, 0.8640313923585756], rtol=1e-12)


def test_the_standard_deviation_must_be_positive():
    with pytest.raises(ValueError, match=r"FlowLogitNormal\.std must be positive, got -1\.0"):
        FlowLogitNormal(std=-1.0)
