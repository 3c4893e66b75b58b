import numpy as np
import pytest
import torch
from scipy import stats

from wxexp.levels import Karras, Quantiles
from wxexp.schedulers import Adaptive, FlowUniform, LogNormal, LogUniform, RhoUniform


def test_of_rho_uniform_noise_are_the_levels_of_edm():
    levels = Quantiles(scheduler=RhoUniform(sigma_min=0.002, sigma_max=80.0))
    torch.testing.assert_close(levels.gamma(18), Karras().gamma(18), rtol=0, atol=1e-11)


def test_of_log_normal_noise_are_as_dense_as_it():
    """The normal probability between neighbours is the same (SciPy), and the ends are those given."""
    gamma = Quantiles(scheduler=LogNormal(), sigma_min=0.01, sigma_max=20.0).gamma(10)
    share = np.diff(stats.norm(-1.2, 1.2).cdf(-gamma / 2))
    np.testing.assert_allclose(share, share[0], rtol=1e-9)
    torch.testing.assert_close(torch.exp(-gamma[[0, -1]] / 2).tolist(), [20.0, 0.01], rtol=1e-13, atol=0)


def test_of_flow_matching_are_equidistant_in_its_time():
    """s / (1 + s) from 0.8 to 0.2 in four."""
    s = torch.exp(-Quantiles(scheduler=FlowUniform(), sigma_min=0.25, sigma_max=4.0).gamma(4) / 2)
    torch.testing.assert_close(s.tolist(), [4.0, 1.5, 2 / 3, 0.25], rtol=1e-12, atol=0)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"sigma_min": 90.0}, r"Quantiles\.sigma_min must be in \(0, sigma_max = 80\.0\), got 90\.0"),
        ({"scheduler": LogUniform()}, r"Quantiles\.sigma_min must have -2 ln s in \[-9\.21034, 7\.82405\].*, got 0\.002"),
        ({"scheduler": Adaptive()}, r"Quantiles\.scheduler must be a scheduler without state, got Adaptive"),
    ],
)
def test_wrong_values(wrong, message):
    with pytest.raises(ValueError, match=message):
        Quantiles(**{"scheduler": LogNormal(), **wrong})
