"""Digits from properscoring 0.1 and scoringrules 0.10."""

import numpy as np
import pytest
import torch

from wxexp.statistics import crps_torch
from wxexp.statistics.crps import crps as numpy_crps
from wxexp.statistics.crps_torch import crps

FAIR = [0.372203306904, 1.284744190364, 0.189744327006, 0.434114192981, 0.862899501057]
BIASED = [0.469963193553, 1.414574936293, 0.243746649292, 0.554730013725, 0.961016336401]


@pytest.fixture
def data():
    rs = np.random.RandomState(20240501)
    return torch.tensor(rs.standard_normal(5)), torch.tensor(0.2 + 1.3 * rs.standard_normal((5, 8)))


def test_digits(data):
    np.testing.assert_allclose(crps(*data, member_dim=1, estimator="fair"), FAIR, atol=1e-11)
    np.testing.assert_allclose(crps(*data, member_dim=-1, estimator="biased"), BIASED, atol=1e-11)
    assert crps(*data, member_dim=1).mean().item() == pytest.approx(0.633744359772, abs=1e-11)  # 0.95 fair + 0.05 biased


@pytest.mark.parametrize("estimator", ["fair", "biased", "almost_fair"])
@pytest.mark.parametrize("members", [2, 3, 8])
def test_gradients_are_those_of_the_pairwise_form(estimator, members):
    generator = torch.Generator().manual_seed(members)
    y, x = torch.randn(6, generator=generator).double(), torch.randn(members, 6, generator=generator).double()
    y.requires_grad_(), x.requires_grad_()
    assert torch.autograd.gradcheck(lambda y, x: crps(y, x, estimator=estimator, alpha=0.9), (y, x))
    between = (x[:, None] - x[None]).abs().sum((0, 1)) / 2
    share = {"fair": 1 / (members * (members - 1)), "biased": 1 / members**2}
    share["almost_fair"] = 0.9 * share["fair"] + 0.1 * share["biased"]
    pairwise = (x - y).abs().mean(0) - share[estimator] * between
    sorted_form = crps(y, x, estimator=estimator, alpha=0.9)
    torch.testing.assert_close(sorted_form, pairwise, rtol=0, atol=1e-12)
    for a, b in zip(torch.autograd.grad(sorted_form.sum(), (y, x)), torch.autograd.grad(pairwise.sum(), (y, x)), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-12)


def test_gradients_are_finite_where_members_and_truth_are_equal():
    x = torch.zeros(4, 3, requires_grad=True)
    value = crps(torch.tensor([0.0, 1.0, -1.0]), x)
    value.sum().backward()
    assert value.tolist() == [0, 1, 1] and x.grad.isfinite().all()
    torch.testing.assert_close(x.grad.sum(0), torch.tensor([0.0, -1.0, 1.0]))  # moving all members together


def test_one_step_moves_the_spread_towards_the_truth_distribution():
    """For truth N(0, 1) the expected fair score of N(0, s) is sqrt(2 (1 + s²) / π) − s / sqrt(π), least at s = 1."""
    generator = torch.Generator().manual_seed(0)
    y, z = torch.randn(100_000, generator=generator), torch.randn(2, 100_000, generator=generator)
    slopes = []
    for s in (0.8, 1.25):
        width = torch.tensor(s, requires_grad=True)
        crps(y, width * z, estimator="fair").mean().backward()
        slopes.append(width.grad.item())
    assert slopes == pytest.approx([(2**0.5 * s / (1 + s * s) ** 0.5 - 1) / np.pi**0.5 for s in (0.8, 1.25)], abs=0.01)
    assert slopes[0] < 0 < slopes[1]


def test_nan_stays_at_its_point_and_half_precision_is_raised():
    y, x = torch.zeros(4), torch.ones(3, 4)
    x[1, 2], y[3] = torch.nan, torch.nan
    assert crps(y, x).isnan().tolist() == [False, False, True, True]
    assert crps(torch.zeros(2, dtype=torch.bfloat16), torch.ones(3, 2, dtype=torch.bfloat16)).dtype == torch.float32


def test_float32_fields_far_from_zero():
    rs = np.random.RandomState(91)
    y, x = 54000 + 100 * rs.standard_normal(1000), 54000 + 100 * rs.standard_normal((1000, 50))
    value = crps(torch.tensor(y, dtype=torch.float32), torch.tensor(x, dtype=torch.float32), member_dim=1, estimator="fair")
    assert value.double().mean().item() == pytest.approx(54.965882710459, abs=2e-5)


