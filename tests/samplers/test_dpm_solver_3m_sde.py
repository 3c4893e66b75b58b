import math

import pytest
import torch

from wxexp.samplers import DPMSolver3MSDE


@pytest.mark.parametrize(
    ("eta", "special"),
    [(0.0, lambda ln: ln**2 - 2 * ln + 2), (1.0, lambda ln: ln**2 - ln + 0.5), (0.5, lambda ln: ln**2 - 2 * ln / 1.5 + 2 / 1.5**2)],
)
def test_an_estimate_quadratic_in_ln_s_is_integrated_exactly(eta, special):
    """The mean of dy/dl = (1 + eta) (D - y), D = l^2, l = -ln s, is a quadratic and c exp(-(1 + eta) l); from the third step on."""
    gamma = torch.tensor([-12.0, -8.0, -5.0, -1.0, 0.0, 3.0, 3.5, 7.0], dtype=torch.float64)
    y = torch.full((1, 1, 1), 2.0, dtype=torch.float64)

    class Silent:
        def brownian(self, s0: float, s1: float) -> torch.Tensor:
            return torch.zeros(1, 1, 1, dtype=torch.float64)

    def run(gamma: torch.Tensor) -> float:
        return DPMSolver3MSDE(terminal="keep", eta=eta).sample(lambda y, g: (g / 2) ** 2 + 0 * y, y, gamma, Silent()).item()

    started = run(gamma[:3]) - special(-2.5)
    assert run(gamma) == pytest.approx(special(3.5) + started * math.exp(-(1 + eta) * 6.0), rel=1e-12)
