import numpy as np
import pytest
import torch
from scipy import stats

from wxexp.fields.seeds import Draws, stream


def test_a_row_has_its_numbers_in_any_company():
    rows = Draws.training(3, 7, range(5, 13), 32)
    whole, uniform, spread = rows.of("noise").normal((2, 3)), rows.of("level").uniform(), rows.of("level").stratified()
    for first, last in ((0, 3), (3, 4), (4, 8)):
        part = Draws.training(3, 7, range(5 + first, 5 + last), 32)
        assert torch.equal(part.of("noise").normal((2, 3)), whole[first:last])
        assert torch.equal(part.of("level").uniform(), uniform[first:last])
        assert torch.equal(part.of("level").stratified(), spread[first:last])


def test_other_names_have_other_numbers():
    """Also seeds that agree in 32 bits, which torch's generator on the CPU would not tell apart."""
    draws = [
        Draws.training(seed, step, [key], 4).of(*purpose).normal((4,))
        for seed in (5, 5 + 2**32)
        for step in (0, 1)
        for key in (0, 1)
        for purpose in (("noise",), ("noise", 1), ("level",))
    ]
    assert len({tuple(x.flatten().tolist()) for x in draws}) == 24


def test_members_are_rows_of_each_sample():
    draws = Draws.drawing(0, ["a", "b"]).members(range(2, 4))
    assert draws.rows == ((0, "a", "member", 2), (0, "a", "member", 3), (0, "b", "member", 2), (0, "b", "member", 3))


@pytest.mark.parametrize("parts", [[range(16)], [range(0, 8), range(8, 16)], [range(0, 16, 3), range(1, 16, 3), range(2, 16, 3)]])
def test_a_batch_is_stratified_however_it_is_split(parts):
    """Over ranks and micro-batches: one draw in each sixteenth, at equal distances, in every step of a training."""
    for step in range(20):
        places = [16 * step + place for part in parts for place in part]
        draws = [Draws.training(1, step, [16 * step + place for place in part], 16).of("level").stratified() for part in parts]
        t = torch.cat(draws).sort().values
        assert len(places) == 16 and ((t >= 0) & (t < 1)).all()
        np.testing.assert_allclose(t.diff(), 1 / 16, rtol=0, atol=1e-12)


def test_a_sample_has_a_uniform_level_over_the_steps():
    """The shift is another one in every step, so that over 2000 of them the first sample of a batch sees all levels alike."""
    t = [Draws.training(1, step, [16 * step], 16).of("level").stratified().item() for step in range(2000)]
    assert stats.kstest(t, "uniform").pvalue > 0.01


def test_numbers_are_standard_normal():
    x = stream("a", 1).standard_normal(20_000)
    assert stats.kstest(x, "norm").pvalue > 0.01
    assert stats.kstest(Draws.drawing(0, ["a"]).of("prior").normal((20_000,))[0].numpy(), "norm").pvalue > 0.01