def test_bad_input():
    with pytest.raises(ValueError, match=r"truth of shape \(5,\) does not match members of shape \(5, 8\) with member_dim=0"):
        crps(torch.zeros(5), torch.zeros(5, 8))
    with pytest.raises(ValueError, match="at least 2 members, got 1"):
        crps(torch.zeros(5), torch.zeros(1, 5))
    with pytest.raises(ValueError, match="at least 1 member, got 0"):
        crps(torch.zeros(5), torch.zeros(0, 5))


@pytest.mark.parametrize("estimator", ["fair", "biased", "almost_fair"])
def test_moving_all_members_together_changes_the_skill_only(estimator):
    """Σ_i ∂CRPS/∂x_i is the mean of sign(x_i − y): the spread does not feel a shift."""
    generator = torch.Generator().manual_seed(4)
    y, x = torch.randn(50, generator=generator), torch.randn(7, 50, generator=generator).requires_grad_()
    (gradient,) = torch.autograd.grad(crps(y, x, estimator=estimator).sum(), x)
    torch.testing.assert_close(gradient.sum(0), torch.sign(x - y).mean(0), rtol=0, atol=1e-6)


def test_training_and_verification_agree():
    """The same arrays, by the loss, by numpy and by the fused kernel: one score."""
    from wxexp.statistics.kernel import point_sums

    rng = np.random.default_rng(5)
    y, x = 280 + rng.standard_normal(400).astype(np.float32), 280 + rng.standard_normal((9, 400)).astype(np.float32)
    loss = crps(torch.from_numpy(y), torch.from_numpy(x), estimator="fair").double().mean().item()
    found = point_sums(y, x, np.ones((1, 400))).pick("skill", "pairs")
    assert loss == pytest.approx(numpy_crps(y, x).mean(), rel=1e-4)
    assert (found["skill"][0] - found["pairs"][0] / 72) / 400 == pytest.approx(loss, rel=1e-4)


def test_batches_and_blocks_of_latitudes_are_independent():
    """The score of one sample or row does not depend on what else is in the tensor."""
    generator = torch.Generator().manual_seed(6)
    y, x = torch.randn(2, 6, 4, generator=generator), torch.randn(3, 2, 6, 4, generator=generator)
    whole = crps(y, x)
    torch.testing.assert_close(crps(y[:, 2:5], x[:, :, 2:5]), whole[:, 2:5], rtol=0, atol=0)
    x[:, 1] += 9
    torch.testing.assert_close(crps(y, x)[0], whole[0], rtol=0, atol=0)


@pytest.mark.parametrize("members", [32, 33, 65])
def test_ranks_are_counted_sorted_and_kept_alike(members, monkeypatch):
    """Against the pairwise form, with blocks that cut the points."""
    monkeypatch.setattr(crps_torch, "BLOCK", {"cpu": 7 * members})
    generator = torch.Generator().manual_seed(members)
    y, x = torch.randn(5, 9, generator=generator).double(), torch.randn(members, 5, 9, generator=generator).double()
    y.requires_grad_(), x.requires_grad_()
    between = (x[:, None] - x[None]).abs().sum((0, 1)) / 2
    pairwise = (x - y).abs().mean(0) - between / (members * (members - 1))
    own = crps(y, x, estimator="fair")
    torch.testing.assert_close(own, pairwise, rtol=0, atol=1e-12)
    weight = torch.rand(5, 9, generator=generator).double()
    for a, b in zip(torch.autograd.grad(own, (y, x), weight), torch.autograd.grad(pairwise, (y, x), weight), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-12)


def test_little_is_kept_for_the_way_back():
    """Two numbers of a byte for each member and point: half of an ensemble in float32."""
    kept = 0

    def count(tensor):
        nonlocal kept
        kept += tensor.numel() * tensor.element_size()
        return tensor

    x = torch.randn(16, 1000, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(count, lambda t: t):
        crps(torch.zeros(1000), x)
    assert 0 < kept <= 0.5 * x.numel() * 4


def test_a_missing_value_under_a_mask_leaves_gradients_finite():
    x = torch.ones(3, 4)
    x[1, 2] = torch.nan
    x.requires_grad_()
    torch.where(torch.arange(4) == 2, 0.0, crps(torch.zeros(4), x)).sum().backward()
    assert x.grad.isfinite().all() and (x.grad[:, 2] == 0).all()


@pytest.mark.parametrize("members", [8, 50])
def test_nothing_is_made_on_another_device_than_that_of_the_members(members):
    """Meta tensors fail wherever one meets a tensor of the processor."""
    y, x = torch.empty(3, 7, device="meta"), torch.empty(members, 3, 7, device="meta", requires_grad=True)
    score = crps(y, x)
    score.sum().backward()
    assert score.shape == (3, 7) and x.grad.shape == x.shape and score.device.type == x.grad.device.type == "meta"
