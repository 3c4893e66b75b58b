import numpy as np
import pytest
import torch

from wxexp.fields.interpolation import block_mean, block_sum, coarse_shape, expand, interpolate


def test_block_mean_of_whole_and_partial_blocks():
    x = np.arange(15.0).reshape(3, 5)  # blocks of 2: columns 0-1, 2-3, 4 and rows 0-1, 2
    mean = block_mean(x, 2, weights=np.ones((3, 5)))
    assert mean == pytest.approx(np.array([[3.0, 5.0, 6.5], [10.5, 12.5, 14.0]]))
    assert mean.shape == coarse_shape((3, 5), 2) == (2, 3)


def test_block_mean_weighs_and_leaves_out_invalid_cells():
    x = np.array([[1.0, 2.0, np.nan, 8.0]])
    assert block_mean(x, 2, weights=np.array([[1.0, 3.0, 0.0, 2.0]])) == pytest.approx(np.array([[1.75, 8.0]]))


def test_empty_blocks_take_the_nearest_in_every_leading_axis():
    weights = np.ones((2, 8))
    weights[:, :4] = 0  # blocks 0 and 1 of 4 are empty: block 2 is nearest to both
    x = np.where(weights > 0, 1.0, np.nan) * np.array([[[1.0]], [[5.0]]])
    mean = block_mean(x, 2, weights=weights)
    assert mean == pytest.approx(np.array([[[1.0] * 4], [[5.0] * 4]]))


def test_block_mean_needs_a_valid_cell():
    with pytest.raises(ValueError, match="needs a valid cell"):
        block_mean(np.ones((2, 2)), 2, weights=np.zeros((2, 2)))


def test_expand_inverts_block_sum():
    x = np.array([[1.0, 2.0, 3.0]])
    assert (expand(x, 2, (2, 5)) == [[1, 1, 2, 2, 3], [1, 1, 2, 2, 3]]).all()
    assert (block_sum(expand(x, 2, (2, 5)), 2, dims=2) == [[4, 8, 6]]).all()


def test_bilinear_shares_edges_with_the_coarse_cells():
    # factor 2, align_corners=False: fine centres lie 1/4 and 3/4 into the coarse cells
    fine = interpolate(torch.tensor([[[[0.0, 4.0, 8.0]]]]), 2, (2, 6), method="bilinear")
    assert fine[0, 0, 0].tolist() == [0.0, 1.0, 3.0, 5.0, 7.0, 8.0]


def test_bicubic_has_the_kernel_of_keys_with_a_of_minus_three_quarters():
    # Keys (1981): w(t) = (a+2)t^3 - (a+3)t^2 + 1 for t < 1, a t^3 - 5a t^2 + 8a t - 4a for 1 < t < 2
    a, t = -0.75, np.array([1.25, 0.25, 0.75, 1.75])
    near, far = (a + 2) * t**3 - (a + 3) * t**2 + 1, a * t**3 - 5 * a * t**2 + 8 * a * t - 4 * a
    weights = np.where(t < 1, near, far)
    impulse = torch.zeros(1, 1, 1, 8)
    impulse[..., 3] = 1.0
    fine = interpolate(impulse, 2, (2, 16), method="bicubic")[0, 0, 0].numpy()
    # fine cell 6 is at coarse coordinate 2.75, cell 7 at 3.25; cell 9 at 4.25 and cell 4 at 1.75 are further off
    assert fine[[9, 7, 8, 4]] == pytest.approx([weights[0], weights[1], weights[2], weights[0]], abs=1e-6)


def test_partial_blocks_keep_the_geometry():
    # the field of 9 columns is the first 9 of one of 12 whose last block has the same mean
    coarse = torch.tensor(np.random.default_rng(0).normal(size=(2, 1, 2, 3)))
    whole = interpolate(coarse, 4, (8, 12), method="bicubic")
    assert torch.equal(interpolate(coarse, 4, (7, 9), method="bicubic"), whole[:, :, :7, :9])


@pytest.mark.parametrize("method", ["bilinear", "bicubic"])
def test_one_dimension_is_a_row_of_two(method):
    coarse = torch.tensor(np.random.default_rng(1).normal(size=(2, 3, 5)))
    rows = interpolate(coarse[:, :, None].expand(-1, -1, 4, -1), 3, (12, 14), method=method)
    assert torch.allclose(interpolate(coarse, 3, (14,), method=method), rows[:, :, 5], atol=1e-12)


@pytest.mark.parametrize("method", ["bilinear", "bicubic"])
def test_a_periodic_axis_has_no_seam(method):
    coarse = torch.tensor(np.random.default_rng(2).normal(size=(1, 1, 6)))
    fine = interpolate(coarse, 4, (24,), method=method, periodic_x=True)
    turned = interpolate(coarse.roll(2, -1), 4, (24,), method=method, periodic_x=True)
    assert torch.allclose(fine.roll(8, -1), turned, atol=1e-12)
    assert not torch.allclose(fine, interpolate(coarse, 4, (24,), method=method), atol=1e-3)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"\(9,\) has \(3,\) blocks of 4, got a coarse field \(1, 1, 4\)"):
        interpolate(torch.zeros(1, 1, 4), 4, (9,), method="bilinear")
    with pytest.raises(ValueError, match="periodic axis of 9 cells cannot have a partial block of 4"):
        interpolate(torch.zeros(1, 1, 3), 4, (9,), method="bilinear", periodic_x=True)
