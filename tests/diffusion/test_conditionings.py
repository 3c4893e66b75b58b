import math

import pytest
import torch

from wxexp.config import from_tree, to_tree
from wxexp.diffusion.conditionings import FlowTime, LogNoise, LogScale, NoiseConditioning, Time
from wxexp.schedulers import VP, Adaptive, Cosine, Iddpm, LogNormal

S = torch.tensor([1 / 3, 1.0, 80.0], dtype=torch.float64)
GAMMA = -2 * S.log()


def test_digits_of_the_papers():
    """ln(80) / 4 = 1.09550666 (Karras et al. 2022); t = s / (1 + s) is 1/4, 1/2 and 80/81 (Lipman et al. 2023)."""
    torch.testing.assert_close(LogNoise()(GAMMA)[2].item(), 1.09550666, rtol=0, atol=5e-9)
    torch.testing.assert_close(LogScale()(GAMMA).flatten().tolist(), [-math.log(3), 0.0, 4.38202663], rtol=0, atol=5e-9)
    torch.testing.assert_close(FlowTime()(GAMMA).flatten().tolist(), [1 / 4, 1 / 2, 80 / 81], rtol=1e-13, atol=0)


def test_the_time_of_a_scheduler():
    """Cosine: s = tan(pi t / 2), so s = 1 at 1/2 and sqrt(3) at 2/3. VP: s(1) = 152.167 and s(1e-3) = 0.010486 (Song et al. 2021)."""
    gamma = -2 * torch.tensor([1.0, math.sqrt(3)], dtype=torch.float64).log()
    torch.testing.assert_close(Time(scheduler=Cosine())(gamma).tolist(), [[1 / 2], [2 / 3]], rtol=1e-13, atol=0)
    gamma = -2 * torch.tensor([0.010486, 152.167], dtype=torch.float64).log()
    torch.testing.assert_close(Time(scheduler=VP(epsilon=1e-9))(gamma).tolist(), [[1e-3], [1.0]], rtol=1e-4, atol=0)


def test_the_steps_of_improved_ddpm():
    """The cleanest of its 1000 levels, u_999 = 0.006425, and the ninth, u_8 = 80.204 (Karras et al. 2022): 0 and 991 steps from clean."""
    gamma = -2 * torch.tensor([0.006425, 80.204], dtype=torch.float64).log()
    torch.testing.assert_close((999 * Time(scheduler=Iddpm())(gamma)).flatten().tolist(), [0.0, 991.0], rtol=0, atol=0.05)


def test_levels_beyond_the_range_of_a_scheduler_have_the_time_of_its_end():
    low, high = VP().range
    assert Time(scheduler=VP())(torch.tensor([low - 3, high + 3]).double()).tolist() == [[1.0], [0.0]]


def test_the_time_of_a_scheduler_that_adapts_is_refused():
    with pytest.raises(ValueError, match=r"Time\.scheduler must be a scheduler without state, got Adaptive"):
        Time(scheduler=Adaptive())


def test_a_scheduler_that_is_held_survives_its_record():
    time = Time(scheduler=LogNormal(mean=0.3))
    assert from_tree(to_tree(time), NoiseConditioning) == time
    assert to_tree(time) == {"type": "Time", "scheduler": {"type": "LogNormal", "mean": 0.3, "std": 1.2}}
