import math

import torch

from wxexp.diffusion.conditionings import FlowTime, LogNoise, LogScale

S = torch.tensor([1 / 3, 1.0, 80.0], dtype=torch.float64)
GAMMA = -2 * S.log()


def test_digits_of_the_papers():
    """ln(80) / 4 = 1.09550666 (Karras et al. 2022); t = s / (1 + s) is 1/4, 1/2 and 80/81 (Lipman et al. 2023)."""
    torch.testing.assert_close(LogNoise()(GAMMA)[2].item(), 1.09550666, rtol=0, atol=5e-9)
    torch.testing.assert_close(LogScale()(GAMMA).flatten().tolist(), [-math.log(3), 0.0, 4.38202663], rtol=0, atol=5e-9)
    torch.testing.assert_close(FlowTime()(GAMMA).flatten().tolist(), [1 / 4, 1 / 2, 80 / 81], rtol=1e-13, atol=0)
